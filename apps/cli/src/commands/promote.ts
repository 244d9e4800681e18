import { basename, join, resolve } from "node:path";

import {
  artifactManifestType,
  CkptError,
  manifestNames,
  promote,
  type RankedCandidate,
  rankingManifestType,
  readDocument,
  runLayout,
} from "@ckpt/manifest";

import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { findSingleArtifact, locateRun } from "../single-artifact.js";

interface Arguments {
  readonly target: string;
  readonly alias: string;
}

/** `ckpt promote`: gives an artifact a name that outlives its run's next ranking. */
export const promoteCommand: Command<Arguments> = {
  usage: "promote <target>",
  summary: "Give an alias to a run's pick or to another ranked artifact; the log of aliases is only appended to",
  examples: [
    ["promote runs/dense --alias champion", "the pick"],
    ["promote runs/dense/artifacts/step-00000120 --alias champion", "another one, such as the one before"],
  ],
  options: (parser) =>
    parser
      .positional("target", {
        type: "string",
        demandOption: true,
        describe: "A run, for its pick, or an artifact of one",
      })
      .option("alias", {
        type: "string",
        demandOption: true,
        requiresArg: true,
        describe: "Name it is to have among the runs of this folder",
      }),
  run: async ({ target, alias }) => {
    const { artifact, run } = await findSingleArtifact(target);
    if (run === undefined) {
      const expected = "an artifact of a run";
      throw new CkptError("INVALID_OPTION", { option: "target", expected, found: target });
    }
    const id = basename(resolve(artifact));
    const { digest } = await readDocument(artifactManifestType, join(artifact, manifestNames.artifact));
    await requireRanked(run, digest);
    const { runs, name } = locateRun(run);
    const isNew = await promote(runs, { alias, run: name, artifact: { id, digest } });
    return {
      document: { alias, run, artifact, digest, isNew },
      text: `${artifact}: ${isNew ? "is now" : "is already"} ${alias}\n`,
      exitCode: exitCodes.ok,
    };
  },
};

/** What was never measured, failed or broke a constraint is not put forward. */
async function requireRanked(run: string, digest: string): Promise<void> {
  const { candidates } = await readDocument(rankingManifestType, join(run, runLayout.ranking));
  const candidate = candidates.find((entry) => entry.artifact.digest === digest);
  if (candidate?.rank !== undefined) return;
  const found = candidate === undefined ? "one that is not in the ranking" : describeStatus(candidate, run);
  throw new CkptError("INVALID_OPTION", { option: "target", expected: `an artifact that ${run} ranks`, found });
}

function describeStatus({ status, reason }: RankedCandidate, run: string): string {
  if (status !== "dropped") return `one that is ${status}`;
  return `one that was dropped ${reason ?? ""}: \`ckpt evaluate ${run} --no-race\` and \`ckpt rank ${run}\` rank all`;
}
