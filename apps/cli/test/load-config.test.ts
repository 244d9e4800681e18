import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createFolder, removeProjects } from "./project.js";

/** A configuration without imports that a project would have to install. */
const config = `{
  name: "points",
  data: { files: [{ path: "a.csv", fractions: { train: 1 } }], inputs: { point: { columns: ["x"] } } },
  model: () => ({}),
  train: { epochs: 1, batchSize: 1, save: { shouldSave: () => true } },
}`;

const files: Readonly<Record<string, string>> = {
  // TypeScript that Node cannot run by taking the types away, and a neighbour by the name that TypeScript wants.
  "typescript/ckpt.config.ts":
    `import { seed } from "./data.js";\nenum Size { Small = 1 }\n` +
    `export default { ...${config}, seed: seed + Size.Small } satisfies object;\n`,
  "typescript/data.ts": `export const seed: number = 40;\n`,
  "javascript/ckpt.config.js": `export default ${config};\n`,
  "module/ckpt.config.mjs": `export default ${config};\n`,
  "named/other.config.ts": `const name: string = "other";\nexport default { ...${config}, name };\n`,
  "both/ckpt.config.ts": `export default { ...${config}, name: "typescript" as string };\n`,
  "both/ckpt.config.js": `export default { ...${config}, name: "javascript" };\n`,
  "no-default/ckpt.config.ts": `export const config: object = ${config};\n`,
  "throws/ckpt.config.ts": `throw new RangeError("too many layers" as string);\n`,
  "throws-text/ckpt.config.mjs": `throw "a text";\n`,
  "syntax/ckpt.config.ts": `export default { name: ;\n`,
  "missing-import/ckpt.config.ts": `import { a } from "./nowhere.js";\nexport default a as object;\n`,
  "missing-package/ckpt.config.mjs": `import "no-such-package-anywhere";\nexport default ${config};\n`,
};
const targets = [
  ...new Set(Object.keys(files).map((path) => (path.startsWith("named/") ? path : dirname(path)))),
  "none",
];

let folder: string;
beforeAll(async () => {
  folder = await createFolder();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
});
afterAll(removeProjects);

interface Loaded {
  readonly name?: string;
  readonly seed?: number;
  readonly path?: string;
  readonly code?: string;
  readonly message?: string;
}

async function loadAll(preload: string): Promise<Readonly<Record<string, Loaded>>> {
  const script = join(import.meta.dirname, "load-configs.ts");
  const given = ["--conditions=@ckpt/source", "--import", pathToFileURL(preload).href, script, ...targets];
  const { stdout } = await promisify(execFile)(process.execPath, given, { cwd: folder });
  const results = JSON.parse(stdout) as readonly Loaded[];
  return Object.fromEntries(targets.map((target, index) => [target, results[index] ?? {}]));
}

describe.each([
  [
    "by Node alone or jiti, as in a program that is installed",
    join(import.meta.dirname, "loaders/transpile-sources.mjs"),
  ],
  ["from source", join(import.meta.dirname, "../../../scripts/register-typescript.mjs")],
])("loadConfig, %s", (_name, preload) => {
  let loaded: Readonly<Record<string, Loaded>>;
  beforeAll(async () => {
    loaded = await loadAll(preload);
  });

  it("loads TypeScript with all it may have, and JavaScript", () => {
    expect(loaded["typescript"]).toEqual({ name: "points", seed: 41, path: join(folder, "typescript/ckpt.config.ts") });
    expect(loaded["javascript"]).toMatchObject({ name: "points", path: join(folder, "javascript/ckpt.config.js") });
    expect(loaded["module"]).toMatchObject({ name: "points", path: join(folder, "module/ckpt.config.mjs") });
  });

  it("takes a file by its name, and TypeScript where a folder has both", () => {
    expect(loaded["named/other.config.ts"]).toMatchObject({ name: "other" });
    expect(loaded["both"]).toMatchObject({ name: "typescript" });
  });

  it("says where there is none", () => {
    expect(loaded["none"]).toMatchObject({ code: "CONFIG_NOT_FOUND", message: expect.stringContaining("none") });
  });

  it.each([
    ["no-default", "it has no default export"],
    ["throws", "it does not load: too many layers"],
    ["throws-text", "it does not load: a text"],
    ["syntax", "it does not load: "],
    ["missing-import", "nowhere.js"],
    ["missing-package", "no-such-package-anywhere"],
  ])("refuses %s, names the file and says: %s", (target, message) => {
    expect(loaded[target]?.code).toBe("CONFIG_INVALID");
    expect(loaded[target]?.message).toContain(join(folder, target, "ckpt.config."));
    expect(loaded[target]?.message).toContain(message);
  });
});
