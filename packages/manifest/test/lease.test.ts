import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it, onTestFinished } from "vitest";

import {
  checkpointPath,
  CkptError,
  type FileSystem,
  findLeaseHolder,
  leaseFolder,
  lockRun,
  nodeFileSystem,
  removeUnleased,
  runLayout,
  stageFolder,
  sweepLeftovers,
} from "../src/index.js";
import { caught } from "./caught.js";
import { killNow, useProcesses } from "./run-process.js";
import { samples } from "./samples.js";
import { useTemporaryFolder } from "./temporary-folder.js";

const makeFolder = useTemporaryFolder();
const processes = useProcesses();
const name = "step-00000120";

interface Scene {
  readonly run: string;
  readonly checkpoints: string;
  readonly folder: string;
}

async function commit(folder: string): Promise<void> {
  const staged = await stageFolder(folder);
  await staged.write("weights.bin", "weights");
  await staged.commit("checkpoint.json", (files) => ({ ...samples.checkpoint, files }));
}

/** A run with one checkpoint, which this process may write. */
async function setScene(): Promise<Scene> {
  const run = makeFolder();
  const lock = await lockRun(run);
  onTestFinished(() => lock.release());
  const folder = checkpointPath(run, 120);
  await commit(folder);
  return { run, checkpoints: join(run, runLayout.checkpoints), folder };
}

function writeHolder(path: string, holder: object): void {
  writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname(), startTicks: "", ...holder }));
}

const deadPid = 2 ** 22 + 1;

describe("removeUnleased", { timeout: 60_000 }, () => {
  it("removes what nobody leases, without a trace", async () => {
    const { run, checkpoints, folder } = await setScene();
    expect(await removeUnleased(folder, run)).toEqual({ kind: "removed" });
    expect(readdirSync(checkpoints)).toEqual([]);
  });

  it("keeps what is not ckpt's, as removeFolder does", async () => {
    const { run, checkpoints, folder } = await setScene();
    writeFileSync(join(folder, "notes.txt"), "mine");
    expect(await removeUnleased(folder, run)).toEqual({ kind: "removed", rest: `${folder}.rest` });
    expect(readdirSync(checkpoints)).toEqual([`${name}.rest`]);
  });

  it("leaves what another process leases until that is killed", async () => {
    const { run, checkpoints, folder } = await setScene();
    const { child, line } = await processes.start("hold-lease", [folder]);
    expect(line).toBe("leased");
    expect(await removeUnleased(folder, run)).toMatchObject({ kind: "leased", holder: { pid: child.pid } });
    expect(await findLeaseHolder(checkpoints)).toMatchObject({ pid: child.pid, host: hostname() });
    expect(readdirSync(folder)).toEqual(["checkpoint.json", "weights.bin"]);
    expect(readdirSync(checkpoints)).toEqual([`.${name}.lease-${child.pid}-1`, name]);
    await killNow(child);
    expect(await findLeaseHolder(checkpoints)).toBeUndefined();
    expect(await removeUnleased(folder, run)).toEqual({ kind: "removed" });
    expect(readdirSync(checkpoints)).toEqual([]);
  });

  it("leaves what this process leases until the last lease is released", async () => {
    const { run, checkpoints, folder } = await setScene();
    const leases = [await leaseFolder(folder), await leaseFolder(folder)];
    for (const lease of leases) {
      expect(await removeUnleased(folder, run)).toMatchObject({ kind: "leased", holder: { pid: process.pid } });
      await lease.release();
      await lease.release();
    }
    expect(await removeUnleased(folder, run)).toEqual({ kind: "removed" });
    expect(readdirSync(checkpoints)).toEqual([]);
  });

  it("leaves what a process of another host leases", async () => {
    const { run, checkpoints, folder } = await setScene();
    writeHolder(join(checkpoints, `.${name}.lease-${deadPid}-1`), { pid: deadPid, host: "elsewhere" });
    expect(await removeUnleased(folder, run)).toMatchObject({ kind: "leased", holder: { host: "elsewhere" } });
    await sweepLeftovers(checkpoints);
    expect(await removeUnleased(folder, run)).toMatchObject({ kind: "leased" });
  });

  it("is not kept from one folder by the lease of another", async () => {
    const { run, checkpoints, folder } = await setScene();
    const other = checkpointPath(run, 1200);
    await commit(other);
    const lease = await leaseFolder(other);
    expect(await removeUnleased(folder, run)).toEqual({ kind: "removed" });
    expect(readdirSync(checkpoints).filter((found) => !found.startsWith("."))).toEqual([basename(other)]);
    await lease.release();
  });

  it("refuses without the run's lock, and leaves everything", async () => {
    const { run, folder } = await setScene();
    await caught("FILE_SYSTEM", () => removeUnleased(folder, join(run, "other")));
    expect(readdirSync(folder)).toEqual(["checkpoint.json", "weights.bin"]);
  });

  it("writes its intent where the run's lock cannot be linked, as on another volume", async () => {
    const { run, checkpoints, folder } = await setScene();
    const seen: string[] = [];
    const otherVolume: FileSystem = {
      ...nodeFileSystem,
      linkFile: async (_existing, path) => {
        const cause = Object.assign(new Error("cross-device link"), { code: "EXDEV" });
        throw new CkptError("FILE_SYSTEM", { path, operation: "link", reason: cause.message }, { cause });
      },
      rename: async (from, to) => {
        seen.push(readFileSync(join(checkpoints, `.${name}.removing-${process.pid}`), "utf8"));
        await nodeFileSystem.rename(from, to);
      },
    };
    expect(await removeUnleased(folder, run, otherVolume)).toEqual({ kind: "removed" });
    expect(seen[0]).toBe(readFileSync(join(run, ".lock"), "utf8"));
    expect(readdirSync(checkpoints)).toEqual([]);
  });
});

