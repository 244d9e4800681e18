import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readDocument } from "../../src/index.js";
import { caught } from "../caught.js";
import { documentTypes } from "../samples.js";
import { useTemporaryFolder } from "../temporary-folder.js";
import { attacks } from "./attacks.js";

const makeFolder = useTemporaryFolder();

/** What the error says where the path of the issue alone does not tell invariants apart. */
const phrases: Readonly<Record<string, string>> = {
  D1: "not UTF-8",
  D2: "not a JSON object",
  D3: "the content has SHA-256",
  D4: "not in canonical form",
  D9: "listed twice",
};

describe("a hostile document", () => {
  it.each(attacks)("$invariant: $kind, $name", async ({ invariant, kind, text, code, issue }) => {
    const path = join(makeFolder(), `${kind}.json`);
    writeFileSync(path, text);
    const error = await caught(code, () => readDocument(documentTypes[kind], path));
    expect(error.message).toContain(path);
    expect(error.message).toContain(phrases[invariant] ?? "");
    if ("issues" in error.details) expect(error.details.issues.map(({ path }) => path)).toContain(issue);
  });

  it("there is one for every numbered invariant of a document", () => {
    const numbers = new Set(attacks.map(({ invariant }) => invariant));
    expect([...numbers].toSorted()).toEqual(["D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9"]);
  });
});
