import type { Dtype, Signature } from "@ckpt/manifest";
import { isCkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { captureFunction, correctKernels, optimize } from "../src/index.js";
import type { Graph } from "../src/ir/graph.js";
import { refusedKernels } from "../src/lower/refused-kernels.js";
import { lowerings } from "../src/lower/registry.js";
import type { KernelCase } from "./kernels/kernel-case.js";
import { kernelCases } from "./kernels/kernel-cases.js";
import { allFormats, expectClose, runFormat, toOutput } from "./run-formats.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

function outputsOf({ compute }: KernelCase, inputs: tf.Tensor[]): tf.Tensor[] {
  const result = correctKernels(() => compute(...inputs));
  return Array.isArray(result) ? result : [result];
}

/** What differs between two batch sizes is open. */
function signatureOf(kernelCase: KernelCase): Signature {
  const [first, second] = [2, 3].map((batch) => {
    const inputs = kernelCase.inputs(batch);
    return { inputs, outputs: outputsOf(kernelCase, inputs) };
  });
  const specs = (kind: "inputs" | "outputs"): Signature["inputs"] =>
    first![kind].map(({ dtype, shape }, index) => ({
      name: `${kind}${index}`,
      dtype: dtype as Dtype,
      shape: shape.map((size, axis) => (size === second![kind][index]!.shape[axis] ? size : null)),
    }));
  return { inputs: specs("inputs"), outputs: specs("outputs") };
}

async function runs(kernel: string, kernelCase: KernelCase): Promise<boolean> {
  const { kernels } = await tf.profile(() => [kernelCase.compute(...kernelCase.inputs(2))].flat());
  return kernels.some(({ name }) => name === kernel);
}

const cases = Object.entries(kernelCases).flatMap(([kernel, list]) =>
  list.map((kernelCase) => [`${kernel} ${kernelCase.note ?? ""}`.trim(), kernel, kernelCase] as const),
);

describe("a kernel", () => {
  it("is translated with a case here, refused with a reason, or a constant", () => {
    const names = Object.entries(tf).flatMap(([name, value]) =>
      typeof value === "string" && /^(?:[A-Z]|_F)/.test(name) && name !== "OP_SCOPE_SUFFIX" ? [value] : [],
    );
    const decided = [...Object.keys(lowerings), ...Object.keys(refusedKernels), "Fill", "LinSpace", "Range"];
    expect(decided.toSorted()).toEqual([...new Set(names)].toSorted());
    expect(Object.keys(kernelCases).toSorted()).toEqual(Object.keys(lowerings).toSorted());
  });

  it.each(cases)("%s means the same in every format", async (_, kernel, kernelCase) => {
    expect(await runs(kernel, kernelCase)).toBe(true);
    const signature = signatureOf(kernelCase);
    const graph = optimize(captureFunction((...inputs) => kernelCase.compute(...inputs), signature).graph);
    for (const format of allFormats) {
      const refusal = kernelCase.refused?.[format];
      const check = compareIn(format, graph, kernelCase, signature);
      if (refusal === undefined) await check;
      else await expect(check).rejects.toSatisfy((error) => isRefusal(error, refusal));
    }
  });
});

async function compareIn(
  format: (typeof allFormats)[number],
  graph: Graph,
  kernelCase: KernelCase,
  signature: Signature,
): Promise<void> {
  for (const batch of [1, 4]) {
    const inputs = kernelCase.inputs(batch);
    const feeds = Object.fromEntries(signature.inputs.map(({ name }, index) => [name, inputs[index]!]));
    expectClose(await runFormat(format, graph, feeds), outputsOf(kernelCase, inputs).map(toOutput), 2e-6);
  }
}

function isRefusal(error: unknown, reason: string): boolean {
  return isCkptError(error, "UNSUPPORTED_OP") && error.details.ops.every((op) => op.reason.includes(reason));
}
