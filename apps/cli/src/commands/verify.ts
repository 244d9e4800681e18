import { CkptError, type Verification, verifyFolder, verifyRun } from "@ckpt/manifest";

import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { findFolders, identifyFolder } from "../identify-folder.js";

interface Arguments {
  readonly path: string;
}

/** `ckpt verify`: checks every byte ckpt wrote. */
export const verifyCommand: Command<Arguments> = {
  usage: "verify <path>",
  summary: "Check every file of a run, checkpoint, artifact or evaluation against its manifest",
  examples: [
    ["verify runs/dense", "check a whole run"],
    ["verify runs/dense/best", "check the picked artifact"],
  ],
  options: (parser) =>
    parser.positional("path", { type: "string", demandOption: true, describe: "A run or any folder with a manifest" }),
  run: async ({ path }, { progress }) => {
    progress.update(`verify ${path}`);
    const { fileCount, problems } = await verifyPath(path);
    const text =
      problems.length === 0
        ? `${path}: ${fileCount} files, all as they were written\n`
        : problems.map((problem) => `${problem.code} ${problem.message}\n`).join("") +
          `${path}: ${fileCount} files, ${problems.length} problem(s)\n`;
    return {
      document: {
        path,
        fileCount,
        problems: problems.map(({ code, message, details }) => ({ code, message, details })),
      },
      text,
      exitCode: problems.length === 0 ? exitCodes.ok : exitCodes.badInput,
    };
  },
};

async function verifyPath(path: string): Promise<Verification> {
  const kind = await identifyFolder(path);
  if (kind === "run") return verifyRun(path);
  if (kind !== undefined) return verifyFolder(kind, path);
  const runs = await findFolders(path, "run");
  if (runs.length === 0) throw new CkptError("MANIFEST_MISSING", { path });
  const parts: Verification[] = [];
  for (const run of runs) parts.push(await verifyRun(run));
  return {
    fileCount: parts.reduce((sum, part) => sum + part.fileCount, 0),
    problems: parts.flatMap((part) => part.problems),
  };
}
