import type { Node, SymbolicShape } from "../../ir/graph.js";
import type { OnnxAttribute } from "./onnx-attribute.js";
import { intsAttribute, stringAttribute } from "./onnx-emitter.js";
import { UnsupportedReason } from "./onnx-writer.js";

/** The sliding window of a convolution or pooling: one number for each spatial axis. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

/** Reads strides and dilations, which TensorFlow gives for all axes, channels last. */
export function readWindow(node: Node, kernel: readonly number[]): Window {
  const ones = [1, ...kernel.map(() => 1), 1];
  const dataFormat = stringAttribute(node, "data_format", "");
  if (dataFormat.startsWith("NC")) {
    throw new UnsupportedReason(`data format ${dataFormat}`);
  }
  return {
    kernel,
    strides: intsAttribute(node, "strides", ones).slice(1, -1),
    dilations: intsAttribute(node, "dilations", ones).slice(1, -1),
  };
}

/** Padding before and after each spatial axis. */
export interface Padding {
  readonly before: number;
  readonly after: number;
}

/** With a stride of 1, or a window of 1, the padding is the same for every size. */
const anySize = 1;

/** How many elements of an axis the window covers, gaps included. */
export function spanOf({ kernel, dilations }: Window, axis: number): number {
  return ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) + 1;
}

/**
 * The padding of a window over spatial sizes, or `undefined` for `SAME` with strides over a size known only at run time.
 * `SAME` gives `ceil(size / stride)` results and puts the odd element behind. Throws {@link UnsupportedReason} where
 * ONNX Runtime would pad otherwise.
 * Reference: tf.nn, "Notes on padding".
 */
export function paddingOf(node: Node, window: Window, sizes: SymbolicShape): readonly Padding[] | undefined {
  const padding = stringAttribute(node, "padding", "VALID");
  if (padding === "EXPLICIT") {
    const explicit = intsAttribute(node, "explicit_paddings", []);
    return window.kernel.map((_, axis) => ({
      before: explicit[2 * axis + 2] ?? 0,
      after: explicit[2 * axis + 3] ?? 0,
    }));
  }
  if (padding === "VALID") {
    return window.kernel.map(() => ({ before: 0, after: 0 }));
  }
  const paddings: Padding[] = [];
  for (const axis of window.kernel.keys()) {
    const stride = window.strides[axis] ?? 1;
    const span = spanOf(window, axis);
    const size = sizes[axis] ?? (stride === 1 || span === 1 ? anySize : undefined);
    if (size === undefined) {
      // ONNX Runtime would take a negative padding, where TensorFlow takes none.
      if (span < stride) {
        throw new UnsupportedReason(
          "padding same of a window smaller than its stride, over a size known only at run time",
        );
      }
      return undefined;
    }
    const total = Math.max((Math.ceil(size / stride) - 1) * stride + span - size, 0);
    paddings.push({ before: Math.floor(total / 2), after: Math.ceil(total / 2) });
  }
  return paddings;
}

/** Padding as ONNX takes it: all of before, then all of after. */
export function toPaddingAttributes(paddings: readonly Padding[] | undefined): Record<string, OnnxAttribute> {
  if (paddings === undefined) {
    return { auto_pad: { string: "SAME_UPPER" } };
  }
  return { pads: { ints: [...paddings.map(({ before }) => before), ...paddings.map(({ after }) => after)] } };
}
