import { CkptError, serializeCanonicalJson } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { setLearningRate } from "./set-learning-rate.js";
import { disposeAfter, toTensor, viewTensor } from "./tensor-array.js";
import type { OptimizerSlot, OptimizerSnapshot } from "./training-state.js";

/** A variable as an optimizer sees it. Optimizers of TensorFlow.js know variables by their position only. */
export interface OptimizedVariable {
  /** The name that stays the same from process to process. */
  readonly name: string;
  readonly variable: tf.Variable;
}

/** Where each optimizer class of TensorFlow.js 4 keeps its state: `[property, slot]`, and the scalars' properties. */
interface OptimizerLayout {
  readonly slots: readonly (readonly [property: string, slot: string])[];
  readonly scalars: readonly string[];
  /** Whether the class's own `setWeights` works: Adamax's throws. */
  readonly isLoadable: boolean;
}

const layouts: Readonly<Record<string, OptimizerLayout>> = {
  SGD: { slots: [], scalars: [], isLoadable: true },
  Momentum: { slots: [["accumulations", "momentum"]], scalars: [], isLoadable: true },
  Adagrad: { slots: [["accumulatedGrads", "accumulator"]], scalars: [], isLoadable: true },
  Adadelta: {
    slots: [
      ["accumulatedGrads", "accum_grad"],
      ["accumulatedUpdates", "accum_var"],
    ],
    scalars: [],
    isLoadable: true,
  },
  // Rebuilding the accumulators with pow, as setWeights does, is off by up to 2.4e-7 of their value.
  Adam: {
    slots: [
      ["accumulatedFirstMoment", "m"],
      ["accumulatedSecondMoment", "v"],
    ],
    scalars: ["accBeta1", "accBeta2"],
    isLoadable: true,
  },
  Adamax: {
    slots: [
      ["accumulatedFirstMoment", "m"],
      ["accumulatedWeightedInfNorm", "v"],
    ],
    scalars: ["accBeta1", "iteration"],
    isLoadable: false,
  },
  RMSProp: {
    slots: [
      ["accumulatedMeanSquares", "rms"],
      ["accumulatedMoments", "momentum"],
      ["accumulatedMeanGrads", "mg"],
    ],
    scalars: [],
    isLoadable: true,
  },
};

interface SlotVariable {
  readonly originalName: string;
  readonly variable: tf.Variable;
}

/** The fields of TensorFlow.js's optimizers that its type declarations hide; `getWeights` leaks a tensor at each call. */
type OpenOptimizer = tf.Optimizer & { iterations_?: number } & Record<string, unknown>;

/**
 * Tells whether TensorFlow.js itself can load the slots of this optimizer along with a model.
 *
 * @throws {CkptError} INVALID_OPTION when it is not one of TensorFlow.js's own optimizers.
 */
export function isOptimizerLoadable(optimizer: tf.Optimizer): boolean {
  return layoutOf(optimizer).isLoadable;
}

/**
 * Reads an optimizer's state; its arrays are what {@link viewTensor} gives. `variables` are those it updates.
 *
 * @throws {CkptError} INVALID_OPTION when it is not one of TensorFlow.js's own optimizers, or when it has trained a
 *   variable that is not among `variables`.
 */
export async function captureOptimizer(
  optimizer: tf.Optimizer,
  variables: readonly OptimizedVariable[],
): Promise<OptimizerSnapshot> {
  const layout = layoutOf(optimizer);
  const open = optimizer as OpenOptimizer;
  const slots = layout.slots.flatMap(([property, slot]) => {
    const owned = open[property] as readonly SlotVariable[];
    const owners = findOwners(owned, variables);
    return owned.map((entry, index) => viewSlot(slot, owners[index]?.name ?? "", entry.variable));
  });
  const scalars = layout.scalars.map((property) => viewTensor(property, open[property] as tf.Variable));
  const rest = {
    className: optimizer.getClassName(),
    config: optimizer.getConfig(),
    iterations: open.iterations_ ?? 0,
  };
  const [readSlots, readScalars] = await Promise.all([Promise.all(slots), Promise.all(scalars)]);
  return { ...rest, slots: readSlots, scalars: readScalars };
}

async function viewSlot(slot: string, variable: string, tensor: tf.Tensor): Promise<OptimizerSlot> {
  const { name, dtype, shape, data } = await viewTensor(`${variable}/${slot}`, tensor);
  return { name, dtype, shape, data, slot, variable };
}

/**
 * The variable of each slot, by the name that TensorFlow.js notes in it: a variable without a gradient may have no slot
 * at all. By position where the names are another process's, as `tf.loadLayersModel` leaves them.
 */
