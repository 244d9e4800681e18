import type { GraphVariable, WeightData } from "@ckpt/graph";
import { CkptError } from "@ckpt/manifest";
import { type CheckpointReader, readTrackedTensors } from "@ckpt/tensor-bundle";

import { cutBlock, narrowValues } from "./narrow-values.js";

/** How the values of variables are chosen. */
export interface ReadVariablesOptions {
  /** Takes `<name>/ExponentialMovingAverage` where there is one. */
  readonly isAveraged: boolean;
}

/** What the shadow of a variable is called after it. Reference: `tf.train.ExponentialMovingAverage`. */
const averageSuffix = "/ExponentialMovingAverage";

/** TensorFlow's numbers of the element types of variables. Reference: types.proto. */
const dtypesByNumber: Readonly<Record<number, WeightData["dtype"]>> = { 1: "float32", 3: "int32", 10: "bool" };

/**
 * Reads the values of variables from a checkpoint, by the names of their nodes; floats and integers of other sizes become
 * float32 and int32. A variable of an object-based checkpoint goes by its own name or its path.
 *
 * @throws {CkptError} WEIGHTS_MISMATCH for one that is not there or has another dtype or shape; INVALID_OPTION when
 *   averages are asked for and there are none; UNSUPPORTED_DTYPE; BUNDLE_INVALID; FILE_SYSTEM.
 */
export async function readVariables(
  reader: CheckpointReader,
  variables: readonly GraphVariable[],
  { isAveraged }: ReadVariablesOptions,
): Promise<ReadonlyMap<string, WeightData>> {
  const averaged = variables.filter(({ key }) => reader.entries.has(`${key}${averageSuffix}`));
  if (isAveraged && averaged.length === 0) {
    const expected = `a checkpoint with moving averages, VARIABLE${averageSuffix}`;
    throw new CkptError("INVALID_OPTION", { option: "--averages", expected, found: reader.prefix });
  }
  const findKey = await createKeyFinder(reader, variables);
  const values = new Map<string, WeightData>();
  // Parts of one variable come out of the same tensor.
  const whole = new Map<string, WeightData>();
  for (const variable of variables) {
    const average = `${variable.key}${averageSuffix}`;
    const key = isAveraged && reader.entries.has(average) ? average : findKey(variable);
    const where = `${reader.prefix}: variable ${key}`;
    const tensor = whole.get(key) ?? narrowValues(await reader.read(key), where);
    if (variable.slice !== undefined) whole.set(key, tensor);
    values.set(variable.node, takeVariable(variable, tensor, reader.prefix));
  }
  return values;
}

/** Finds the name in the checkpoint of each variable, or fails for the first that has none. */
async function createKeyFinder(
  reader: CheckpointReader,
  variables: readonly GraphVariable[],
): Promise<(variable: GraphVariable) => string> {
  const isComplete = variables.every(({ key }) => reader.entries.has(key));
  const tracked = isComplete ? [] : ((await readTrackedTensors(reader)) ?? []);
  return (variable) => {
    if (reader.entries.has(variable.key)) return variable.key;
    const named = tracked.filter(({ fullName }) => fullName === variable.key);
    const found = named.length > 0 ? named : tracked.filter(({ path }) => path === variable.key);
    const [only] = found;
    if (only !== undefined && found.length === 1) return only.key;
    throw mismatch(reader.prefix, variable, found.length === 0 ? "nothing" : `${found.length} of that name`);
  };
}

/** The variable's own part of a tensor, if it is what the graph declares. */
function takeVariable(variable: GraphVariable, tensor: WeightData, path: string): WeightData {
  const { slice } = variable;
  const found = describe(tensor.dtype, tensor.shape);
  if (slice !== undefined && !isShape(tensor.shape, slice.fullShape)) throw mismatch(path, variable, found);
  const own = slice === undefined ? tensor : cutBlock(tensor, slice.starts, slice.sizes);
  if (own.dtype !== dtypesByNumber[variable.dtype] || !isShape(own.shape, variable.shape)) {
    throw mismatch(path, variable, found);
  }
  return own;
}

function isShape(found: readonly number[], expected: readonly (number | null)[] | undefined): boolean {
  if (expected === undefined) return true;
  return found.length === expected.length && expected.every((size, axis) => size === null || size === found[axis]);
}

function mismatch(path: string, { key, dtype, shape, slice }: GraphVariable, found: string): CkptError {
  const expected = describe(dtypesByNumber[dtype] ?? `DT_${dtype}`, slice?.fullShape ?? shape);
  return new CkptError("WEIGHTS_MISMATCH", { path, weight: key, expected, found });
}

function describe(dtype: string, shape: readonly (number | null)[] | undefined): string {
  return shape === undefined ? dtype : `${dtype} [${shape.map((size) => size ?? "?").join(", ")}]`;
}
