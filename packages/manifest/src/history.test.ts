import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { caught } from "../test/caught.js";
import { history } from "../test/samples.js";
import { useTemporaryFolder } from "../test/temporary-folder.js";
import { parseHistory, readHistory, serializeHistoryRecord } from "./history.js";

const makeFolder = useTemporaryFolder();
const lines = history.map(serializeHistoryRecord);
const text = lines.join("");

describe("parseHistory", () => {
  it("gives back every record, in order", () => {
    expect(parseHistory(text, "x")).toMatchObject(history);
    expect(parseHistory("", "x")).toEqual([]);
  });

  it("names the line that is damaged", async () => {
    const damaged = [lines[0], lines[1]?.replace("0.75", "0.70"), lines[2]].join("");
    expect((await caught("MANIFEST_INVALID", () => parseHistory(damaged, "history.jsonl"))).details.path).toBe(
      "history.jsonl:2",
    );
  });

  it.each([
    ["a line twice", [lines[0], lines[1], lines[1]], "line 3"],
    ["lines in another order", [lines[1], lines[0]], "line 2"],
    ["a last line without its line feed", [lines[0], lines[1]?.trimEnd()], "line 2"],
  ])("refuses %s and says where", async (_name, parts, where) => {
    const error = await caught("MANIFEST_INVALID", () => parseHistory(parts.join(""), "x"));
    expect(error.details.issues[0]?.path).toBe(where);
  });

  it.each([
    ["an empty line", `${text}\n`],
    ["line feeds of another system", text.replaceAll("\n", "\r\n")],
    ["a negative step", serializeHistoryRecord({ step: -1, epoch: 0, metrics: {} })],
    ["a fraction of an epoch", serializeHistoryRecord({ step: 1, epoch: 0.5, metrics: {} })],
  ])("refuses %s", async (_name, damaged) => {
    await caught("MANIFEST_INVALID", () => parseHistory(damaged, "x"));
  });
});

describe("readHistory", () => {
  it("reads the file, or says that there is none", async () => {
    const path = join(makeFolder(), "history.jsonl");
    await caught("FILE_MISSING", () => readHistory(path));
    writeFileSync(path, text);
    expect((await readHistory(path)).map(({ step }) => step)).toEqual([0, 60, 120]);
  });
});
