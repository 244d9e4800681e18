import { stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";

import { CkptError, isCkptError, readDocument, runLayout, runManifestType } from "@ckpt/manifest";

import { parseConfig } from "./config-schema.js";
import type { CkptConfig } from "./config.js";
import { identifyFolder } from "./identify-folder.js";
import { importModule } from "./import-module.js";

/** A configuration and the file it came from. */
export interface LoadedConfig {
  readonly config: CkptConfig;
  /** Absolute. */
  readonly path: string;
}

const fileNames = ["ckpt.config.ts", "ckpt.config.js", "ckpt.config.mjs"];

/**
 * Loads a configuration: the file itself, or the `ckpt.config.*` of a folder. TypeScript needs no build.
 *
 * @throws {CkptError} CONFIG_NOT_FOUND, or CONFIG_INVALID when it does not load or breaks the schema.
 */
export async function loadConfig(target: string): Promise<LoadedConfig> {
  const path = await findConfig(resolve(target));
  let exported: object;
  try {
    exported = await importModule(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CkptError(
      "CONFIG_INVALID",
      { path, issues: [{ path: "", message: `it does not load: ${reason}` }] },
      { cause },
    );
  }
  if (!("default" in exported)) {
    const message = "it has no default export; expected `export default defineConfig({ ... })`";
    throw new CkptError("CONFIG_INVALID", { path, issues: [{ path: "", message }] });
  }
  return { config: parseConfig(exported.default, path), path };
}

/**
 * Loads the configuration that a run was made from.
 *
 * @throws {CkptError} RUN_NOT_FOUND, CONFIG_NOT_FOUND, and what {@link loadConfig} throws.
 */
export async function loadRunConfig(run: string): Promise<LoadedConfig> {
  if ((await identifyFolder(run)) !== "run") throw new CkptError("RUN_NOT_FOUND", { path: run });
  const path = join(run, runLayout.manifest);
  const { config } = await readDocument(runManifestType, path);
  if (config === undefined) throw new CkptError("CONFIG_NOT_FOUND", { path });
  return loadConfig(join(run, ...config.split("/")));
}

/** As {@link loadRunConfig}; `undefined` for a run that was made through the API or was moved away from its own. */
export async function loadRunConfigIfAny(run: string): Promise<LoadedConfig | undefined> {
  try {
    return await loadRunConfig(run);
  } catch (error) {
    if (isCkptError(error, "CONFIG_NOT_FOUND")) return undefined;
    throw error;
  }
}

/** Where the run of a configuration stands, as seen from the working directory. */
export function resolveRun({ config, path }: LoadedConfig): string {
  return relative(process.cwd(), resolve(dirname(path), config.runs ?? "runs", config.name)) || ".";
}

/** The configuration file as `run.json` names it: relative to the run, so that both can be moved together. */
export function relateConfig({ path }: LoadedConfig, run: string): string {
  return relative(resolve(run), path).split(sep).join("/");
}

async function findConfig(target: string): Promise<string> {
  if (await isFile(target)) return target;
  for (const name of fileNames) {
    if (await isFile(join(target, name))) return join(target, name);
  }
  throw new CkptError("CONFIG_NOT_FOUND", { path: target });
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
