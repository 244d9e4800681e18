import type * as tf from "@tensorflow/tfjs";
import { describe, it } from "vitest";

import type { Attribute, Graph } from "../src/ir/graph.js";
import { buildGraph, dtypeOf } from "./build-graph.js";
import { allFormats, expectClose, type Feeds, type Format, runFormat, toOutput } from "./run-formats.js";

/** One operation with the tfjs call that says what it has to give. */
export interface OpCase {
  readonly op: string;
  readonly note?: string;
  /** Tensors fed at run time, their first dimension dynamic. */
  readonly fed: readonly tf.Tensor[];
  /** Which arguments are constants in the graph, by position among the inputs. */
  readonly constants?: Readonly<Record<number, tf.Tensor>>;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly expected: (...fed: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  readonly formats?: readonly Format[];
  /** The size of the first dimension is fixed where the output's does not follow it. */
  readonly isStatic?: boolean;
}

/** A graph of one operation whose outputs are named, one after the other, `result 0`, `result 1`, ... */
function graphOf(opCase: OpCase): { graph: Graph; feeds: Feeds; expected: tf.Tensor[] } {
  const builder = buildGraph();
  const constants = opCase.constants ?? {};
  const fed = [...opCase.fed];
  const feeds: Record<string, tf.Tensor> = {};
  const inputs = Array.from({ length: fed.length + Object.keys(constants).length }, (_, position) => {
    const constant = constants[position];
    if (constant !== undefined) {
      return builder.constant(constant);
    }
    const tensor = fed.shift()!;
    const name = `input ${position}`;
    feeds[name] = tensor;
    return builder.input(name, dtypeOf(tensor), isSizes(tensor) ? tensor.shape : dynamic(tensor, opCase));
  });
  const result = opCase.expected(...opCase.fed);
  const expected = Array.isArray(result) ? result : [result];
  const infos = expected.map((tensor) => ({ dtype: dtypeOf(tensor), shape: dynamic(tensor, opCase) }));
  const { node } = builder.node(opCase.op, inputs, infos, opCase.attributes);
  const outputs = Object.fromEntries(expected.map((_, output) => [`result ${output}`, { node, output }]));
  return { graph: builder.build(outputs), feeds, expected };
}

/** A shape or index vector keeps its length. */
function isSizes(tensor: tf.Tensor): boolean {
  return tensor.rank === 1 && tensor.dtype === "int32";
}

function dynamic(tensor: tf.Tensor, opCase: OpCase): (number | null)[] {
  return tensor.rank === 0 || opCase.isStatic === true ? tensor.shape : [null, ...tensor.shape.slice(1)];
}

/** Declares a test of each case that runs it in its formats and compares with tfjs. */
export function describeOps(name: string, cases: readonly OpCase[]): void {
  const named = cases.map((opCase) => [`${opCase.op} ${opCase.note ?? ""}`.trim(), opCase] as const);
  describe(`emitted ${name} give what tfjs gives`, () => {
    it.each(named)("%s", async (_, opCase) => {
      const { graph, feeds, expected } = graphOf(opCase);
      for (const format of opCase.formats ?? allFormats) {
        expectClose(await runFormat(format, graph, feeds), expected.map(toOutput));
      }
    });
  });
}
