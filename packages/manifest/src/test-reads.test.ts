import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { caught } from "../test/caught.js";
import { useTemporaryFolder } from "../test/temporary-folder.js";
import { digestBytes } from "./digest.js";
import { readTestReads, recordTestRead, type TestRead } from "./test-reads.js";

const makeFolder = useTemporaryFolder();

function readOf(artifact: string, split = "test"): TestRead {
  return {
    split: { name: split, role: "test", rowCount: 9, digest: digestBytes(split) },
    artifact: { id: artifact, digest: digestBytes(artifact) },
  };
}

describe("recordTestRead", () => {
  it("counts the artifacts that were scored on the same rows, each once", async () => {
    const run = makeFolder();
    expect(await readTestReads(run)).toEqual([]);
    expect(await recordTestRead(run, readOf("a"))).toBe(1);
    expect(await recordTestRead(run, readOf("b"))).toBe(2);
    expect(await recordTestRead(run, readOf("c", "other"))).toBe(1);
    expect(await recordTestRead(run, readOf("a"))).toBe(2);
    expect(await readTestReads(run)).toMatchObject([readOf("a"), readOf("b"), readOf("c", "other")]);
  });

  it("leaves what is there as it is", async () => {
    const run = makeFolder();
    const path = join(run, "test-reads.jsonl");
    await recordTestRead(run, readOf("a"));
    const before = readFileSync(path, "utf8");
    await recordTestRead(run, readOf("b"));
    expect(readFileSync(path, "utf8").startsWith(before)).toBe(true);
  });
});

describe("readTestReads", () => {
  it("finds a changed line and one that was cut short, and then nothing is entered", async () => {
    const run = makeFolder();
    const path = join(run, "test-reads.jsonl");
    await recordTestRead(run, readOf("a"));
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace('"id":"a"', '"id":"b"'));
    expect((await caught("MANIFEST_INVALID", () => readTestReads(run))).details.path).toBe(`${path}:1`);
    writeFileSync(path, text);
    appendFileSync(path, text.slice(0, 20));
    await caught("MANIFEST_INVALID", () => recordTestRead(run, readOf("b")));
  });
});
