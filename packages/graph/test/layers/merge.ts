import * as tf from "@tensorflow/tfjs";

import { joinCase, type LayerCase, type LayerCases } from "./layer-case.js";

const { layers } = tf;
const matrix: tf.Shape = [3, 4];

function elementwise(make: () => tf.layers.Layer): readonly LayerCase[] {
  return [
    joinCase("of two", [matrix, matrix], make),
    joinCase("of three", [matrix, matrix, matrix], make),
    joinCase("of sizes that broadcast", [matrix, [3, 1]], make),
    joinCase("of other ranks", [matrix, [4]], make),
  ];
}

/** Cases of the layers of `merge.js`. */
export const mergeCases: LayerCases = {
  add: elementwise(() => layers.add()),
  average: elementwise(() => layers.average()),
  maximum: elementwise(() => layers.maximum()),
  minimum: elementwise(() => layers.minimum()),
  multiply: elementwise(() => layers.multiply()),
  concatenate: [
    joinCase("", [matrix, [3, 2]], () => layers.concatenate()),
    joinCase("axis", [matrix, [2, 4], matrix], () => layers.concatenate({ axis: 1 })),
    joinCase(
      "axis of images",
      [
        [4, 3, 2],
        [4, 3, 1],
      ].map((shape) => shape),
      () => layers.concatenate({ axis: 3 }),
    ),
  ],
  dot: [
    joinCase("of vectors", [[4], [4]], () => layers.dot({ axes: 1 })),
    joinCase("of matrices", [matrix, [5, 4]], () => layers.dot({ axes: 2 })),
    joinCase("axes of each", [matrix, [4, 5]], () => layers.dot({ axes: [2, 1] })),
    joinCase("over the first axis", [matrix, [3, 5]], () => layers.dot({ axes: 1 })),
    joinCase("of other ranks", [matrix, [4]], () => layers.dot({ axes: [2, 1] })),
    joinCase("normalize", [matrix, [5, 4]], () => layers.dot({ axes: 2, normalize: true })),
    joinCase(
      "of rank 4",
      [
        [2, 3, 4],
        [2, 3, 4],
      ],
      () => layers.dot({ axes: 2 }),
      {
        throws: "Dot layer does not support tensors of 4D or higher rank yet",
      },
    ),
  ],
};
