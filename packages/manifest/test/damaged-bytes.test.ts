import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { describe, expect, it } from "vitest";

import {
  artifactManifestType,
  artifactPath,
  checkpointPath,
  type CkptError,
  digestBytes,
  isCkptError,
  parseDocument,
  parseHistory,
  type RankingManifest,
  readDocument,
  runLayout,
  scoringPath,
  serializeDocument,
  serializeHistoryRecord,
  serializeTimingRecord,
  stageFolder,
  verifyRun,
} from "../src/index.js";
import { decodeText } from "../src/read-text.js";
import { documentTypes, history, kinds, samples } from "./samples.js";
import { useTemporaryFolder } from "./temporary-folder.js";

const makeFolder = useTemporaryFolder();

const damages: Readonly<Record<string, (bytes: Buffer, at: number) => Buffer>> = {
  "deleted byte": (bytes, at) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
  "doubled byte": (bytes, at) => Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at)]),
  "inverted byte": (bytes, at) => withByte(bytes, at, (bytes[at] ?? 0) ^ 0xff),
  "flipped bit": (bytes, at) => withByte(bytes, at, (bytes[at] ?? 0) ^ (1 << (at % 8))),
  "changed case": (bytes, at) => withByte(bytes, at, (bytes[at] ?? 0) ^ 0x20),
};

function withByte(bytes: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = byte;
  return copy;
}

/** The offsets at which the damage is not found. */
function findUnnoticed(
  whole: Buffer,
  damage: (bytes: Buffer, at: number) => Buffer,
  parse: (text: string, path: string) => unknown,
): readonly number[] {
  const isAccepted = (bytes: Buffer): boolean => {
    try {
      parse(decodeText(bytes, "x"), "x");
      return true;
    } catch (error) {
      if (isCkptError(error, "MANIFEST_INVALID")) return false;
      throw error;
    }
  };
  expect(isAccepted(whole)).toBe(true);
  return Array.from(whole.keys()).filter((at) => isAccepted(damage(whole, at)));
}

describe.each(Object.entries(damages))("a %s anywhere", (_name, damage) => {
  it.each(kinds)("in a %s document is found", (kind) => {
    const whole = Buffer.from(serializeDocument(samples[kind]));
    const parse = (text: string, path: string): unknown => parseDocument(documentTypes[kind], text, path);
    expect(findUnnoticed(whole, damage, parse)).toEqual([]);
  });

  it("in a history is found", () => {
    const whole = Buffer.from(history.map(serializeHistoryRecord).join(""));
    expect(findUnnoticed(whole, damage, parseHistory)).toEqual([]);
  });
});

/** A run as the stages leave it, with a file in each kind of folder. */
async function writeRun(run: string): Promise<readonly string[]> {
  const checkpoint = checkpointPath(run, 120);
  const artifact = artifactPath(run, "step-00000120");
  const evaluation = join(run, runLayout.evaluations, "0123");
  await commit(checkpoint, "checkpoint", "weights.bin");
  await commit(artifact, "artifact", "graph-model/model.json");
  await commit(evaluation, "evaluation", "predictions.bin");
  writeFileSync(join(evaluation, "metrics.json"), serializeDocument(samples.metrics));
  const scoring = scoringPath(join(run, runLayout.evaluations), samples.scoring.split.digest);
  writeFileSync(scoring, serializeDocument(samples.scoring));
  const race = join(run, runLayout.evaluations, runLayout.races, "select.0123456789ab.json");
  mkdirSync(dirname(race));
  writeFileSync(race, serializeDocument(samples.race));
  writeFileSync(join(run, runLayout.manifest), serializeDocument(samples.run));
  const { digest } = await readDocument(artifactManifestType, join(artifact, "artifact.json"));
  const pick = { id: "step-00000120", artifact: digest, decidedBy: "higher accuracy" };
  const ranking: RankingManifest = { ...samples.ranking, pick };
  writeFileSync(join(run, runLayout.ranking), serializeDocument(ranking));
  writeFileSync(join(run, runLayout.history), history.map(serializeHistoryRecord).join(""));
  const timing = { stage: "train", action: "save", subject: "120", at: "2026-01-01T00:00:00Z", durationMs: 1 } as const;
  writeFileSync(join(run, runLayout.timings), serializeTimingRecord(timing).repeat(2));
  symlinkSync(`${runLayout.artifacts}/${pick.id}`, join(run, runLayout.best));
  return [
    join(checkpoint, "checkpoint.json"),
    join(checkpoint, "weights.bin"),
    join(artifact, "artifact.json"),
    join(artifact, "graph-model/model.json"),
    join(evaluation, "evaluation.json"),
    join(evaluation, "predictions.bin"),
    join(evaluation, "metrics.json"),
    scoring,
    race,
    ...[runLayout.manifest, runLayout.ranking, runLayout.history, runLayout.timings].map((name) => join(run, name)),
  ];
}