describe("leaseFolder", { timeout: 60_000 }, () => {
  it("leases the folder that a link leads to", async () => {
    const { run, folder } = await setScene();
    symlinkSync(join(runLayout.checkpoints, name), join(run, "best"));
    const lease = await leaseFolder(join(run, "best"));
    expect(await removeUnleased(folder, run)).toMatchObject({ kind: "leased" });
    await lease.release();
  });

  it("says that the folder is missing, and leaves no lease", async () => {
    const { run, checkpoints } = await setScene();
    const missing = checkpointPath(run, 240);
    expect((await caught("MANIFEST_MISSING", () => leaseFolder(missing))).details).toEqual({ path: missing });
    await caught("MANIFEST_MISSING", () => leaseFolder(join(run, "no", "parent")));
    expect(readdirSync(checkpoints)).toEqual([name]);
  });

  it("waits for a removal that has begun, and then finds nothing", async () => {
    const { run, checkpoints, folder } = await setScene();
    let reader: Promise<CkptError> | undefined;
    let isSettled = false;
    const slow: FileSystem = {
      ...nodeFileSystem,
      rename: async (from, to) => {
        // The writer has looked for leases and seen none; now a reader comes.
        reader ??= caught("MANIFEST_MISSING", () => leaseFolder(folder)).finally(() => (isSettled = true));
        await sleep(50);
        expect(isSettled).toBe(false);
        await nodeFileSystem.rename(from, to);
      },
    };
    expect(await removeUnleased(folder, run, slow)).toEqual({ kind: "removed" });
    await reader;
    expect(isSettled).toBe(true);
    expect(readdirSync(checkpoints)).toEqual([]);
  });

  it("waits for a removal that is given up, and then has the folder", async () => {
    const { run, checkpoints, folder } = await setScene();
    const intent = join(checkpoints, `.${name}.removing-${process.pid}`);
    linkSync(join(run, ".lock"), intent);
    let isSettled = false;
    const leasing = leaseFolder(folder).finally(() => (isSettled = true));
    await sleep(50);
    expect(isSettled).toBe(false);
    await nodeFileSystem.remove(intent);
    await (await leasing).release();
    expect(readdirSync(checkpoints)).toEqual([name]);
  });

  it("gives up on a removal that does not end, names who removes, and leaves no lease", async () => {
    const { run, checkpoints, folder } = await setScene();
    linkSync(join(run, ".lock"), join(checkpoints, `.${name}.removing-${process.pid}`));
    const error = await caught("RUN_LOCKED", () => leaseFolder(folder));
    expect(error.details).toEqual({ path: folder, pid: process.pid, host: hostname() });
    expect(readdirSync(checkpoints)).toEqual([`.${name}.removing-${process.pid}`, name]);
  });

  it("pays no heed to the intent of a process that died", async () => {
    const { run, checkpoints, folder } = await setScene();
    writeHolder(join(checkpoints, `.${name}.removing-${deadPid}`), { pid: deadPid });
    const lease = await leaseFolder(folder);
    expect(await removeUnleased(folder, run)).toMatchObject({ kind: "leased" });
    await lease.release();
  });

  it("takes another name when a thread or an earlier process of the same id has this one", async () => {
    const { run, checkpoints, folder } = await setScene();
    const first = await leaseFolder(folder);
    const number = Number(readdirSync(checkpoints)[0]?.split("-").at(-1));
    writeHolder(join(checkpoints, `.${name}.lease-${process.pid}-${number + 1}`), { host: "elsewhere" });
    const second = await leaseFolder(folder);
    expect(readdirSync(checkpoints)).toContain(`.${name}.lease-${process.pid}-${number + 2}`);
    for (const lease of [first, second]) await lease.release();
    expect(await removeUnleased(folder, run)).toMatchObject({ kind: "leased", holder: { host: "elsewhere" } });
  });

  it("writes its lease again when the writer sweeps at that moment", async () => {
    const { run, checkpoints, folder } = await setScene();
    let sweeps = 0;
    const swept: FileSystem = {
      ...nodeFileSystem,
      linkFile: async (existing, path) => {
        if (sweeps++ === 0) await sweepLeftovers(checkpoints);
        await nodeFileSystem.linkFile(existing, path);
      },
    };
    const lease = await leaseFolder(folder, swept);
    expect(sweeps).toBe(2);
    expect(await removeUnleased(folder, run)).toMatchObject({ kind: "leased" });
    await lease.release();
  });

  it("reads on without a lease where nothing may be written", async () => {
    const { run, checkpoints, folder } = await setScene();
    chmodSync(run, 0o755);
    chmodSync(checkpoints, 0o555);
    const { child, line } = await processes.start("hold-lease", [folder, "unprivileged"]);
    chmodSync(checkpoints, 0o755);
    expect(line).toBe("leased");
    expect(readdirSync(checkpoints)).toEqual([name]);
    await killNow(child);
  });
});

