import * as tf from "@tensorflow/tfjs";

import type { Format } from "../run-formats.js";

/** A model around one layer with one choice of its options. */
export interface LayerCase {
  /** The choice, to be read after the layer's name; empty for the defaults. */
  readonly note: string;
  readonly build: () => tf.LayersModel;
  /** Inputs are whole numbers below this. */
  readonly indexLimit?: number;
  /** Part of what TensorFlow.js itself says to this choice: there is no model to freeze. */
  readonly throws?: string;
  /** Formats that cannot express it, with part of the reason. */
  readonly refused?: Readonly<Partial<Record<Format, string>>>;
  /** What TensorFlow.js computes wrong here, on `cpu` at least: part of the reason that `correctKernels` gives. */
  readonly corrected?: string;
  /** What else to know before using the frozen model. */
  readonly limit?: string;
}

/** Cases by the name of the function of `tf.layers` that makes the layer. */
export type LayerCases = Readonly<Record<string, readonly LayerCase[]>>;

/** What a case says besides its note and its model. */
export type CaseExtras = Omit<LayerCase, "note" | "build">;

/** A model of layers in a row. */
export function stack(inputShape: readonly number[], ...list: readonly tf.layers.Layer[]): tf.LayersModel {
  const input = tf.input({ shape: [...inputShape] });
  const output = list.reduce<tf.SymbolicTensor>((x, layer) => layer.apply(x) as tf.SymbolicTensor, input);
  return tf.model({ inputs: input, outputs: output });
}

/** A model of one layer, or of several that a choice takes together. */
export function layerCase(
  note: string,
  inputShape: readonly number[],
  make: () => tf.layers.Layer | readonly tf.layers.Layer[],
  extras: CaseExtras = {},
): LayerCase {
  return { note, build: () => stack(inputShape, ...[make()].flat()), ...extras };
}

/** A model of one layer with several inputs. */
export function joinCase(
  note: string,
  inputs: readonly (tf.Shape | { readonly shape: tf.Shape; readonly dtype: tf.DataType })[],
  make: () => tf.layers.Layer,
  extras: CaseExtras = {},
): LayerCase {
  const build = (): tf.LayersModel => {
    const symbols = inputs.map((input) => tf.input("dtype" in input ? { ...input } : { shape: [...input] }));
    return tf.model({ inputs: symbols, outputs: make().apply(symbols) as tf.SymbolicTensor });
  };
  return { note, build, ...extras };
}
