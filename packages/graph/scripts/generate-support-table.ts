import { writeFileSync } from "node:fs";

import { composedOps, opSchemas } from "../src/emit/graph-def/op-schemas.js";
import { findGraphModelOpReason } from "../src/emit/graph-model/graph-model-ops.js";
import { onnxEmitters } from "../src/emit/onnx/emit-onnx.js";
import { lowerings } from "../src/lower/registry.js";

const sorted = (names: Iterable<string>): readonly string[] => [...names].toSorted();

const ops = sorted([...Object.keys(opSchemas), ...composedOps]).map((op) => {
  const graphModel = composedOps.has(op) ? undefined : findGraphModelOpReason(op, "");
  return `| \`${op}\` | yes | ${graphModel === undefined ? "yes" : `no: ${graphModel}`} | ${op in onnxEmitters ? "yes" : "no"} |`;
});

const text = `# Supported operations

Generated from the code by \`pnpm generate\`; CI fails when it is out of date.

A TensorFlow.js model is frozen by recording the kernels it runs, so what counts is its kernels, not its layers: custom
layers work like built-in ones. What cannot be expressed is refused before anything is written, all of it at once, with
the layers it came from (\`UNSUPPORTED_OP\`). Every open size of an input (batch, time, height, width) stays open in the
artifact; a layer that uses one as a number in its maths is refused (\`IMPURE_COMPUTATION\`), and so is one whose result has a
size that can neither be computed nor read from a tensor (\`UNSUPPORTED_SHAPE\`).

## Operations by format

What each format can hold. A model reaches an operation through the kernels listed below; those that no kernel there is
translated to (3-D convolution and pooling, \`Cumprod\`, gathers and scatters of several axes) wait for other sources.
The frozen \`.pb\` and the SavedModel hold the same GraphDef. ONNX is opset 17. \`Prelu\` is written as other operations
where there is none. \`Scan\` is a recurrent layer or a \`timeDistributed\` one: for TensorFlow and TensorFlow.js it is written
step by step, or, beyond 200 steps, as a \`StatelessWhile\`; for ONNX as \`LSTM\`, \`GRU\` or \`RNN\`, or as ONNX's own \`Scan\`
where there is a mask, or a cell or an activation that these do not have.

| operation | GraphDef, SavedModel | GraphModel | ONNX |
|---|---|---|---|
${ops.join("\n")}

## TensorFlow.js kernels that are captured

${sorted(Object.keys(lowerings))
  .map((kernel) => `\`${kernel}\``)
  .join(", ")}.
`;

writeFileSync(new URL("../../../docs/support.md", import.meta.url), text);
