import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";

const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

/** The entry of this package, for an import in a child process. */
export const entry: string = fileURLToPath(new URL("../src/index.ts", import.meta.url));

export interface NodeResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a module given as text in a fresh Node, with the workspace read from source and the system's temporary folder
 * as the working directory. A child that does not end by itself is killed, with exit code null.
 */
export async function runNode(source: string): Promise<NodeResult> {
  const child = spawn(
    process.execPath,
    ["--conditions=@ckpt/source", "--import", tsx, "--input-type=module", "--eval", source],
    { cwd: tmpdir(), timeout: 28_000, stdio: ["ignore", "pipe", "pipe"] },
  );
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { exitCode, stdout, stderr };
}
