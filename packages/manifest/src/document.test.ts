import { createHash } from "node:crypto";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { caught } from "../test/caught.js";
import { kinds, documentTypes, samples } from "../test/samples.js";
import { checkpointManifestType } from "./checkpoint-manifest.js";
import { type DocumentType, parseDocument, parseLine, serializeDocument, serializeLine } from "./document.js";

interface Note {
  readonly kind: "note";
  readonly schemaVersion: number;
  readonly text?: string;
}

const noteType: DocumentType<Note> = {
  kind: "note",
  schemaVersion: 2,
  schema: z.object({ kind: z.literal("note"), schemaVersion: z.int().positive(), text: z.string().exactOptional() }),
};
const note: Note = { kind: "note", schemaVersion: 2, text: "größe" };

/** A document sealed by the rule of docs/formats.md, not by the code under test. */
function sealByHand(content: object): string {
  const digest = createHash("sha256")
    .update(Buffer.from(JSON.stringify(content), "utf8"))
    .digest("hex");
  return `${JSON.stringify({ ...content, digest }, null, 2)}\n`;
}

describe("serializeDocument", () => {
  it("writes the canonical form with the digest as its last field", () => {
    expect(serializeDocument({ kind: "note", schemaVersion: 1 })).toBe(
      `{
  "kind": "note",
  "schemaVersion": 1,
  "digest": "${createHash("sha256").update('{"kind":"note","schemaVersion":1}').digest("hex")}"
}
`,
    );
  });

  it("replaces the digest of a document that was read, so that it can be changed and written again", () => {
    const read = parseDocument(noteType, serializeDocument(note), "note.json");
    const changed = parseDocument(noteType, serializeDocument({ ...read, text: "other" } as Note), "note.json");
    expect(changed.text).toBe("other");
    expect(changed.digest).not.toBe(read.digest);
  });

  it.each([Number.NaN, Infinity, -Infinity])("refuses %s, which JSON would turn into null", (value) => {
    expect(() => serializeDocument({ ...note, deep: [{ value }] } as Note)).toThrow(TypeError);
  });
});

describe("parseDocument", () => {
  it.each(kinds)("gives back a %s document and its digest", (kind) => {
    const text = serializeDocument(samples[kind]);
    const { digest, ...content } = parseDocument(documentTypes[kind], text, "x");
    expect(content).toEqual(samples[kind]);
    expect(digest).toBe(createHash("sha256").update(JSON.stringify(samples[kind])).digest("hex"));
  });

  it("takes an older schema version and allows fields it does not know, which the digest covers", () => {
    const text = sealByHand({ kind: "note", schemaVersion: 1, added: [{ "2": 1, "1": 2 }] });
    expect(parseDocument(noteType, text, "x").schemaVersion).toBe(1);
  });

  it("refuses a newer schema version by name and both numbers", async () => {
    const text = sealByHand({ kind: "note", schemaVersion: 3, text: 5 });
    const error = await caught("SCHEMA_TOO_NEW", () => parseDocument(noteType, text, "note.json"));
    expect(error.details).toEqual({ path: "note.json", found: 3, supported: 2 });
    expect(error.message).toContain("note.json");
  });

  it("refuses another kind before it looks at its version", async () => {
    const text = sealByHand({ kind: "letter", schemaVersion: 3 });
    const error = await caught("MANIFEST_INVALID", () => parseDocument(noteType, text, "x"));
    expect(error.details.issues).toEqual([{ path: "kind", message: 'expected "note", found "letter"' }]);
  });

  it("lists every broken rule by its dotted path", async () => {
    const files = [{ path: "../x", sizeBytes: -1, sha256: "0" }];
    const text = sealByHand({ ...samples.checkpoint, step: 1.5, files });
    const error = await caught("MANIFEST_INVALID", () => parseDocument(checkpointManifestType, text, "x"));
    expect(error.details.issues.map((issue) => issue.path)).toEqual([
      "step",
      "files.0.path",
      "files.0.sizeBytes",
      "files.0.sha256",
    ]);
  });

  it("cannot be made to set a prototype", () => {
    const metrics: unknown = JSON.parse('{"__proto__": {"polluted": 1}, "loss": 1}');
    const text = sealByHand({ ...samples.checkpoint, metrics: { loss: 1 }, extra: metrics });
    const read = parseDocument(checkpointManifestType, text, "x");
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect("polluted" in read).toBe(false);
    expect("polluted" in read.metrics).toBe(false);
  });

  it.each([100, 2_000, 200_000])("answers nesting %i deep with a result or an error of its own", async (depth) => {
    const text = `{"kind": "note", "schemaVersion": 2, "deep": ${"[".repeat(depth)}${"]".repeat(depth)}}`;
    await caught("MANIFEST_INVALID", () => parseDocument(noteType, text, "x"));
  });

  it("takes deep nesting that is sealed, in a field it does not know", () => {
    let deep: unknown = 0;
    for (let level = 0; level < 200; level++) deep = [deep];
    expect(parseDocument(noteType, sealByHand({ ...note, deep }), "x").text).toBe(note.text);
  });

  it("gives back any content JSON can carry, whatever its keys", () => {
    const type: DocumentType<Note & { readonly value?: unknown }> = {
      ...noteType,
      schema: z.object({
        kind: z.literal("note"),
        schemaVersion: z.int(),
        text: z.string().exactOptional(),
        value: z.unknown(),
      }),
    };
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (drawn) => {
        // JSON has no -0.
        const value: unknown = JSON.parse(JSON.stringify(drawn));
        expect(parseDocument(type, serializeDocument({ ...note, value } as Note), "x").value).toEqual(value);
      }),
    );
  });
});

describe("parseLine", () => {
  const schema = z.object({ step: z.int() });

  it("reverses serializeLine and gives the digest", () => {
    const line = serializeLine({ step: 3 });
    expect(line).toBe(`{"step":3,"digest":"${createHash("sha256").update('{"step":3}').digest("hex")}"}\n`);
    expect(parseLine(schema, line.slice(0, -1), "x")).toMatchObject({ step: 3 });
  });

  it.each(["", "null", "[]", '"a"', '{"step":3}', `${serializeLine({ step: 3 }).trim()} `, "\uFEFF{}"])(
    "refuses %j",
    async (line) => {
      await caught("MANIFEST_INVALID", () => parseLine(schema, line, "x"));
    },
  );
});
