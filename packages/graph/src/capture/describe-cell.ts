import { tf } from "#tfjs";

import type { TracedCell } from "./trace.js";

type Cell = tf.RNN["cell"];

/** The weights of the cells of TensorFlow.js' own layers. */
interface CellWeights {
  readonly kernel: tf.LayerVariable;
  readonly recurrentKernel: tf.LayerVariable;
  readonly bias: tf.LayerVariable | null;
}

const makers: Readonly<Record<TracedCell["kind"], () => object>> = {
  lstm: () => tf.layers.lstmCell({ units: 1, name: "lstm" }),
  gru: () => tf.layers.gruCell({ units: 1, name: "gru" }),
  simple: () => tf.layers.simpleRNNCell({ units: 1, name: "simple" }),
};

/**
 * What is known of a cell that is an LSTM, GRU or simple cell and no more: `null` for one derived from them, which may do
 * anything else, and for one whose weights are not kept by name.
 */
export function describeCell(cell: Cell, findWeight: (tensor: tf.Tensor) => string | undefined): TracedCell | null {
  const kind = (["lstm", "gru", "simple"] as const).find(
    (each) => Object.getPrototypeOf(cell) === Object.getPrototypeOf(makers[each]()),
  );
  if (kind === undefined) return null;
  const { activation, recurrentActivation } = cell.getConfig();
  const weights = cell as unknown as CellWeights;
  const kernel = findWeight(weights.kernel.read());
  const recurrentKernel = findWeight(weights.recurrentKernel.read());
  const bias = weights.bias === null ? null : findWeight(weights.bias.read());
  if (typeof activation !== "string" || kernel === undefined || recurrentKernel === undefined || bias === undefined) {
    return null;
  }
  return {
    kind,
    activation,
    recurrentActivation: typeof recurrentActivation === "string" ? recurrentActivation : null,
    kernel,
    recurrentKernel,
    bias,
  };
}
