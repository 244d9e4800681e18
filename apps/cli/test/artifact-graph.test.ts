import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyProject, removeProjects } from "./project.js";
import { requireCkpt, runCkpt } from "./run-ckpt.js";

let project: string;
let artifacts: readonly string[];

beforeAll(async () => {
  project = await copyProject(inject("finished").project);
  artifacts = (await readdir(join(project, "runs/points/artifacts"))).map((name) => `runs/points/artifacts/${name}`);
});
afterAll(removeProjects);

describe("ckpt show --graph", () => {
  it("draws an artifact into a file, the same bytes each time", async () => {
    const { stdout, stderr } = await requireCkpt(["show", "runs/points/best", "--graph", "a.svg"], { cwd: project });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^artifact +runs\/points\/best\n/);
    expect(stdout).toMatch(/\ngraph written to a\.svg\n$/);
    await requireCkpt(["show", "runs/points/best", "--graph", "b.svg"], { cwd: project });
    const [first, second] = await Promise.all(["a.svg", "b.svg"].map((name) => readFile(join(project, name), "utf8")));
    expect(first).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
    expect(first).toContain(">MatMul</text>");
    expect(first).not.toContain("Const");
    expect(second).toBe(first);
  });

  it("prints Mermaid alone, or in the JSON document", async () => {
    const { stdout } = await requireCkpt(["show", "runs/points/best", "--graph", "mermaid"], { cwd: project });
    expect(stdout).toMatch(/^flowchart TD\n {2}node0\(\["\S+<br>input"\]\)\n/);
    const { stdout: json } = await requireCkpt(["show", "runs/points/best", "--graph", "mermaid", "--json"], {
      cwd: project,
    });
    expect(JSON.parse(json)).toMatchObject({ command: "show", graph: { format: "graph-def", text: stdout } });
  });

  it.each([
    ["runs/points/best", "graph.png"],
    ["runs/points", "graph.svg"],
  ])("refuses %s as %s", async (path, target) => {
    const { code, stderr } = await runCkpt(["show", path, "--graph", target], { cwd: project });
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("error INVALID_OPTION: --graph"),
    });
  });
});

describe("ckpt freeze --quantize", () => {
  it.each([
    ["u4", "expected one of u16, f16, u8, none, alone or with =PATTERN behind it, found u4"],
    ["u8=hiden/*", "expected a pattern of weight names (dense_Dense1/kernel, "],
  ])("refuses %s and says what it takes", async (rule, message) => {
    const checkpoint = artifacts[0]?.replace("artifacts", "checkpoints") ?? "";
    const given = ["freeze", checkpoint, "--out", "refused", "--quantize", rule];
    const { code, stderr } = await runCkpt(given, { cwd: project });
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    expect(await readdir(project)).not.toContain("refused");
  });
});

describe("ckpt diff", () => {
  it("says which weights of two checkpoints differ and by how much, and nothing of what is equal", async () => {
    const [first = "", second = ""] = artifacts;
    const { stdout } = await requireCkpt(["diff", first, second], { cwd: project });
    expect(stdout).toMatch(/^source +checkpoint of step \d+, [0-9a-f]{12} +checkpoint of step \d+, [0-9a-f]{12}$/m);
    expect(stdout).toMatch(/^weights: (\d+) of (\d+) differ, read from graph-def$/m);
    expect(stdout).toMatch(/^\S+\/kernel +\[2, \d+\] +\d\.\de[+-]\d+ +\d\.\de[+-]\d+$/m);
    expect(stdout).not.toMatch(/^(?:operation|parameters|flops|input|output|node|tolerance)/m);
    const { stdout: json } = await requireCkpt(["diff", first, second, "--json"], { cwd: project });
    const { graph, ...rest } = JSON.parse(json) as {
      readonly graph: { readonly weights: readonly Readonly<Record<string, number>>[] };
    };
    expect(rest).toMatchObject({ command: "diff", isSame: false, paths: [first, second] });
    for (const { maxAbsoluteDifference = 0, rmsDifference = 0 } of graph.weights) {
      expect(rmsDifference).toBeGreaterThan(0);
      expect(rmsDifference).toBeLessThanOrEqual(maxAbsoluteDifference);
    }
  });

  it("tells one that is quantized and has other formats from the other of the same checkpoint", async () => {
    const [first = ""] = artifacts;
    const checkpoint = first.replace("artifacts", "checkpoints");
    const given = ["freeze", checkpoint, "--out", "small", "--formats", "graph-model", "--quantize", "u8=*/kernel"];
    await requireCkpt([...given, "--max-unrolled-steps", "9"], { cwd: project });
    const { stdout } = await requireCkpt(["diff", first, "small"], { cwd: project });
    expect(stdout).not.toMatch(/^source/m);
    expect(stdout).toMatch(/^size onnx +\d\S+ k?B +-$/m);
    expect(stdout).toMatch(/^unrolled up to +- +9$/m);
    expect(stdout).toMatch(/^quantized +- +u8 \*\/kernel$/m);
    expect(stdout).toMatch(/^parity graph-model \S+ +\S+ +\S+$/m);
    expect(stdout).toMatch(/differ, read from graph-model$/m);
    expect(stdout).not.toMatch(/^\S+\/bias/m);
    expect((await requireCkpt(["show", "small"], { cwd: project })).stdout).toMatch(/^quantized +u8 \*\/kernel$/m);
  });

  it("finds nothing between an artifact and its copy", async () => {
    await cp(join(project, artifacts[0] ?? ""), join(project, "copy"), { recursive: true });
    const { stdout } = await requireCkpt(["diff", artifacts[0] ?? "", "copy"], { cwd: project });
    expect(stdout).toBe("the same artifact\n");
  });

  it("does not compare what is damaged, no artifact, or not there", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ckpt-diff-"));
    await cp(join(project, artifacts[0] ?? ""), folder, { recursive: true });
    await writeFile(join(folder, "frozen.pb"), "damaged");
    const compare = async (other: string): Promise<string> => {
      const { code, stderr } = await runCkpt(["diff", artifacts[1] ?? "", other], { cwd: project });
      return `${code} ${stderr.split("\n", 1).join()}`;
    };
    expect(await compare(folder)).toMatch(/^3 error SIZE_MISMATCH: .*frozen\.pb: /);
    const checkpoint = (artifacts[0] ?? "").replace("artifacts", "checkpoints");
    expect(await compare(checkpoint)).toBe(
      "2 error INVALID_OPTION: diff: expected two artifacts, such as runs/dense/artifacts/step-00000120, or two runs, " +
        `found checkpoint: ${checkpoint}`,
    );
    expect(await compare("nowhere")).toBe("3 error ARTIFACT_NOT_FOUND: nowhere: no artifact there");
    await rm(folder, { recursive: true });
  });
});