describe("sweepLeftovers", { timeout: 60_000 }, () => {
  it("removes intents and the leases of the dead, and no living process's lease", async () => {
    const { checkpoints, folder } = await setScene();
    const { child } = await processes.start("hold-lease", [folder]);
    await killNow(child);
    const lease = await leaseFolder(folder);
    const living = readdirSync(checkpoints).find((found) => found.includes(`.lease-${process.pid}-`)) ?? "";
    writeHolder(join(checkpoints, `.${name}.removing-${deadPid}`), { pid: deadPid });
    writeFileSync(join(checkpoints, `.${name}.lease-1-1`), "");
    mkdirSync(join(checkpoints, `.${name}.lease-1-2`));
    const gone = [`.${name}.lease-1-1`, `.${name}.lease-${child.pid}-1`, `.${name}.removing-${deadPid}`];
    expect((await sweepLeftovers(checkpoints)).toSorted()).toEqual(gone.toSorted());
    expect(readdirSync(checkpoints)).toEqual([`.${name}.lease-1-2`, living, name].toSorted());
    await lease.release();
  });
});

describe("readers and a writer at each other without end", { timeout: 120_000 }, () => {
  it("never leave a reader with a lease and without a file", async () => {
    const { run, checkpoints, folder } = await setScene();
    const stop = join(run, "stop");
    const readers = [1, 2].map(() => processes.run("lease-and-read", [folder, stop]));
    const ended = Promise.race(readers).then(() => "ended" as const);
    const outcomes = { removed: 0, leased: 0 };
    // A reader that has found something wrong ends.
    while (outcomes.removed < 100 || outcomes.leased < 100) {
      const { kind } = await removeUnleased(folder, run);
      outcomes[kind]++;
      if (kind === "removed") await commit(folder);
      else if ((await Promise.race([ended, sleep(Math.random())])) === "ended") break;
    }
    writeFileSync(stop, "");
    for (const { code, output } of await Promise.all(readers)) {
      expect(code).toBe(0);
      const [leased, missed] = output.split(" ").map(Number);
      expect(leased).toBeGreaterThan(0);
      expect(missed).toBeGreaterThan(0);
    }
    expect(readdirSync(checkpoints)).toEqual([name]);
  });
});
