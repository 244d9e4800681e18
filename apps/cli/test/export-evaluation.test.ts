import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { loadDataset } from "@ckpt/dataset";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyProject, removeProjects } from "./project.js";
import { requireCkpt, runCkpt } from "./run-ckpt.js";

let project: string;
beforeAll(async () => {
  project = await copyProject(inject("finished").project);
});
afterAll(removeProjects);

const exported = (...given: readonly string[]) => requireCkpt(["export", "runs/points", ...given], { cwd: project });

describe("ckpt export of an evaluation", () => {
  it("writes predictions as CSV and as Parquet, each value as it is stored", async () => {
    await exported("--to", "predictions", "--out", "a.csv");
    await exported("--to", "predictions", "--out", "a.parquet");
    const lines = (await readFile(join(project, "a.csv"), "utf8")).trimEnd().split("\n");
    expect(lines[0]).toMatch(/^row,label,\S+\.red,\S+\.green,\S+\.blue$/);
    const evaluations = await readdir(join(project, "runs/points/evaluations"));
    const evaluation = evaluations.find((name) => name.includes(".test.")) ?? "";
    const bytes = await readFile(join(project, "runs/points/evaluations", evaluation, "predictions.bin"));
    const stored = [...new Float32Array(Uint8Array.from(bytes).buffer)];
    const rows = lines.slice(1).map((line) => line.split(","));
    expect(rows.map(([row]) => Number(row))).toEqual(rows.map((_, index) => index));
    expect(rows.flatMap((row) => row.slice(2).map((value) => Math.fround(Number(value))))).toEqual(stored);
    expect(new Set(rows.map(([, label]) => label))).toEqual(new Set(["red", "green", "blue"]));

    const [split] = await loadDataset({
      files: [{ path: join(project, "a.parquet"), fractions: { test: 1 } }],
      inputs: { x: { columns: /\./ } },
      label: { column: "label", classes: ["red", "green", "blue"] },
    });
    const { inputs } = await split!.read(0, rows.length);
    expect([...inputs["x"]!.data]).toEqual(stored);
    expect((await readdir(project)).filter((name) => name.startsWith("a."))).toEqual(["a.csv", "a.parquet"]);
    for (const out of ["a.csv", "a.parquet"]) {
      const again = await runCkpt(["export", "runs/points", "--to", "predictions", "--out", out], { cwd: project });
      expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("TARGET_EXISTS")]);
    }
  });

  it("writes evaluation results for the Hub, with the interval in the notes", async () => {
    await exported("--to", "eval-results", "--dataset", "org/points", "--out", "eval_results.yaml");
    const text = await readFile(join(project, "eval_results.yaml"), "utf8");
    expect(text).toMatch(
      /^- dataset:\n {4}id: "org\/points"\n {4}task_id: "accuracy"\n {2}value: [01]\.\d+\n {2}notes: "95 % interval \[.*\], \d+ rows of split test, sha256 [0-9a-f]{64}"\n- /,
    );
    const none = await runCkpt(["export", "runs/points", "--to", "eval-results", "--out", "x"], { cwd: project });
    expect(none.code).toBe(2);
  });

  it("writes a Test Result statement over every file of the artifact", async () => {
    await writeFile(join(project, "g.json"), JSON.stringify({ requirements: ["accuracy>=0.3", "bytes<=1B"] }));
    await exported("--to", "in-toto", "--gate", "g.json", "--out", "result.json");
    const statement = JSON.parse(await readFile(join(project, "result.json"), "utf8")) as {
      readonly subject: readonly { readonly name: string }[];
    };
    expect(statement).toMatchObject({
      _type: "https://in-toto.io/Statement/v1",
      predicateType: "https://in-toto.io/attestation/test-result/v0.1",
      predicate: { result: "FAILED", passedTests: ["accuracy>=0.3"], warnedTests: [], failedTests: ["bytes<=1B"] },
    });
    expect(statement.subject.map(({ name }) => name.split("/").slice(1).join("/"))).toContain("model.onnx");

    await writeFile(join(project, "g.json"), JSON.stringify({ requirements: ["accuracy>=0.3"], split: "select" }));
    await exported("--to", "in-toto", "--gate", "g.json", "--out", "select.json");
    expect(JSON.parse(await readFile(join(project, "select.json"), "utf8"))).toMatchObject({
      predicate: { configuration: [{ name: "gate" }, { name: "split select" }] },
    });
  });
});
