import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { requireProcess } from "./run-process.js";

const workspace = resolve(import.meta.dirname, "../../../..");

/** Packs workspace packages as they would be published; gives the tarball of each by package name. */
export async function packPackages(folder: string, names: readonly string[]): Promise<Map<string, string>> {
  const tarballs = new Map<string, string>();
  for (const name of names) {
    const out = join(folder, "packed", name);
    await mkdir(out, { recursive: true });
    const source = name === "cli" ? "apps/cli" : `packages/${name}`;
    await requireProcess("npx", ["--yes", "pnpm@10.34.9", "pack", "--pack-destination", out], {
      cwd: join(workspace, source),
    });
    const [file] = await readdir(out);
    if (file === undefined) throw new Error(`nothing was packed for ${name}`);
    tarballs.set(`@ckpt/${name}`, join(out, file));
  }
  return tarballs;
}

/** A user's project outside the workspace: npm installs the tarballs, tsc checks and compiles its one script. */
export async function createProject(
  folder: string,
  tarballs: ReadonlyMap<string, string>,
  dependencies: Readonly<Record<string, string>>,
  script: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const packed = Object.fromEntries([...tarballs].map(([name, path]) => [name, `file:${path}`]));
  const manifest = {
    name: "user-project",
    private: true,
    type: "module",
    dependencies: { ...packed, ...dependencies },
    devDependencies: { "@types/node": "^20.19.0", typescript: "~6.0.3" },
  };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  const options = { strict: true, module: "nodenext", target: "es2023", types: ["node"], skipLibCheck: true };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["script.ts"] }));
  await writeFile(join(folder, "script.ts"), script);
  await requireProcess("npm", ["install", "--no-audit", "--no-fund"], {
    cwd: folder,
    env: { ONNXRUNTIME_NODE_INSTALL: "skip" },
  });
  await requireProcess("npx", ["--no-install", "tsc"], { cwd: folder });
}
