import * as tf from "@tensorflow/tfjs";

import { layerCase, type LayerCase, type LayerCases } from "./layer-case.js";

const { layers } = tf;

type Cell = Exclude<Parameters<typeof layers.rnn>[0]["cell"], unknown[] | undefined>;
type Recurrent = Partial<Parameters<typeof layers.simpleRNN>[0]>;
type Make = (options: Recurrent) => tf.layers.Layer;

/** The choices that all recurrent layers have. */
function choices(make: Make): readonly LayerCase[] {
  return [
    layerCase("", [4, 3], () => make({})),
    layerCase("returnSequences", [4, 3], () => make({ returnSequences: true })),
    layerCase("goBackwards", [4, 3], () => make({ goBackwards: true, returnSequences: true })),
    layerCase("useBias: false", [4, 3], () => make({ useBias: false })),
    layerCase("activation", [4, 3], () => make({ activation: "relu" })),
    layerCase("dropout", [4, 3], () => make({ dropout: 0.5, recurrentDropout: 0.5 })),
    layerCase("masked", [4, 3], () => [
      layers.reLU(),
      layers.masking({ maskValue: 0 }),
      make({ returnSequences: true }),
    ]),
    {
      note: "returnState",
      build: () => {
        const inputs = tf.input({ shape: [4, 3] });
        return tf.model({ inputs, outputs: make({ returnState: true }).apply(inputs) as tf.SymbolicTensor[] });
      },
    },
    {
      note: "initialState",
      build: () => {
        const inputs = tf.input({ shape: [4, 3] });
        const [, ...states] = make({ returnState: true }).apply(inputs) as tf.SymbolicTensor[];
        const outputs = make({}).apply(inputs, { initialState: states }) as tf.SymbolicTensor;
        return tf.model({ inputs, outputs });
      },
    },
  ];
}

/** A cell in a layer that runs it. */
function cellCase(make: () => Cell): readonly LayerCase[] {
  return [layerCase("in rnn", [4, 3], () => layers.rnn({ cell: make(), returnSequences: true }))];
}

const lstm: Make = (options) => layers.lstm({ units: 2, ...options });
const gru: Make = (options) => layers.gru({ units: 2, ...options });

const convLstm = (options: object): tf.layers.Layer => layers.convLstm2d({ filters: 2, kernelSize: 2, ...options });

/** Cases of the layers of `recurrent.js`, `convolutional_recurrent.js` and `wrappers.js`. */
export const recurrentCases: LayerCases = {
  simpleRNN: choices((options) => layers.simpleRNN({ units: 2, ...options })),
  gru: [
    ...choices(gru),
    layerCase("recurrentActivation", [3, 3], () => layers.gru({ units: 2, recurrentActivation: "sigmoid" })),
    layerCase("implementation: 1", [3, 3], () => layers.gru({ units: 2, implementation: 1 })),
    layerCase("resetAfter", [3, 3], () => layers.gru({ units: 2, resetAfter: true } as never), {
      throws: "GRUCell does not support reset_after parameter set to true",
    }),
  ],
  lstm: [
    ...choices(lstm),
    layerCase("recurrentActivation", [3, 3], () => layers.lstm({ units: 2, recurrentActivation: "sigmoid" })),
    layerCase("implementation: 1", [3, 3], () => layers.lstm({ units: 2, implementation: 1 })),
    layerCase("unitForgetBias: false", [3, 3], () => layers.lstm({ units: 2, unitForgetBias: false })),
  ],
  simpleRNNCell: cellCase(() => layers.simpleRNNCell({ units: 2 })),
  gruCell: cellCase(() => layers.gruCell({ units: 2 })),
  lstmCell: cellCase(() => layers.lstmCell({ units: 2 })),
  stackedRNNCells: cellCase(() =>
    layers.stackedRNNCells({ cells: [layers.lstmCell({ units: 2 }), layers.gruCell({ units: 3 })] }),
  ),
  rnn: [
    layerCase("of several cells", [3, 3], () =>
      layers.rnn({ cell: [layers.simpleRNNCell({ units: 2 }), layers.lstmCell({ units: 2 })] }),
    ),
  ],
  convLstm2d: [
    layerCase("", [3, 4, 4, 2], () => convLstm({})),
    layerCase("padding: same, returnSequences", [3, 4, 4, 2], () =>
      convLstm({ padding: "same", returnSequences: true }),
    ),
    layerCase("strides", [2, 5, 5, 1], () => convLstm({ strides: 2 })),
    layerCase("dataFormat: channelsFirst", [2, 2, 4, 4], () => convLstm({ dataFormat: "channelsFirst" })),
  ],
  convLstm2dCell: [
    layerCase(
      "in rnn",
      [2, 4, 4, 2],
      () => layers.rnn({ cell: layers.convLstm2dCell({ filters: 2, kernelSize: 2 }) }),
      { throws: "expected ndim=3, found ndim=5" },
    ),
  ],
  timeDistributed: [
    layerCase("of dense", [3, 4], () => layers.timeDistributed({ layer: layers.dense({ units: 2 }) })),
    layerCase("of conv2d", [3, 5, 5, 2], () =>
      layers.timeDistributed({ layer: layers.conv2d({ filters: 2, kernelSize: 2 }) }),
    ),
  ],
  bidirectional: [
    ...(["concat", "sum", "mul", "ave"] as const).map((mergeMode) =>
      layerCase(`mergeMode: ${mergeMode}`, [3, 4], () =>
        layers.bidirectional({ layer: layers.lstm({ units: 2, returnSequences: true }), mergeMode }),
      ),
    ),
    {
      note: "mergeMode: null",
      build: () => {
        const inputs = tf.input({ shape: [3, 4] });
        const layer = layers.bidirectional({ layer: layers.gru({ units: 2 }), mergeMode: null as never });
        return tf.model({ inputs, outputs: layer.apply(inputs) as tf.SymbolicTensor[] });
      },
    },
  ],
};
