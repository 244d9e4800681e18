import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { describe, expect, it } from "vitest";

import { createTemporaryFolder, damageFile, writeCheckpoint, writeLayersModel } from "../test/folders.js";
import { createDenseModel } from "../test/models.js";
import { loadModel } from "./load-model.js";
import { readSource } from "./read-source.js";

const topology = { class_name: "Sequential" };

async function writeModelJson(content: unknown): Promise<string> {
  const path = join(await createTemporaryFolder(), "model.json");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

describe("readSource", () => {
  it("knows a checkpoint by its manifest", async () => {
    const path = await writeCheckpoint(join(await createTemporaryFolder(), "checkpoint"), createDenseModel(), 12);
    await expect(readSource(path)).resolves.toMatchObject({ kind: "checkpoint", path, step: 12 });
  });

  it("gives a LayersModel another digest when any of its files changes", async () => {
    const path = await writeLayersModel(await createTemporaryFolder(), createDenseModel());
    const digests = new Set([JSON.stringify(await readSource(path))]);
    for (const file of ["group1-shard2of2.bin", "group1-shard1of2.bin"]) {
      await damageFile(join(dirname(path), file));
      digests.add(JSON.stringify(await readSource(path)));
    }
    expect(digests.size).toBe(3);
  });

  it("refuses a LayersModel that was changed between looking and loading", async () => {
    const path = await writeLayersModel(await createTemporaryFolder(), createDenseModel());
    const source = await readSource(path);
    if (source.kind !== "layers-model") throw new TypeError("not a model");
    await damageFile(join(dirname(path), "group1-shard1of2.bin"));
    await expect(loadModel(source)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  it("says what was expected where there is nothing, or a folder of another kind", async () => {
    const folder = await createTemporaryFolder();
    const missing = { code: "MODEL_UNREADABLE", remedy: expect.stringContaining("checkpoint folder") };
    await expect(readSource(join(folder, "none"))).rejects.toMatchObject(missing);
    await mkdir(join(folder, "empty"));
    await expect(readSource(join(folder, "empty"))).rejects.toMatchObject(missing);
  });

  it("does not take a checkpoint that was never committed for a LayersModel", async () => {
    const path = await writeCheckpoint(join(await createTemporaryFolder(), "checkpoint"), createDenseModel(), 12);
    await rm(join(path, "checkpoint.json"));
    await expect(readSource(path)).rejects.toMatchObject({ code: "MODEL_UNREADABLE" });
  });

  it.each([
    ["no JSON", "weights", "not JSON"],
    ["a list", [], "not a JSON object"],
    ["no topology", { weightsManifest: [] }, "no modelTopology"],
    ["no weights", { modelTopology: topology }, "no weightsManifest"],
    ["weights without a shape", badWeights({ name: "a", dtype: "float32" }), "{paths, weights}"],
    ["weights of a negative size", badWeights({ name: "a", dtype: "float32", shape: [-1] }), "{paths, weights}"],
  ])("refuses %s", async (_name, content, reason) => {
    const path = await writeModelJson(content);
    await expect(readSource(path)).rejects.toMatchObject({
      code: "MODEL_UNREADABLE",
      details: { path, reason: expect.stringContaining(reason) },
    });
  });

  it("quotes nothing of a binary file that a terminal would take for a command", async () => {
    const path = join(await createTemporaryFolder(), "frozen.pb");
    await writeFile(path, Uint8Array.of(10, 27, 91, 50, 74, 0xff, 7));
    await expect(readSource(path)).rejects.toMatchObject({
      details: { reason: expect.stringMatching(/^not JSON: \P{Cc}*$/u) },
    });
  });

  it.each([
    ["says so", { format: "graph-model", modelTopology: {}, weightsManifest: [] }],
    ["says nothing but has nodes", { modelTopology: { node: [] }, weightsManifest: [] }],
  ])("knows a GraphModel that %s", async (_name, content) => {
    expect(await readSource(await writeModelJson(content))).toMatchObject({ kind: "graph-model" });
  });

  it.each(["../weights.bin", "/etc/passwd", "a/../../b", "..\\weights.bin"])(
    "refuses the shard path %s",
    async (shard) => {
      const path = await writeModelJson({
        modelTopology: topology,
        weightsManifest: [{ paths: [shard], weights: [] }],
      });
      await expect(readSource(path)).rejects.toMatchObject({ code: "UNSAFE_PATH", details: { named: shard } });
    },
  );

  it("names a shard that is not there", async () => {
    const path = await writeLayersModel(await createTemporaryFolder(), createDenseModel());
    const shard = join(dirname(path), "group1-shard2of2.bin");
    await rm(shard);
    await expect(readSource(path)).rejects.toMatchObject({ code: "FILE_MISSING", details: { path: shard } });
  });
});

describe("loadModel", () => {
  it("refuses a shard that was cut short, with both sizes", async () => {
    const path = await writeLayersModel(await createTemporaryFolder(), createDenseModel());
    await writeFile(join(dirname(path), "group1-shard2of2.bin"), "");
    const source = await readSource(path);
    if (source.kind !== "layers-model") throw new TypeError("not a model");
    await expect(loadModel(source)).rejects.toMatchObject({
      code: "MODEL_UNREADABLE",
      details: { reason: expect.stringMatching(/need 4840 bytes, its shards have 2421/) },
    });
  });
});

function badWeights(spec: object): object {
  return { modelTopology: topology, weightsManifest: [{ paths: [], weights: [spec] }] };
}
