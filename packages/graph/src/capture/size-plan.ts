import { CkptError, type TensorSpec } from "@ckpt/manifest";

/** An open dimension of the inputs, or several that are one size. */
export interface OpenSize {
  /** As it is called in messages. */
  readonly name: string;
  /** Where it stands; axes of the inputs by index. */
  readonly places: readonly { readonly input: number; readonly axis: number }[];
  /** What it is in each trace. */
  readonly traced: readonly number[];
  /** Sizes of the same kind that are not traced. Empty for the batch, whose every size will do. */
  readonly untraced: readonly number[];
}

/** Which sizes the open dimensions of the inputs have in the traces. */
export interface SizePlan {
  readonly open: readonly OpenSize[];
  /** Whether all sizes but the batch are multiples of one number, so that rounding does not show. */
  readonly isAligned: boolean;
  /** Whether several open dimensions are taken to be one size. */
  readonly isTied: boolean;
}

/** One way to choose sizes: of about `smallest * step` and up, multiples of `step` or not. */
interface Scale {
  readonly step: number;
  readonly smallest: number;
  /** How much more than `smallest` the largest untraced size is, in steps. */
  readonly farthest: number;
  readonly isAligned: boolean;
}

// A deep convolutional network needs more than a few pixels, one that joins what it has halved and doubled needs
// multiples, and a table of positions may end after a few steps.
const scales: readonly Scale[] = [
  { step: 1, smallest: 8, farthest: 23, isAligned: false },
  { step: 4, smallest: 5, farthest: 10, isAligned: false },
  { step: 4, smallest: 5, farthest: 10, isAligned: true },
  { step: 32, smallest: 2, farthest: 6, isAligned: false },
  { step: 32, smallest: 3, farthest: 6, isAligned: true },
  { step: 1, smallest: 3, farthest: 7, isAligned: false },
];

/** A batch of 1 would broadcast, and a large one takes long. */
const batchSizes = [2, 3, 4, 3];
/** Where the batch is all that is open, two sizes tell a multiple of it; for the rare rest it takes more. */
const onlyBatchSizes = [
  [2, 3],
  [2, 3, 6, 11],
];

// Not evenly spaced: no order of these is a multiple of another order plus a constant, so that no two sizes are taken for
// each other. Odd and even, so that rounding shows.
const spread = [0, 1, 2, 4];
const orders = listOrders(spread);

function listOrders(values: readonly number[]): readonly (readonly number[])[] {
  if (values.length === 0) return [[]];
  return values.flatMap((value) =>
    listOrders(values.filter((other) => other !== value)).map((rest) => [value].concat(rest)),
  );
}

function toSize({ step, smallest, isAligned }: Scale, distance: number): number {
  // Remainders of every kind: just below a multiple, just above, halfway.
  const remainder = isAligned || step === 1 ? 0 : ([step - 1, 1, step / 2][distance] ?? 0);
  return step * (smallest + distance) + remainder;
}

function chooseSizes(scale: Scale, index: number): Pick<OpenSize, "traced" | "untraced"> {
  // 17 and the number of orders have no common factor. Neighbours then differ in every trace, and so do their sums.
  const order = orders[(17 * index) % orders.length] ?? spread;
  // The largest first, so that the smallest batch gets it.
  const distances = [scale.farthest, 5, 3];
  return {
    traced: order.map((distance) => toSize(scale, distance)),
    untraced: distances.map((_, probe) => toSize(scale, distances[(probe + index) % distances.length] ?? 0)),
  };
}

function nameOf(inputs: readonly TensorSpec[], { places }: Pick<OpenSize, "places">): string {
  return places.map(({ input, axis }) => `dimension ${axis} of input ${inputs[input]?.name}`).join(" and ");
}

// The open places but for the batch, grouped into those that are to be one size.
function groupPlaces(
  inputs: readonly TensorSpec[],
  keyOf: (input: number, axis: number) => string,
): OpenSize["places"][] {
  const groups = new Map<string, { input: number; axis: number }[]>();
  for (const [input, { shape }] of inputs.entries()) {
    for (const [axis, size] of shape.entries()) {
      if (size !== null || axis === 0) continue;
      const key = keyOf(input, axis);
      groups.set(key, [...(groups.get(key) ?? []), { input, axis }]);
    }
  }
  return [...groups.values()];
}

/**
 * The plans to try, in order: each open dimension by itself, then open dimensions of the same axis as one size (two
 * sequences that are added), each with small sizes first. The first open size is the batch, where that is open.
 *
 * @throws {CkptError} UNSUPPORTED_SHAPE where there are more open dimensions than can be told apart.
 */
export function listSizePlans(inputs: readonly TensorSpec[]): readonly SizePlan[] {
  const batchPlaces = inputs.flatMap(({ shape }, input) => (shape[0] === null ? [{ input, axis: 0 }] : []));
  const free = groupPlaces(inputs, (input, axis) => `${input} ${axis}`);
  const tied = groupPlaces(inputs, (_, axis) => String(axis));
  const [crowded] = inputs;
  if (crowded !== undefined && free.length > orders.length) {
    throw new CkptError("UNSUPPORTED_SHAPE", {
      where: `input ${crowded.name}`,
      shape: crowded.shape,
      reason: `the inputs have more than ${orders.length} open dimensions`,
    });
  }
  const openBatch = (traced: readonly number[]): readonly OpenSize[] =>
    batchPlaces.length === 0 ? [] : [{ name: "the batch size", places: batchPlaces, traced, untraced: [] }];
  if (free.length === 0) {
    return onlyBatchSizes.map((traced) => ({ open: openBatch(traced), isAligned: false, isTied: false }));
  }
  return (tied.length < free.length ? [free, tied] : [free]).flatMap((groups) =>
    scales.map((scale) => ({
      isAligned: scale.isAligned,
      isTied: groups === tied,
      open: [
        ...openBatch(batchSizes),
        ...groups.map((places, index) => ({ name: nameOf(inputs, { places }), places, ...chooseSizes(scale, index) })),
      ],
    })),
  );
}

/** The shape of an input with something else in place of each open dimension. */
export function shapeInput<Chosen>(
  { open }: SizePlan,
  spec: TensorSpec,
  input: number,
  choose: (size: OpenSize) => Chosen,
): readonly (number | Chosen)[] {
  return spec.shape.map((size, axis) => {
    if (size !== null) return size;
    const found = open.find(({ places }) => places.some((place) => place.input === input && place.axis === axis));
    if (found === undefined) throw new TypeError("An open dimension is missing in the plan.");
    return choose(found);
  });
}
