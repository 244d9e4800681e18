import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { caught } from "../test/caught.js";
import { useTemporaryFolder } from "../test/temporary-folder.js";
import { findHolders, promote, type Promotion, readPromotions } from "./aliases.js";
import { digestBytes } from "./digest.js";

const makeFolder = useTemporaryFolder();
const promotionOf = (alias: string, run: string, id: string): Promotion => ({
  alias,
  run,
  artifact: { id, digest: digestBytes(id) },
});

describe("promote", () => {
  it("appends to the log of the runs, and the last one has the alias", async () => {
    const runs = makeFolder();
    const steps = [
      promotionOf("champion", "a", "x"),
      promotionOf("shadow", "a", "y"),
      promotionOf("champion", "b", "z"),
    ];
    expect(await readPromotions(runs)).toEqual([]);
    for (const step of steps) expect(await promote(runs, step)).toBe(true);
    const before = readFileSync(join(runs, "aliases.jsonl"), "utf8");
    expect(await promote(runs, promotionOf("champion", "b", "z"))).toBe(false);
    expect(readFileSync(join(runs, "aliases.jsonl"), "utf8")).toBe(before);
    expect(await readPromotions(runs)).toMatchObject(steps);
    const holders = findHolders(await readPromotions(runs));
    expect(holders.get("champion")?.artifact.id).toBe("z");
    expect(holders.get("shadow")?.artifact.id).toBe("y");
    await promote(runs, promotionOf("champion", "a", "x"));
    expect(await readPromotions(runs)).toHaveLength(4);
  });

  it("takes names only", async () => {
    const runs = makeFolder();
    for (const alias of ["", "Champion", "a/b", "-a", "a b"]) {
      await caught("INVALID_OPTION", () => promote(runs, promotionOf(alias, "a", "x")));
    }
    expect(await readPromotions(runs)).toEqual([]);
  });
});

describe("readPromotions", () => {
  it("names the line that was changed, and refuses a run outside the folder", async () => {
    const runs = makeFolder();
    const path = join(runs, "aliases.jsonl");
    await promote(runs, promotionOf("champion", "a", "x"));
    writeFileSync(path, readFileSync(path, "utf8").replace('"run":"a"', '"run":"b"'));
    expect((await caught("MANIFEST_INVALID", () => readPromotions(runs))).details.path).toBe(`${path}:1`);
    await caught("INVALID_OPTION", () => promote(makeFolder(), promotionOf("champion", "../a", "x")));
  });
});
