import { readlink } from "node:fs/promises";
import { join } from "node:path";

import { artifactManifestType } from "./artifact-manifest.js";
import type { Sealed } from "./document.js";
import { CkptError, isCkptError } from "./errors.js";
import { nodeFileSystem } from "./file-system.js";
import { readHistory } from "./history.js";
import { manifestNames, parseCheckpointName, runLayout } from "./layout.js";
import { isRaceName, raceManifestType } from "./race-manifest.js";
import { type RankingManifest, rankingManifestType } from "./ranking-manifest.js";
import { readDocument } from "./read-document.js";
import { readLines } from "./read-lines.js";
import { runManifestType } from "./run-manifest.js";
import { isScoringName, scoringManifestType } from "./scoring-manifest.js";
import { readTestReads } from "./test-reads.js";
import { timingRecordSchema } from "./timing.js";
import { type CommittedKind, tryRead, type Verification, verifyFolder } from "./verify-folder.js";

const committedFolders: readonly (readonly [CommittedKind, string])[] = [
  ["checkpoint", runLayout.checkpoints],
  ["artifact", runLayout.artifacts],
  ["evaluation", runLayout.evaluations],
];

/** Checks every file of a run that ckpt wrote. What others put there and what is still staged is passed over. */
export async function verifyRun(run: string): Promise<Verification> {
  const parts: Verification[] = [
    await verifyDocument(() => readDocument(runManifestType, join(run, runLayout.manifest))),
    await verifyDocument(() => readHistory(join(run, runLayout.history))),
    await verifyDocument(() => readTimings(join(run, runLayout.timings))),
  ];
  // A run whose test rows nothing was scored on has no ledger.
  const reads = await tryRead(() => readTestReads(run));
  if ("problem" in reads) parts.push({ fileCount: 1, problems: [reads.problem] });
  else if (reads.value.length > 0) parts.push({ fileCount: 1, problems: [] });
  for (const [kind, folder] of committedFolders) {
    for (const name of await nodeFileSystem.list(join(run, folder))) {
      if (isCommittedName(kind, name)) parts.push(await verifyFolder(kind, join(run, folder, name)));
    }
  }
  for (const name of await nodeFileSystem.list(join(run, runLayout.evaluations))) {
    if (!isScoringName(name)) continue;
    parts.push(await verifyDocument(() => readDocument(scoringManifestType, join(run, runLayout.evaluations, name))));
  }
  const races = join(run, runLayout.evaluations, runLayout.races);
  for (const name of (await nodeFileSystem.list(races)).filter(isRaceName)) {
    parts.push(await verifyDocument(() => readDocument(raceManifestType, join(races, name))));
  }
  const ranking = await tryRead(() => readDocument(rankingManifestType, join(run, runLayout.ranking)));
  if ("value" in ranking) parts.push(await verifyBest(run, ranking.value));
  // A run that was not ranked yet has no ranking.
  else if (!isCkptError(ranking.problem, "MANIFEST_MISSING")) parts.push({ fileCount: 1, problems: [ranking.problem] });
  return {
    fileCount: parts.reduce((sum, part) => sum + part.fileCount, 0),
    problems: parts.flatMap((part) => part.problems),
  };
}

/** A folder of another name in `checkpoints/` or `artifacts/` is somebody else's; evaluations have no fixed names. */
function isCommittedName(kind: CommittedKind, name: string): boolean {
  if (kind === "evaluation") return !name.startsWith(".") && name !== runLayout.races;
  return parseCheckpointName(name) !== undefined;
}

async function verifyDocument(read: () => Promise<unknown>): Promise<Verification> {
  const result = await tryRead(read);
  return { fileCount: 1, problems: "problem" in result ? [result.problem] : [] };
}

async function readTimings(path: string): Promise<void> {
  const lines = await readLines(timingRecordSchema, path);
  if (lines === undefined) throw new CkptError("FILE_MISSING", { path });
}

/** The link leads to the pick's folder, and that folder holds the very artifact that was picked. */
async function verifyBest(run: string, ranking: Sealed<RankingManifest>): Promise<Verification> {
  const { pick } = ranking;
  if (pick === undefined) return { fileCount: 1, problems: [] };
  const path = join(run, runLayout.best);
  const target = `${runLayout.artifacts}/${pick.id}`;
  const expected = `${target}, artifact ${pick.artifact}`;
  const found = await readlink(path).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
  if (found !== target) return { fileCount: 2, problems: [new CkptError("LINK_MISMATCH", { path, expected, found })] };
  const artifact = await tryRead(() => readDocument(artifactManifestType, join(path, manifestNames.artifact)));
  if ("problem" in artifact && !isCkptError(artifact.problem, "MANIFEST_MISSING")) {
    // The artifact's own check has named the damage.
    return { fileCount: 2, problems: [] };
  }
  const digest = "value" in artifact ? artifact.value.digest : undefined;
  const instead = digest === undefined ? `${target}, where there is no artifact` : `${target}, artifact ${digest}`;
  const problems = digest === pick.artifact ? [] : [new CkptError("LINK_MISMATCH", { path, expected, found: instead })];
  return { fileCount: 2, problems };
}
