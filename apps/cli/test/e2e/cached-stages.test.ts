import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { requireProcess } from "./run-process.js";

const workspace = resolve(import.meta.dirname, "../../../..");
const stages = ["train", "freeze", "evaluate", "rank"] as const;

interface RunSummary {
  readonly tasks: readonly { readonly taskId: string; readonly cache: { readonly status: "HIT" | "MISS" } }[];
}

/** A copy of the checkout, so that a touched file is not the developer's. */
describe("the stages of examples/digits as turbo tasks", () => {
  let copy: string;

  const runRank = async (): Promise<Readonly<Record<string, string | undefined>>> => {
    await rm(join(copy, ".turbo/runs"), { recursive: true, force: true });
    await requireProcess("npx", ["--yes", "pnpm@10.34.9", "exec", "turbo", "run", "rank", "--summarize"], {
      cwd: copy,
      env: { TURBO_TELEMETRY_DISABLED: "1" },
    });
    const [file] = await readdir(join(copy, ".turbo/runs"));
    const summary = JSON.parse(await readFile(join(copy, ".turbo/runs", file ?? ""), "utf8")) as RunSummary;
    return Object.fromEntries(
      stages.map((stage) => [
        stage,
        summary.tasks.find(({ taskId }) => taskId === `example-digits#${stage}`)?.cache.status,
      ]),
    );
  };

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), "ckpt-turbo-"));
    const { stdout } = await requireProcess("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: workspace });
    for (const file of stdout.split("\0").filter((name) => name !== "")) {
      await mkdir(dirname(join(copy, file)), { recursive: true });
      await cp(join(workspace, file), join(copy, file), { verbatimSymlinks: true });
    }
    await requireProcess("npx", ["--yes", "pnpm@10.34.9", "install", "--frozen-lockfile", "--prefer-offline"], {
      cwd: copy,
    });
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  it("runs every stage once, then takes all of them from the cache", async () => {
    expect(await runRank()).toEqual({ train: "MISS", freeze: "MISS", evaluate: "MISS", rank: "MISS" });
    await rm(join(copy, "examples/digits/runs"), { recursive: true });
    expect(await runRank()).toEqual({ train: "HIT", freeze: "HIT", evaluate: "HIT", rank: "HIT" });
    const best = await readFile(join(copy, "examples/digits/runs/dense/best/artifact.json"), "utf8");
    expect(JSON.parse(best)).toMatchObject({ kind: "artifact" });
  });

  it("evaluates and ranks again, but does not train or freeze, when an evaluator option changes", async () => {
    const path = join(copy, "examples/digits/evaluation.ts");
    const text = await readFile(path, "utf8");
    const changed = text.replace('["accuracy", "logLoss"]', '["logLoss", "accuracy"]');
    expect(changed).not.toBe(text);
    await writeFile(path, changed);
    expect(await runRank()).toEqual({ train: "HIT", freeze: "HIT", evaluate: "MISS", rank: "MISS" });
    const ranking = await readFile(join(copy, "examples/digits/runs/dense/ranking.json"), "utf8");
    expect(JSON.parse(ranking)).toMatchObject({ metric: { name: "logLoss", mode: "min" } });
  });
});
