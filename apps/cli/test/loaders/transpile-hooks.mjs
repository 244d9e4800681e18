import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import ts from "typescript";

const workspace = new URL("../../../../", import.meta.url).href;
const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };

/** Whether a module is the workspace's own and not part of a project that a test has made. */
function isSource(url) {
  return url.startsWith(workspace) && !url.includes("/node_modules/") && !url.includes("/.tmp-");
}

export async function resolve(specifier, context, next) {
  if (specifier.startsWith(".") && context.parentURL !== undefined && isSource(context.parentURL)) {
    const url = new URL(specifier.replace(/\.js$/, ".ts"), context.parentURL);
    if (existsSync(url)) return { url: url.href, shortCircuit: true };
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith(".ts") || !isSource(url)) return next(url, context);
  const { outputText } = ts.transpileModule(await readFile(fileURLToPath(url), "utf8"), { compilerOptions: options });
  return { format: "module", source: outputText, shortCircuit: true };
}
