import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { isCkptError } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { type PlannedGraph, planGraph } from "../src/plan-graph.js";

const fixtures = join(import.meta.dirname, "fixtures/tensorflow");

function plan(bytes: Uint8Array, file: string): PlannedGraph {
  return planGraph(bytes, { file, path: file }, { cut: { outputs: ["probs"] }, pins: {} });
}

/** What planning the bytes ends with, other than a plan or an error that says what is wrong with them. */
function findFault(bytes: Uint8Array, file: string): string | undefined {
  try {
    plan(bytes, file);
    return undefined;
  } catch (error) {
    return isCkptError(error) ? undefined : String((error as Error).stack);
  }
}

// Primes, so that over the files every position of a message is met.
const strides = {
  "mlp-resource/model.ckpt-20.meta": 7,
  "rnn-while-function/model.ckpt-1.meta": 31,
  "object-based/graph.pbtxt": 31,
};

describe.each(Object.entries(strides))("%s", (name, stride) => {
  it("whole is a graph", async () => {
    const bytes = await readFile(join(fixtures, name));
    expect(plan(bytes, name).plan.nodes.length).toBeGreaterThan(1);
  });

  it("flipped in one byte is a graph or refused", async () => {
    const bytes = await readFile(join(fixtures, name));
    for (let at = 0; at < bytes.length; at += stride) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      expect([at, findFault(damaged, name)]).toEqual([at, undefined]);
    }
  });

  it("cut short is a graph or refused", async () => {
    const bytes = await readFile(join(fixtures, name));
    for (let length = 0; length < bytes.length; length += stride) {
      expect([length, findFault(bytes.subarray(0, length), name)]).toEqual([length, undefined]);
    }
  });
});