async function commit(folder: string, kind: "checkpoint" | "artifact" | "evaluation", file: string): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const staged = await stageFolder(folder);
  await staged.write(file, `content of ${file}`);
  await staged.commit(`${kind}.json`, (files) => ({ ...samples[kind], files }));
}

function pathsOf(problems: readonly CkptError[]): readonly string[] {
  return problems.map((problem) => ("path" in problem.details ? problem.details.path : ""));
}

describe("verifyRun", () => {
  it("finds nothing wrong with a whole run, and counts its files", async () => {
    const run = makeFolder();
    const files = await writeRun(run);
    // The link `best` is the one more.
    expect(await verifyRun(run)).toEqual({ fileCount: files.length + 1, problems: [] });
  });

  it("names the file that lost one byte, whichever file and byte it is", async () => {
    const run = makeFolder();
    for (const path of await writeRun(run)) {
      const whole = readFileSync(path);
      for (const at of [0, Math.floor(whole.length / 2), whole.length - 1]) {
        writeFileSync(path, damages["deleted byte"]?.(whole, at) ?? "");
        const { problems } = await verifyRun(run);
        expect(problems, `byte ${at} of ${path}`).toHaveLength(1);
        expect(pathsOf(problems)[0]?.startsWith(path), `byte ${at} of ${path}`).toBe(true);
      }
      writeFileSync(path, whole);
    }
  });

  it("passes over what is staged, trash and files of others", async () => {
    const run = makeFolder();
    await writeRun(run);
    await stageFolder(checkpointPath(run, 240));
    writeFileSync(join(checkpointPath(run, 120), ".DS_Store"), "");
    appendFileSync(join(run, "notes.txt"), "mine");
    for (const folder of [runLayout.checkpoints, runLayout.artifacts]) {
      for (const name of ["mine", "step-1", "step-00000120.rest", "step-00000120-copy"]) {
        mkdirSync(join(run, folder, name));
        writeFileSync(join(run, folder, name, "notes.txt"), "mine");
      }
      writeFileSync(join(run, folder, "notes.txt"), "mine");
    }
    expect((await verifyRun(run)).problems).toEqual([]);
  });

  it("names a folder without a manifest, and the pick that is not the best link", async () => {
    const run = makeFolder();
    await writeRun(run);
    mkdirSync(checkpointPath(run, 240));
    const other = { ...samples.ranking, pick: { id: "step-00000060", artifact: digestBytes("x"), decidedBy: "y" } };
    writeFileSync(join(run, runLayout.ranking), serializeDocument(other));
    const { problems } = await verifyRun(run);
    expect(problems.map((problem) => problem.code)).toEqual(["MANIFEST_MISSING", "LINK_MISMATCH"]);
  });

  it("names the pick that is gone, or is another artifact than the one that was picked", async () => {
    const run = makeFolder();
    await writeRun(run);
    rmSync(artifactPath(run, "step-00000120"), { recursive: true });
    const codes = async (): Promise<readonly string[]> => (await verifyRun(run)).problems.map(({ code }) => code);
    expect(await codes()).toEqual(["LINK_MISMATCH"]);
    await commit(artifactPath(run, "step-00000120"), "artifact", "other.onnx");
    expect(await codes()).toEqual(["LINK_MISMATCH"]);
  });
});
