import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import { isCkptError } from "@ckpt/manifest";
import { afterAll, describe, expect, it } from "vitest";

import { openBundle } from "../src/index.js";
import { describeTensor, type ExpectedTensor, fixture, readExpected } from "./expected-tensors.js";

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ckpt-damaged-"));
  folders.push(folder);
  return folder;
}

const cases = [
  { from: "small", prefix: "small", files: ["small.index", "small.data-00000-of-00001"] },
  { from: "partitioned", prefix: "model.ckpt-10", files: ["model.ckpt-10.index", "model.ckpt-10.data-00000-of-00001"] },
  { from: "v1", prefix: "model.ckpt-10", files: ["model.ckpt-10"] },
] as const;

/** Reads all tensors; those that cannot be read are errors that say so. Whatever was read has to be right. */
async function countRead(prefix: string, expected: Readonly<Record<string, ExpectedTensor>>): Promise<number> {
  let count = 0;
  try {
    const bundle = await openBundle(prefix);
    try {
      for (const key of Object.keys(expected)) {
        try {
          const value = await bundle.read(key);
          if (!isDeepStrictEqual(describeTensor(value), expected[key])) throw new Error(`${key} has other values`);
          count++;
        } catch (error) {
          expectClearError(error);
        }
      }
    } finally {
      await bundle.close();
    }
  } catch (error) {
    expectClearError(error);
  }
  return count;
}

function expectClearError(error: unknown): void {
  if (!isCkptError(error, "BUNDLE_INVALID") && !isCkptError(error, "CHECKPOINT_NOT_FOUND")) throw error;
}

describe.each(cases)("the files of $from", ({ from, prefix: name, files }) => {
  it("give an error or the right values whichever byte is flipped", async () => {
    const folder = await makeFolder();
    const expected = await readExpected(from);
    const all = Object.keys(expected).length;
    for (const file of files) await copyFile(fixture(`${from}/${file}`), join(folder, file));
    const prefix = join(folder, name);
    expect(await countRead(prefix, expected)).toBe(all);
    for (const file of files) {
      const bytes = await readFile(join(folder, file));
      const harmless: number[] = [];
      for (let at = 0; at < bytes.length; at++) {
        const flipped = Uint8Array.from(bytes);
        flipped[at]! ^= at % 2 === 0 ? 0xff : 1 << (at % 8);
        await writeFile(join(folder, file), flipped);
        if ((await countRead(prefix, expected)) === all) harmless.push(at);
      }
      await writeFile(join(folder, file), bytes);
      // Nobody reads the metaindex with its checksum, its handle and the padding of the footer.
      if (file.includes(".data")) expect(harmless).toEqual([]);
      else expect(harmless.length, harmless.join()).toBeLessThanOrEqual(13 + 40);
    }
  });

  it("give an error or the right values wherever they are cut", async () => {
    const folder = await makeFolder();
    const expected = await readExpected(from);
    const all = Object.keys(expected).length;
    const prefix = join(folder, name);
    for (const file of files) {
      const { length } = await readFile(fixture(`${from}/${file}`));
      await copyFile(fixture(`${from}/${file}`), join(folder, file));
      for (let size = length - 1; size >= 0; size--) {
        await truncate(join(folder, file), size);
        const count = await countRead(prefix, expected);
        if (!file.includes(".data")) expect(count).toBe(0);
      }
      await rm(join(folder, file));
      expect(await countRead(prefix, expected)).toBeLessThan(all);
      await copyFile(fixture(`${from}/${file}`), join(folder, file));
    }
    expect(await countRead(prefix, expected)).toBe(all);
  });
});
