import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { TensorValue } from "../src/index.js";

/** A tensor as TensorFlow read it, in the form `fixtures/make.py` stores. */
export interface ExpectedTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}

/** The path of a file or a prefix among the fixtures. */
export const fixture = (path: string): string => join(import.meta.dirname, "fixtures", path);

/** The tensors of a folder of fixtures by key. */
export async function readExpected(folder: string): Promise<Readonly<Record<string, ExpectedTensor>>> {
  return JSON.parse(await readFile(fixture(`${folder}/expected.json`), "utf8")) as Record<string, ExpectedTensor>;
}

/** A tensor in the form the fixtures have. */
export function describeTensor({ dtype, shape, values }: TensorValue): ExpectedTensor {
  return { dtype, shape, values: Array.from<unknown, number | string>(values, describeValue) };
}

function describeValue(value: unknown): number | string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value === "bigint" || !Number.isFinite(value)) return String(value).replace("Infinity", "inf");
  return value as number;
}
