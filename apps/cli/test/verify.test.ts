import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { verifyRun } from "@ckpt/manifest";
import { afterAll, describe, expect, inject, it } from "vitest";

import { createFolder, readTree, removeProjects } from "./project.js";
import { requireCkpt, runCkpt } from "./run-ckpt.js";

const { project } = inject("finished");
const run = join(project, "runs/points");
afterAll(removeProjects);

describe("a run with one byte deleted", () => {
  it("is found to be damaged, and the file named, whichever file and whichever byte it is", async () => {
    const damaged = join(await createFolder(), "points");
    await cp(run, damaged, { recursive: true, verbatimSymlinks: true });
    const files = (await listFiles(damaged)).filter((path) => !path.endsWith(".lock"));
    expect(files.length).toBeGreaterThan(40);
    expect((await verifyRun(damaged)).problems).toEqual([]);
    for (const file of files) {
      const path = join(damaged, file);
      const bytes = await readFile(path);
      const positions = new Set([0, Math.floor(bytes.length / 2), bytes.length - 1]);
      for (const position of positions) {
        await writeFile(path, Buffer.concat([bytes.subarray(0, position), bytes.subarray(position + 1)]));
        const { problems } = await verifyRun(damaged);
        const messages = problems.map(({ message }) => message);
        expect(
          messages.some((message) => message.includes(file)),
          `${file} at ${position}: ${messages.join()}`,
        ).toBe(true);
      }
      await writeFile(path, bytes);
    }
    expect((await verifyRun(damaged)).problems).toEqual([]);
  });

  it("is found too when a whole file or the link to the pick is gone", async () => {
    const damaged = join(await createFolder(), "points");
    await cp(run, damaged, { recursive: true, verbatimSymlinks: true });
    await rm(join(damaged, "history.jsonl"));
    await rm(join(damaged, "best"));
    const [checkpoint = ""] = await readdir(join(damaged, "checkpoints"));
    await rm(join(damaged, "checkpoints", checkpoint, "weights.bin"));
    const { problems } = await verifyRun(damaged);
    expect(problems.map(({ code }) => code).toSorted()).toEqual(["FILE_MISSING", "FILE_MISSING", "LINK_MISMATCH"]);
  });
});

describe("ckpt verify", () => {
  it("says that every file of a run is as it was written", async () => {
    const { stdout } = await requireCkpt(["verify", "runs/points"], { cwd: project });
    const count = Object.keys(await readTree(run)).filter((path) => !path.endsWith(".lock")).length;
    expect(stdout).toBe(`runs/points: ${count} files, all as they were written\n`);
  });

  it("ends with 3 and names each damaged file, as text and as JSON", async () => {
    const other = await createFolder();
    await cp(run, join(other, "points"), { recursive: true, verbatimSymlinks: true });
    const [checkpoint = ""] = await readdir(join(other, "points/checkpoints"));
    const weights = join("points/checkpoints", checkpoint, "weights.bin");
    await writeFile(join(other, weights), (await readFile(join(other, weights))).subarray(1));
    const manifest = "points/best/artifact.json";
    await writeFile(join(other, manifest), (await readFile(join(other, manifest))).subarray(0, -1));

    const text = await runCkpt(["verify", "points"], { cwd: other });
    expect(text.code).toBe(3);
    expect(text.stdout).toContain(`SIZE_MISMATCH ${weights}: expected`);
    expect(text.stdout).toMatch(/MANIFEST_INVALID points\/artifacts\/step-\d{8}\/artifact\.json: /);
    expect(text.stdout).toMatch(/2 problem\(s\)\n$/);
    // From above, all runs in the folder; one document even though the command fails.
    const json = await runCkpt(["verify", ".", "--json"], { cwd: other });
    expect(json.code).toBe(3);
    const { problems } = JSON.parse(json.stdout) as { readonly problems: readonly { readonly code: string }[] };
    expect(problems.map(({ code }) => code)).toEqual(["SIZE_MISMATCH", "MANIFEST_INVALID"]);
  });

  it("checks one artifact through the link to it", async () => {
    const { stdout } = await requireCkpt(["verify", "runs/points/best"], { cwd: project });
    expect(stdout).toBe("runs/points/best: 6 files, all as they were written\n");
  });
});

async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
