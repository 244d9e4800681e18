import { describe, expect, it } from "vitest";

import { describeTensor, fixture, readExpected } from "../test/expected-tensors.js";
import { objectGraphKey } from "./object-graph.js";
import { openBundle } from "./open-bundle.js";

const cases = [
  ["dtypes", "all", "bundle"],
  ["small", "small", "bundle"],
  ["slices", "slices", "bundle"],
  ["sharded", "model.ckpt-10", "bundle"],
  ["partitioned", "model.ckpt-10", "bundle"],
  ["renamed", "model.ckpt-10", "bundle"],
  ["several", "-mlp3-40000", "bundle"],
  ["objects", "ckpt-3", "bundle"],
  ["v1", "model.ckpt-10", "table"],
  ["v1-sharded", "model.ckpt-10-?????-of-00002", "table"],
] as const;

describe("openBundle", () => {
  it.each(cases)("reads what TensorFlow wrote: %s", async (folder, name, format) => {
    const expected = await readExpected(folder);
    const bundle = await openBundle(fixture(`${folder}/${name}`));
    expect(bundle.format).toBe(format);
    const keys = [...bundle.entries.keys()].filter((key) => key !== objectGraphKey);
    expect(keys).toEqual(Object.keys(expected));
    for (const key of keys) {
      const value = await bundle.read(key);
      expect({ key, ...describeTensor(value) }).toEqual({ key, ...expected[key] });
      expect(bundle.entries.get(key)).toEqual({ dtype: value.dtype, shape: value.shape });
    }
    await bundle.close();
  });
});
