import { readFile } from "node:fs/promises";

import { isCkptError } from "@ckpt/manifest";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { fixture } from "../test/expected-tensors.js";
import { type CheckpointState, parseCheckpointState, serializeCheckpointState } from "./checkpoint-state.js";

const parse = (text: string): CheckpointState => parseCheckpointState(text);

describe("parseCheckpointState", () => {
  it("reads what a v1 Saver writes, and writes it back", async () => {
    const text = await readFile(fixture("several/checkpoint"), "utf8");
    const state = parse(text);
    expect(state).toEqual({
      latest: "-mlp3-40000",
      all: ["-mlp3-20000", "-mlp3-30000", "-mlp3-40000"],
      timestamps: [],
    });
    expect(serializeCheckpointState(state)).toBe(text);
  });

  it("reads what a CheckpointManager writes, and writes it back", async () => {
    const text = await readFile(fixture("objects/checkpoint"), "utf8");
    const state = parse(text);
    expect(state).toMatchObject({ latest: "ckpt-3", all: ["ckpt-2", "ckpt-3"] });
    expect(state.timestamps).toHaveLength(2);
    expect(state.timestamps[0]).toBeLessThan(state.timestamps[1]!);
    expect(state.lastPreservedTimestamp).toBeLessThan(state.timestamps[0]!);
    expect(serializeCheckpointState(state)).toBe(text);
  });

  it.each([
    ["escapes", String.raw`"C:\\save\\n\303\251\n\x41\"\'\u00e9"`, "C:\\save\\né\nA\"'é"],
    ["single quotes", `'it"s'`, 'it"s'],
    ["pieces", `"model"\n  '-1' # a comment\n "0"`, "model-10"],
    ["text beyond ASCII", '"épreuve"', "épreuve"],
    ["a long escape", String.raw`"\U0001f600\a\?\101\0"`, "\u{1f600}\u0007?A\0"],
  ])("reads text with %s", (_, value, expected) => {
    expect(parse(`model_checkpoint_path :${value};`).latest).toBe(expected);
  });

  it("passes over fields it does not know, comments and separators", () => {
    const text = '# comment\nversion: 2, kind: FINAL; note: "x"\n\tmodel_checkpoint_path:"a" ratio: -1.5e-3';
    expect(parse(text)).toEqual({ latest: "a", all: ["a"], timestamps: [] });
  });

  it("counts the latest among all", () => {
    expect(parse('all_model_checkpoint_paths: "a" model_checkpoint_path: "b"').all).toEqual(["a", "b"]);
  });

  it.each([
    ["nothing", "", "it names no model_checkpoint_path"],
    ["text that does not end", 'a: 1\nmodel_checkpoint_path: "a\n"', "line 2: expected text that ends on its line"],
    ["an escape of no meaning", String.raw`model_checkpoint_path: "\q"`, "line 1: expected escapes as in C"],
    ["an escape beyond a byte", String.raw`model_checkpoint_path: "\777"`, "line 1: expected escapes as in C"],
    ["bytes that are not UTF-8", String.raw`model_checkpoint_path: "\377"`, "model_checkpoint_path is not UTF-8"],
    ["a number as a name", "model_checkpoint_path: 7", "model_checkpoint_path: expected text in quotes"],
    ["a name as a time", 'model_checkpoint_path: "a" last_preserved_timestamp: "b"', "expected a number"],
    ["a message within", 'model_checkpoint_path: "a" inner { x: 1 }', "expected a colon after inner"],
    ["a value that is missing", "model_checkpoint_path:", "expected a number, a name or text in quotes"],
    ["something else", "<html>", "line 1: expected the name of a field"],
  ])("refuses %s", (_, text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it("takes any text or refuses it, in time that grows with it", () => {
    const piece = fc.constantFrom("model_checkpoint_path", ":", '"', "'", "\\", "\n", "#", "a", " ", "7", "\\x4", "{");
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(piece).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          expect(parse(text).all.length).toBeGreaterThan(0);
        } catch (error) {
          if (!isCkptError(error, "BUNDLE_INVALID")) throw error;
        }
      }),
      { numRuns: 2000 },
    );
    for (const long of [" ", "#", '"', "a", "\\", "'a' "]) {
      expect(() => parse(`x: ${long.repeat(2 ** 19)}`)).toThrow("not a valid TensorFlow checkpoint");
    }
  });
});

describe("serializeCheckpointState", () => {
  it("is read back as it was", () => {
    const names = fc.string({
      unit: fc.oneof(
        fc.constantFrom('"', "\\", "\n", "'", "\0"),
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
      ),
    });
    const states = fc.record({
      latest: names,
      others: fc.uniqueArray(names),
      timestamps: fc.array(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
    });
    fc.assert(
      fc.property(states, ({ latest, others, timestamps }) => {
        const state = { latest, all: [...others.filter((name) => name !== latest), latest], timestamps };
        expect(parse(serializeCheckpointState(state))).toEqual(state);
      }),
    );
  });
});
