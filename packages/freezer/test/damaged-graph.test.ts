import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { captureGraphDef, loadGraphDef } from "@ckpt/graph";
import { isCkptError } from "@ckpt/manifest";
import { openBundle } from "@ckpt/tensor-bundle";
import { describe, expect, it } from "vitest";

import { type PlannedGraph, planGraph } from "../src/plan-graph.js";
import { readVariables } from "../src/read-variables.js";

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

/** What loading and capturing the bytes, once planned, ends with other than a graph or such an error. */
async function findFaultInUse(bytes: Uint8Array, file: string, prefix: string): Promise<string | undefined> {
  const bundle = await openBundle(join(fixtures, prefix));
  try {
    const planned = plan(bytes, file).plan;
    const values = await readVariables(bundle, planned.variables, { isAveraged: false });
    (await loadGraphDef(planned, values)).dispose();
    await captureGraphDef(planned, values);
    return undefined;
  } catch (error) {
    return isCkptError(error) ? undefined : String((error as Error).stack);
  } finally {
    await bundle.close();
  }
}

// Primes, so that over the files every position of a message is met.
const cases = [
  { name: "mlp-resource/model.ckpt-20.meta", prefix: "mlp-resource/model.ckpt-20", stride: 13, useStride: 127 },
  {
    name: "rnn-while-function/model.ckpt-1.meta",
    prefix: "rnn-while-function/model.ckpt-1",
    stride: 31,
    useStride: 331,
  },
  { name: "object-based/graph.pbtxt", prefix: "object-based/ckpt-1", stride: 61, useStride: 257 },
];

describe.each(cases)("$name", ({ name, prefix, stride, useStride }) => {
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

  it("flipped in one byte is captured or refused", async () => {
    const bytes = await readFile(join(fixtures, name));
    for (let at = 0; at < bytes.length; at += useStride) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      expect([at, await findFaultInUse(damaged, name, prefix)]).toEqual([at, undefined]);
    }
  });

  it("cut short is a graph or refused", async () => {
    const bytes = await readFile(join(fixtures, name));
    for (let length = 0; length < bytes.length; length += stride) {
      expect([length, findFault(bytes.subarray(0, length), name)]).toEqual([length, undefined]);
    }
  });
});
