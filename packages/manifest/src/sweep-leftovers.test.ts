import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { useTemporaryFolder } from "../test/temporary-folder.js";
import { sweepLeftovers } from "./sweep-leftovers.js";

const makeFolder = useTemporaryFolder();

function fill(parent: string, names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(join(parent, name), { recursive: true });
    writeFileSync(join(parent, name, "name.txt"), name);
  }
}

describe("sweepLeftovers", () => {
  it("removes what writes and removals left, of any process and any target", async () => {
    const parent = makeFolder();
    const leftovers = [".a.pieces", ".a.staging-1", ".a.b.c.staging-333", "..lock.staging-4", ".b.trash-22"];
    fill(parent, leftovers.slice(0, 4));
    mkdirSync(join(parent, ".b.trash-22", "deep"), { recursive: true });
    writeFileSync(join(parent, ".run.json.staging-5"), "");
    expect(await sweepLeftovers(parent)).toEqual([...leftovers, ".run.json.staging-5"].toSorted());
    expect(readdirSync(parent)).toEqual([]);
  });

  it("keeps what is in trash and is not ckpt's", async () => {
    const parent = makeFolder();
    fill(parent, [".a.trash-1", ".a.trash-2"]);
    expect(await sweepLeftovers(parent)).toEqual([".a.trash-1", ".a.trash-2"]);
    expect(readdirSync(parent)).toEqual(["a.rest", "a.rest-2"]);
    expect(readFileSync(join(parent, "a.rest-2", "name.txt"), "utf8")).toBe(".a.trash-2");
  });

  it("leaves everything else alone", async () => {
    const parent = makeFolder();
    const names = [
      "step-00000120",
      "a.staging-1",
      ".staging-1",
      ".a.staging-",
      ".a.staging-x",
      ".a.staging-1.txt",
      ".a.other-1",
      ".lock",
      ".lock.takeover",
    ];
    fill(parent, names);
    expect(await sweepLeftovers(parent)).toEqual([]);
    expect(readdirSync(parent)).toEqual(names.toSorted());
  });

  it("puts the old content back where a replacement was interrupted, and only there", async () => {
    const parent = makeFolder();
    fill(parent, [".a.replaced-1", ".a.staging-1", ".b.replaced-1", "b", ".c.replaced-1", ".c.replaced-2"]);
    await sweepLeftovers(parent);
    expect(readdirSync(parent)).toEqual(["a", "b", "c"]);
    expect(readFileSync(join(parent, "a", "name.txt"), "utf8")).toBe(".a.replaced-1");
    expect(readFileSync(join(parent, "b", "name.txt"), "utf8")).toBe("b");
  });

  it("does nothing in a folder that is not there", async () => {
    expect(await sweepLeftovers(join(makeFolder(), "nowhere"))).toEqual([]);
  });
});
