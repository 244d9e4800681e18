import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyProject, removeProjects } from "./project.js";
import { type Outcome, runCkpt } from "./run-ckpt.js";

let project: string;
let pick: string;
let others: readonly string[];

beforeAll(async () => {
  project = await copyProject(inject("finished").project);
  const ranking = JSON.parse(await readFile(join(project, "runs/points/ranking.json"), "utf8")) as {
    readonly candidates: readonly { readonly id: string }[];
  };
  [pick = "", ...others] = ranking.candidates.map(({ id }) => id);
});
afterAll(removeProjects);

const gate = (...given: readonly string[]): Promise<Outcome> =>
  runCkpt(["gate", "runs/points", ...given], { cwd: project, env: { GITHUB_STEP_SUMMARY: "" } });

const promote = (target: string): Promise<Outcome> =>
  runCkpt(["promote", target, "--alias", "champion"], { cwd: project });

describe("ckpt gate", () => {
  it("ends with 0 for a pass, 1 for a fail and 5 where the rows cannot tell", async () => {
    const passed = await gate("--require", "accuracy>=0.3", "--require", "bytes<=2MB");
    expect(passed.code).toBe(0);
    expect(passed.stdout).toMatch(/^requirement +found +interval +verdict\naccuracy>=0\.3 .*\] +✔ pass\nbytes<=2MB /);
    expect(passed.stdout).toMatch(
      new RegExp(`\\ngate pass for runs/points/artifacts/${pick} on split test, \\d+ rows\\n$`),
    );
    const failed = await gate("--require", "accuracy<=0.3", "--json");
    expect(failed.code).toBe(1);
    const document = JSON.parse(failed.stdout) as { readonly judgements: readonly object[] };
    expect(document).toMatchObject({ command: "gate", verdict: "fail", split: { name: "test" } });
    const { found } = document.judgements[0] as { readonly found: { readonly value: number } };
    const open = await gate("--require", `accuracy>=${found.value - 0.01}`);
    expect(open.code).toBe(5);
    expect(open.stdout).toMatch(/\? inconclusive: about [\d,]+ more rows would decide/);
  });

  it("has one document on standard output", async () => {
    const { code, stderr } = await gate("--require", "accuracy>=0.3", "--reporter", "junit", "--json");
    expect([code, stderr]).toEqual([2, expect.stringContaining("--reporter")]);
  });

  it("fails closed: nothing asked or a wrong metric is 2, no predictions 3, an unknown class 1", async () => {
    const outcomes = await Promise.all([
      gate(),
      gate("--require", "acuracy>=0.3"),
      gate("--require", "accuracy>=0.3", "--split", "validation"),
      gate("--require", "recall[class=purple]>=0.1"),
      gate("--require", "accuracy>=0.3", "--champion", "champion"),
    ]);
    expect(outcomes.map(({ code }) => code)).toEqual([2, 2, 3, 1, 2]);
    expect(outcomes[4]?.stderr).toContain("there is none, found champion");
  });

  it("takes what is asked from a file, and reports to others", async () => {
    await writeFile(join(project, "gate.json"), JSON.stringify({ requirements: ["accuracy>=0.3"], minRows: 100_000 }));
    await writeFile(join(project, "summary.md"), "before\n");
    const { code, stdout } = await runCkpt(
      [
        "gate",
        "runs/points",
        "--gate",
        "gate.json",
        "--reporter",
        "junit",
        "--reporter",
        "json=gate.out.json",
        "--reporter",
        "github",
      ],
      { cwd: project, env: { GITHUB_STEP_SUMMARY: join(project, "summary.md") } },
    );
    expect(code).toBe(1);
    expect(stdout).toContain(`<testsuites tests="2" failures="1">`);
    expect(stdout).toMatch(
      /name="rows&gt;=100000">\n +<failure type="fail" message="\d+\.0000 on split test: there are \d+"\/>/,
    );
    expect(JSON.parse(await readFile(join(project, "gate.out.json"), "utf8"))).toMatchObject({ verdict: "fail" });
    const summary = await readFile(join(project, "summary.md"), "utf8");
    expect(summary).toMatch(/^before\n### Gate: ✖ fail\n\n/);
    expect(summary).toMatch(/\n\| accuracy>=0\.3 \| 0\.\d{4} \[.*\] \| ✔ pass \|\n/);
    await writeFile(join(project, "gate.json"), JSON.stringify({ requirement: ["accuracy>=0.3"] }));
    expect((await gate("--gate", "gate.json")).code).toBe(2);
    expect((await gate("--require", "accuracy>=0.3", "--reporter", "github")).code).toBe(2);
    expect((await gate("--require", "accuracy>=0.3", "--reporter", "junit", "--reporter", "json")).code).toBe(2);
  });
});

describe("ckpt promote", () => {
  it("gives an alias that ls shows and a gate compares with", async () => {
    expect((await promote("runs/points")).stdout).toBe(`runs/points/artifacts/${pick}: is now champion\n`);
    expect((await promote("runs/points")).stdout).toBe(`runs/points/artifacts/${pick}: is already champion\n`);
    const listed = await runCkpt(["ls", "runs/points"], { cwd: project });
    expect(listed.stdout).toMatch(new RegExp(`\\n${pick} .* champion +graph-model`));
    const same = await gate("--champion", "champion", "--margin", "0.01");
    expect(same.code).toBe(0);
    expect(same.stdout).toMatch(/accuracy non-inferior to the champion, margin 0\.01 +0\.0000 .* ✔ pass/);
    expect((await gate("--champion", "champion", "--mode", "superior")).code).toBe(1);

    const other = `runs/points/artifacts/${others[0]}`;
    expect((await promote(other)).code).toBe(0);
    // It was not scored on the rows that the pick was.
    expect((await gate("--champion", "champion")).code).toBe(3);
    const log = (await readFile(join(project, "runs/aliases.jsonl"), "utf8")).trimEnd().split("\n");
    expect(log.map((line) => (JSON.parse(line) as { artifact: { id: string } }).artifact.id)).toEqual([
      pick,
      others[0],
    ]);
  });

  it("takes only what was ranked", async () => {
    const average = await runCkpt(["average", "runs/points", "--last", "2", "--json"], { cwd: project });
    const { path } = JSON.parse(average.stdout) as { readonly path: string };
    await runCkpt(["freeze", path, "--formats", "onnx"], { cwd: project });
    const { code, stderr } = await promote(path.replace("checkpoints", "artifacts"));
    expect(code).toBe(2);
    expect(stderr).toContain("an artifact that runs/points ranks, found one that is not in the ranking");
  });
});
