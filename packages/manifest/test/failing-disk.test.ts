import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { type Ended, useProcesses } from "./run-process.js";
import { useTemporaryFolder } from "./temporary-folder.js";

const makeFolder = useTemporaryFolder();
const processes = useProcesses();

const unshare = ["--user", "--map-root-user", "--mount", "sh", "-c"];

/** Runs `command` where `$1` is a disk of 1 MB, in a mount namespace that ends with it. */
function runOnSmallDisk(mountPoint: string, command: string): string {
  const script = `mount -t tmpfs -o size=1m none "$1" && ${command}`;
  return execFileSync("unshare", [...unshare, script, "sh", mountPoint])
    .toString()
    .trim();
}

const canMount = spawnSync("unshare", [...unshare, "mount -t tmpfs none /tmp"]).status === 0;
const needs = canMount ? "" : " (not run: mounting a small disk is not permitted here)";

describe("a commit that the file system refuses", () => {
  it("of a folder without permission to write is an error, and nothing is left", async () => {
    const parent = makeFolder();
    chmodSync(parent, 0o555);
    // Root may write anywhere, so the process gives up being root.
    const commit = (): Promise<Ended> => processes.run("fill", [join(parent, "target"), "10", "unprivileged"]);
    const ended = await commit();
    expect(ended).toMatchObject({ code: 0, output: "FILE_SYSTEM create folder EACCES" });
    expect(readdirSync(parent)).toEqual([]);
    chmodSync(parent, 0o777);
    expect((await commit()).output).toBe("committed");
  });

  it("in the middle of a file, at the limit of its size, is an error, and nothing is left", async () => {
    const parent = makeFolder();
    // ulimit counts blocks of 512 bytes in sh, so the write stops at 4 KB of 1 MB.
    const limited = ["-c", 'ulimit -f 8 && exec "$0" "$@"', process.execPath, processes.pathOf("fill")];
    const run = (size: number): string =>
      execFileSync("sh", [...limited, join(parent, "target"), String(size)])
        .toString()
        .trim();
    expect(run(1 << 20)).toBe("FILE_SYSTEM write EFBIG");
    expect(readdirSync(parent)).toEqual([]);
    expect(run(100)).toBe("committed");
    expect(readdirSync(parent)).toEqual(["target"]);
  });

  it.runIf(canMount)(`on a full disk is an error, and leaves the disk as it was${needs}`, () => {
    const disk = join(makeFolder(), "disk");
    mkdirSync(disk);
    const program = `"${process.execPath}" "${processes.pathOf("fill")}" "$1/target"`;
    const output = runOnSmallDisk(disk, `${program} 2000000; ls -A "$1"; ${program} 500000; ls -A "$1"`);
    expect(output.split("\n")).toEqual(["FILE_SYSTEM write ENOSPC", "committed", "target"]);
  });
});
