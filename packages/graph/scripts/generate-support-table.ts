import { writeFileSync } from "node:fs";

import * as tf from "@tensorflow/tfjs";

import { corrections } from "../src/correct/correct-kernels.js";
import { composedOps, opSchemas } from "../src/emit/graph-def/op-schemas.js";
import { findGraphModelOpReason, rewrittenForGraphModel } from "../src/emit/graph-model/graph-model-ops.js";
import { onnxEmitters } from "../src/emit/onnx/emit-onnx.js";
import { refusedKernels } from "../src/lower/refused-kernels.js";
import { lowerings } from "../src/lower/registry.js";
import { layerCases } from "../test/layers/layer-cases.js";
import { describeLayer } from "./describe-layer.js";

const sorted = (names: Iterable<string>): readonly string[] => [...names].toSorted();
const code = (names: Iterable<string>): string => Array.from(names, (name) => `\`${name}\``).join(", ");

function graphModelSupport(op: string): string {
  const rewritten = Object.hasOwn(rewrittenForGraphModel, op) ? rewrittenForGraphModel[op] : undefined;
  if (rewritten !== undefined) return `yes, ${rewritten}`;
  const reason = composedOps.has(op) ? undefined : findGraphModelOpReason(op, "");
  return reason === undefined ? "yes" : `no: ${reason}`;
}

function listOps(): string {
  return sorted(new Set([...Object.keys(opSchemas), ...composedOps]))
    .map((op) => `| \`${op}\` | yes | ${graphModelSupport(op)} | ${op in onnxEmitters ? "yes" : "no"} |`)
    .join("\n");
}

function listRefusals(): string {
  const reasons = sorted(new Set(Object.values(refusedKernels)));
  return reasons
    .map((reason) => {
      const kernels = Object.entries(refusedKernels).flatMap(([kernel, why]) => (why === reason ? [kernel] : []));
      return `| ${reason} | ${code(sorted(kernels))} |`;
    })
    .join("\n");
}

function listCorrections(): string {
  return corrections
    .toSorted((a, b) => (a.reason < b.reason ? -1 : a.reason > b.reason ? 1 : 0))
    .map(({ kernels, backends, reason }) => `| ${reason} | ${code(kernels)} | ${code(backends)} |`)
    .join("\n");
}

await tf.setBackend("cpu");
// Keeps TensorFlow.js from printing its warnings.
tf.env().set("IS_TEST", true);

const text = `# Supported layers, operations and kernels

Generated from the code by \`pnpm generate\`; CI fails when it is out of date.

A TensorFlow.js model is frozen by recording the kernels it runs, so what counts is its kernels, not its layers: custom
layers work like built-in ones. What cannot be expressed is refused before anything is written, all of it at once, with
the layers it came from (\`UNSUPPORTED_OP\`). Every open size of an input (batch, time, height, width) stays open in the
artifact; a layer that uses one as a number in its maths is refused (\`IMPURE_COMPUTATION\`), and so is one whose result has a
size that can neither be computed nor read from a tensor (\`UNSUPPORTED_SHAPE\`).

## Layers by format

Every layer of tfjs-layers 4.22 in inference. Each choice of options in the tests was captured and written in every
format to make this table; the tests also run it in every format and compare with the layer. The frozen \`.pb\` and the
SavedModel hold the same GraphDef. ONNX is opset 17.

| layer | GraphModel | GraphDef, SavedModel | ONNX | limits |
|---|---|---|---|---|
${Object.entries(layerCases)
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(([layer, cases]) => describeLayer(layer, cases))
  .join("\n")}

## What TensorFlow.js gets wrong

Kernels of TensorFlow.js 4.22 that give wrong results, on the backends named. The frozen model gives right ones: the
artifact is compared with the checkpoint's model as it would be with right kernels, and the freeze warns of it. The
checkpoint's own \`predict\` stays wrong on these backends, and so may its training have been.

| what is wrong | kernels | backends |
|---|---|---|
${listCorrections()}

Not corrected, since no built-in layer gets there: on \`wasm\`, \`Dilation2D\` and \`MaxPoolWithArgmax\` (in a frozen
GraphModel too) and \`RotateWithOffset\` give other results than on \`cpu\`.

## Operations by format

\`Scan\` is a recurrent layer or a \`timeDistributed\` one: for TensorFlow and TensorFlow.js it is written step by step, or,
beyond 200 steps or over an open number of them, as a \`StatelessWhile\`; for ONNX as \`LSTM\`, \`GRU\` or \`RNN\`, or as ONNX's
own \`Scan\` where there is a mask, or a cell or an activation that these do not have.

| operation | GraphDef, SavedModel | GraphModel | ONNX |
|---|---|---|---|
${listOps()}

ONNX has no \`Atan2\`: it is composed of others, which give no number where both sides are infinite.

## TensorFlow.js kernels

Captured: ${code(sorted(Object.keys(lowerings)))}.

\`Fill\`, \`LinSpace\` and \`Range\` take no tensors, so their results are constants. Refused are:

| why | kernels |
|---|---|
${listRefusals()}
`;

writeFileSync(new URL("../../../docs/support.md", import.meta.url), text);