function findOwners(
  owned: readonly SlotVariable[],
  variables: readonly OptimizedVariable[],
): readonly OptimizedVariable[] {
  const byName = new Map(variables.map((known) => [known.variable.name, known]));
  const named = owned.map(({ originalName }) => byName.get(originalName.slice(0, originalName.lastIndexOf("/"))));
  if (named.every((owner) => owner !== undefined)) return named;
  const isInOrder = owned.every(({ variable }, index) => {
    const owner = variables[index]?.variable;
    return owner !== undefined && describe(owner) === describe(variable);
  });
  if (isInOrder) return variables.slice(0, owned.length);
  throw new CkptError("INVALID_OPTION", {
    option: "optimizer",
    expected: "one that trains only the variables of the model",
    found: `state for ${owned.find((_, index) => named[index] === undefined)?.originalName}`,
  });
}

/**
 * Checks that a snapshot can be put back into this optimizer.
 *
 * @throws {CkptError} WEIGHTS_MISMATCH when class, a hyperparameter other than the learning rate, or a slot differs.
 */
export function checkOptimizer(
  optimizer: tf.Optimizer,
  variables: readonly OptimizedVariable[],
  snapshot: OptimizerSnapshot,
  path: string,
): void {
  const layout = layoutOf(optimizer);
  const mismatch = (weight: string, expected: string, found: string): CkptError =>
    new CkptError("WEIGHTS_MISMATCH", { path, weight, expected, found });
  const className = optimizer.getClassName();
  if (className !== snapshot.className) throw mismatch("optimizer", snapshot.className, className);
  const config = optimizer.getConfig();
  for (const [name, expected] of Object.entries(snapshot.config)) {
    const [a, b] = [serializeCanonicalJson(expected), serializeCanonicalJson(config[name] ?? null)];
    if (name !== "learningRate" && a !== b) throw mismatch(`optimizer ${name}`, a, b);
  }
  for (const [, slot] of layout.slots) {
    for (const [stored, owner] of pairSlots(slot, snapshot, variables)) {
      const found = owner === undefined ? "no such variable" : describe(owner.variable);
      if (found !== describe(stored)) throw mismatch(stored.name, describe(stored), found);
    }
  }
}

/**
 * The stored tensors of one slot in the optimizer's order, each with the variable of its name; with the one in its place
 * where the model was built again and its layers were numbered anew.
 */
function pairSlots(
  slot: string,
  snapshot: OptimizerSnapshot,
  variables: readonly OptimizedVariable[],
): readonly (readonly [stored: OptimizerSlot, owner: OptimizedVariable | undefined])[] {
  const stored = snapshot.slots.filter((candidate) => candidate.slot === slot);
  const byName = new Map(variables.map((known) => [known.name, known]));
  const hasSameNames = stored.every(({ variable }) => byName.has(variable));
  return stored.map((array, index) => [array, hasSameNames ? byName.get(array.variable) : variables[index]]);
}

/** Puts a snapshot back into an optimizer that {@link checkOptimizer} has passed; what it held is disposed of. */
export function restoreOptimizer(
  optimizer: tf.Optimizer,
  variables: readonly OptimizedVariable[],
  snapshot: OptimizerSnapshot,
): void {
  const layout = layoutOf(optimizer);
  const open = optimizer as OpenOptimizer;
  for (const [property, slot] of layout.slots) {
    const old = open[property] as readonly SlotVariable[];
    open[property] = pairSlots(slot, snapshot, variables).map(([stored, owner]) => ({
      originalName: `${owner?.variable.name}/${slot}`,
      variable: disposeAfter(toTensor(stored), (tensor) => tf.variable(tensor, false)),
    }));
    tf.dispose(old.map(({ variable }) => variable));
  }
  for (const scalar of snapshot.scalars) {
    disposeAfter(toTensor(scalar), (tensor) => (open[scalar.name] as tf.Variable).assign(tensor));
  }
  open.iterations_ = snapshot.iterations;
  const learningRate = snapshot.config["learningRate"];
  if (typeof learningRate === "number") setLearningRate(optimizer, learningRate);
}

function layoutOf(optimizer: tf.Optimizer): OptimizerLayout {
  const className = optimizer.getClassName();
  const layout = layouts[className];
  if (layout === undefined) {
    throw new CkptError("INVALID_OPTION", {
      option: "optimizer",
      expected: `one of ${Object.keys(layouts).join(", ")}`,
      found: className,
    });
  }
  return layout;
}

function describe({ dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] }): string {
  return `${dtype} [${shape.join(", ")}]`;
}
