import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyProject, removeProjects } from "../project.js";
import { requireCkpt, runCkpt } from "../run-ckpt.js";

let project: string;

beforeAll(async () => {
  project = await copyProject(inject("finished").project);
});
afterAll(removeProjects);

interface Evaluated {
  readonly latencies: readonly {
    readonly artifacts: readonly string[];
    readonly p95Ms: number;
    readonly loadMs: number;
  }[];
  readonly candidates: readonly { readonly id: string; readonly status: string }[];
}

describe("a bound on time", () => {
  it("is measured where it is asked for", async () => {
    const { stdout } = await requireCkpt(["evaluate", "runs/points/best", "--latency", "--json"], { cwd: project });
    expect((JSON.parse(stdout) as Evaluated).latencies).toHaveLength(1);
  });

  it("is measured by evaluate, once for each architecture, and then counts for rank and gate", async () => {
    const unmeasured = await runCkpt(["rank", "runs/points", "--constraint", "p95<=10s"], { cwd: project });
    expect(unmeasured.stdout).toContain("p95<=10s: there is no p95");

    const evaluate = ["evaluate", "runs/points", "--constraint", "p95<=10s", "--json"];
    const { stdout, stderr } = await requireCkpt(evaluate, { cwd: project });
    const { latencies, candidates } = JSON.parse(stdout) as Evaluated;
    expect(latencies).toHaveLength(1);
    expect(latencies[0]?.artifacts.toSorted()).toEqual(candidates.map(({ id }) => id).toSorted());
    expect(latencies[0]?.p95Ms).toBeGreaterThan(0);
    expect(candidates.every(({ status }) => status !== "excluded")).toBe(true);
    expect(stderr).toMatch(
      /latency +\S+ and \d+ of the same architecture +p50 .* ms, p95 .* ms, p99 .* ms, load .* ms, rss /,
    );

    const gate = await runCkpt(["gate", "runs/points", "--require", "p95<=10s", "--require", "rss>=1MB"], {
      cwd: project,
    });
    expect(gate.code).toBe(0);
    const refused = await runCkpt(["rank", "runs/points", "--constraint", "p99<=0.0001us"], { cwd: project });
    expect(refused.stdout).toMatch(/p99<=0\.0001us: it is [\d.]+ ms/);
  });
});
