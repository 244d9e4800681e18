/** How TensorFlow's v1 optimizer of one class names its state; slots in the order in which it makes them. */
interface OptimizerNaming {
  readonly slots: readonly string[];
  readonly scalars: Readonly<Record<string, string>>;
}

/** By class name in TensorFlow.js, with slots and scalars as ckpt's checkpoints name them. */
const namings: Readonly<Record<string, OptimizerNaming>> = {
  Momentum: { slots: ["momentum"], scalars: {} },
  Adagrad: { slots: ["accumulator"], scalars: {} },
  Adadelta: { slots: ["accum_grad", "accum_var"], scalars: {} },
  Adam: { slots: ["m", "v"], scalars: { accBeta1: "beta1_power", accBeta2: "beta2_power" } },
  Adamax: { slots: ["m", "v"], scalars: { accBeta1: "beta1_power" } },
  RMSProp: { slots: ["rms", "mg", "momentum"], scalars: {} },
};
/** Where TensorFlow writes the class otherwise. */
const classNames: Readonly<Record<string, string>> = { Adamax: "AdaMax" };

/** The state of an optimizer, which may be more than names. */
export interface OptimizerStateNames {
  /** As TensorFlow.js has it. */
  readonly className: string;
  readonly slots: readonly { readonly slot: string; readonly variable: string }[];
  readonly scalars: readonly { readonly name: string }[];
}

/**
 * Names an optimizer's state as a v1 optimizer of TensorFlow does, in a checkpoint that its `Saver` restores: a variable's
 * first slot is `<variable>/Adam`, its second `<variable>/Adam_1`; Adam's accumulated decay rates are `beta1_power` and
 * `beta2_power`. What TensorFlow has no name for is left out.
 *
 * Source: the `_create_slots` methods in tensorflow/python/training.
 */
export function nameOptimizerState<State extends OptimizerStateNames>({
  className,
  slots,
  scalars,
}: State): ReadonlyMap<string, State["slots"][number] | State["scalars"][number]> {
  const naming = namings[className] ?? { slots: [], scalars: {} };
  // RMSProp has mean gradients only where it is centered, and its momentum is named after how many there are before it.
  const made = naming.slots.filter((slot) => slots.some((entry) => entry.slot === slot));
  const base = classNames[className] ?? className;
  const named = new Map<string, State["slots"][number] | State["scalars"][number]>();
  for (const entry of slots) {
    const index = made.indexOf(entry.slot);
    if (index >= 0) named.set(`${entry.variable}/${base}${index === 0 ? "" : `_${index}`}`, entry);
  }
  for (const scalar of scalars) {
    const name = naming.scalars[scalar.name];
    if (name !== undefined) named.set(name, scalar);
  }
  return named;
}
