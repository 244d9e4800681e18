import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { CkptError } from "@ckpt/manifest";
import { createJiti } from "jiti";

import { importModule } from "./import-module.js";

/**
 * Imports modules for what they do when they are imported: register layers. Each is a file, TypeScript too, or a package
 * as seen from `folder`.
 *
 * @param folder - What relative paths are relative to; absolute.
 * @throws {CkptError} INVALID_OPTION when one is not there or does not load.
 */
export async function registerModules(names: readonly string[], folder: string): Promise<void> {
  for (const name of names) {
    const path = await findModule(name, folder);
    try {
      await importModule(path);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw invalid("a module that loads", `${name}, which does not: ${reason}`, cause);
    }
  }
}

async function findModule(name: string, folder: string): Promise<string> {
  const path = resolve(folder, name);
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isFile) return path;
  const parentURL = pathToFileURL(resolve(folder, "any.js"));
  const found = createJiti(import.meta.url).esmResolve(name, { parentURL, try: true });
  if (found === undefined) throw invalid("a file or an installed package", name);
  return fileURLToPath(found);
}

function invalid(expected: string, found: string, cause?: unknown): CkptError<"INVALID_OPTION"> {
  return new CkptError("INVALID_OPTION", { option: "--register", expected, found }, { cause });
}
