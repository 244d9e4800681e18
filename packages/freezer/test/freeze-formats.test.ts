import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { parseGraphDefText, serializeGraphDef } from "@ckpt/graph";
import type { QuantizeRule } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { afterEach, beforeAll, describe, expect, it } from "vitest";

import { freeze, type FreezeOptions } from "../src/index.js";
import { createTemporaryFolder, describeFolder, writeCheckpoint, writeLayersModel } from "./folders.js";
import { createConvModel, createDenseModel } from "./models.js";

beforeAll(() => tf.setBackend("cpu"));
afterEach(() => tf.disposeVariables());

const u8: readonly QuantizeRule[] = [{ as: "u8", weights: "*" }];

/** Options to freeze the same checkpoint again and again. */
async function prepare(model: tf.LayersModel): Promise<FreezeOptions> {
  const folder = await createTemporaryFolder();
  const source = await writeCheckpoint(join(folder, "checkpoint"), model, 120);
  return { source, out: join(folder, "artifact") };
}

describe("a quantized artifact", () => {
  it("has a smaller GraphModel that is held to its own tolerance, and the other formats as they always are", async () => {
    const options = await prepare(createDenseModel());
    const { manifest, path } = await freeze({ ...options, quantize: u8 });
    expect(manifest).toMatchObject({ tolerance: 1e-5, quantization: { rules: u8, tolerance: 0.1 } });
    const errors = Object.fromEntries(manifest.parity.map((record) => [record.format, record.maxAbsoluteError]));
    expect(errors["graph-model"]).toBeGreaterThan(1e-4);
    expect(errors["graph-model"]).toBeLessThan(0.05);
    expect(Math.max(errors["graph-def"] ?? 1, errors["saved-model"] ?? 1, errors["onnx"] ?? 1)).toBeLessThan(1e-5);
    // A byte a weight, and the four of the shape that a Reshape takes.
    const weights = await readFile(join(path, "graph-model/group1-shard1of1.bin"));
    expect(weights.byteLength).toBeLessThan((64 * 16 + 16 * 10 + 26) * 1.1);
  });

  it("is not kept when it is off by more than the tolerance given", async () => {
    const options = await prepare(createDenseModel());
    await expect(freeze({ ...options, quantize: u8, tolerance: 1e-4 })).rejects.toMatchObject({
      code: "PARITY_FAILED",
      details: { format: "graph-model", tolerance: 1e-4 },
    });
    const { manifest } = await freeze({ ...options, quantize: [{ as: "u16", weights: "*" }], tolerance: 1e-4 });
    expect(manifest).toMatchObject({ tolerance: 1e-4, quantization: { tolerance: 1e-4 } });
  });

  it("is made again when its weights are to be stored otherwise, and left as it is otherwise", async () => {
    const options = await prepare(createDenseModel());
    const freezeAs = async (quantize: readonly QuantizeRule[]): Promise<boolean> =>
      (await freeze({ ...options, quantize })).isReused;
    expect(await freezeAs(u8)).toBe(false);
    expect(await freezeAs(u8)).toBe(true);
    expect(await freezeAs([...u8, { as: "none", weights: "hidden/*" }])).toBe(false);
    expect(await freezeAs([])).toBe(false);
    expect(await freezeAs([])).toBe(true);
    expect(await freezeAs(u8)).toBe(false);
  });

  it("is refused without a GraphModel, and for a pattern that no weight has", async () => {
    const options = await prepare(createDenseModel());
    await expect(freeze({ ...options, quantize: u8, formats: ["onnx"] })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "quantize", found: "onnx" },
    });
    const error = await freeze({ ...options, quantize: [{ as: "u8", weights: "hiden/*" }] }).catch((error) => error);
    expect(error).toMatchObject({ code: "INVALID_OPTION", details: { option: "quantize", found: "hiden/*" } });
    expect(error.message).toContain("hidden/kernel, hidden/bias, classes/kernel, classes/bias");
  });
});

describe("the text form of the GraphDef", () => {
  it("is written when asked for, verified, and the same graph as the binary one", async () => {
    const options = await prepare(createConvModel());
    const { manifest, path } = await freeze({ ...options, formats: ["graph-def-text", "graph-def"] });
    expect(manifest.formats).toEqual(["graph-def", "graph-def-text"]);
    expect(manifest.parity.map(({ format, engine }) => `${format} ${engine}`)).toContain("graph-def-text tfjs");
    const text = await readFile(join(path, "frozen.pbtxt"));
    expect(text.toString()).toMatch(/^node \{\n {2}name: "conv_input"\n {2}op: "Placeholder"\n/);
    expect(serializeGraphDef(parseGraphDefText(text))).toEqual(new Uint8Array(await readFile(join(path, "frozen.pb"))));
  });
});

describe("two processes", () => {
  it("write the same bytes from the same model, in every format", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeLayersModel(join(folder, "model"), createConvModel());
    const outs = ["first", "second"].map((name) => join(folder, name));
    await Promise.all(outs.map((out) => freezeInProcess(source, out)));
    const [first, second] = await Promise.all(outs.map((out) => describeFolder(out)));
    expect(Object.keys(first ?? {})).toContain("frozen.pbtxt");
    expect(first).toEqual(second);
  });
});

async function freezeInProcess(source: string, out: string): Promise<void> {
  const script = `
    import { freeze } from "@ckpt/freezer";
    import * as tf from "@tensorflow/tfjs";
    await tf.setBackend("cpu");
    await freeze({
      source: ${JSON.stringify(source)},
      out: ${JSON.stringify(out)},
      formats: ["graph-model", "graph-def", "saved-model", "onnx", "graph-def-text"],
      quantize: [{ as: "u16", weights: "*kernel" }],
    });`;
  const loader = join(import.meta.dirname, "../../../scripts/register-typescript.mjs");
  const given = ["--conditions=@ckpt/source", "--import", loader, "--input-type=module", "--eval", script];
  const child = spawn(process.execPath, given, { cwd: import.meta.dirname, stdio: ["ignore", "ignore", "pipe"] });
  let printed = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(printed);
}
