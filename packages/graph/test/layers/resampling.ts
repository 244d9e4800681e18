import * as tf from "@tensorflow/tfjs";

import { layerCase, type LayerCases } from "./layer-case.js";

const { layers } = tf;

/** Cases of the layers that pad, crop and enlarge images. */
export const resamplingCases: LayerCases = {
  cropping2D: [
    layerCase("a number", [6, 5, 2], () => layers.cropping2D({ cropping: 1 })),
    layerCase("a pair", [6, 5, 2], () => layers.cropping2D({ cropping: [1, 2] })),
    layerCase("two pairs", [6, 5, 2], () =>
      layers.cropping2D({
        cropping: [
          [1, 2],
          [0, 1],
        ],
      }),
    ),
    layerCase("dataFormat: channelsFirst", [2, 6, 5], () =>
      layers.cropping2D({ cropping: [2, 1], dataFormat: "channelsFirst" }),
    ),
  ],
  upSampling2d: [
    layerCase("", [3, 4, 2], () => layers.upSampling2d({})),
    layerCase("size", [3, 4, 2], () => layers.upSampling2d({ size: [2, 3] })),
    layerCase("interpolation: bilinear", [3, 4, 2], () =>
      layers.upSampling2d({ size: [2, 3], interpolation: "bilinear" }),
    ),
    layerCase("dataFormat: channelsFirst", [2, 3, 4], () =>
      layers.upSampling2d({ size: [2, 3], dataFormat: "channelsFirst" }),
    ),
    layerCase("behind a convolution", [4, 4, 2], () => [
      layers.conv2d({ filters: 3, kernelSize: 2 }),
      layers.upSampling2d({ size: [2, 2] }),
    ]),
  ],
  zeroPadding2d: [
    layerCase("", [3, 4, 2], () => layers.zeroPadding2d()),
    layerCase("a number", [3, 4, 2], () => layers.zeroPadding2d({ padding: 2 })),
    layerCase("a pair", [3, 4, 2], () => layers.zeroPadding2d({ padding: [1, 2] })),
    layerCase("two pairs", [3, 4, 2], () =>
      layers.zeroPadding2d({
        padding: [
          [1, 2],
          [0, 3],
        ],
      }),
    ),
    layerCase("dataFormat: channelsFirst", [2, 3, 4], () =>
      layers.zeroPadding2d({ padding: [1, 2], dataFormat: "channelsFirst" }),
    ),
  ],
};
