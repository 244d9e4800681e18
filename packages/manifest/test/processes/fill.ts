import { stageFolder } from "../../src/commit.js";
import { isCkptError } from "../../src/errors.js";
import { nodeFileSystem } from "../../src/file-system.js";

/**
 * Arguments: target, bytes to write, `unprivileged` to give up being root before. Commits a folder with one file of that
 * size; prints `committed` or the error.
 */
const [target = "", size = "", user = ""] = process.argv.slice(2);
if (user === "unprivileged" && process.getuid?.() === 0) process.setuid?.(65_534);
try {
  const staged = await stageFolder(target, { fileSystem: nodeFileSystem });
  try {
    await staged.write("weights.bin", new Uint8Array(Number(size)));
    await staged.commit("note.json", (files) => ({ kind: "note", schemaVersion: 1, files }) as never);
    console.log("committed");
  } catch (error) {
    await staged.abandon();
    throw error;
  }
} catch (error) {
  if (!isCkptError(error, "FILE_SYSTEM")) throw error;
  console.log(`FILE_SYSTEM ${error.details.operation} ${(error.cause as NodeJS.ErrnoException).code}`);
}
