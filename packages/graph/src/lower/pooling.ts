import { attribute } from "../ir/attribute.js";
import { windowAttributes } from "./conv.js";
import { type Lowering, type Lowerings, UnsupportedKernel } from "./lowering.js";
import { readPair } from "./read-attribute.js";

function pool(op: string): Lowering {
  return (call, build) => {
    const [height, width] = readPair(call, "filterSize");
    const window = windowAttributes(call);
    // TensorFlow's AvgPool has no explicit padding, and GraphModel's MaxPool refuses it.
    if (window["explicit_paddings"] !== undefined)
      throw new UnsupportedKernel("its padding is a number, not same or valid");
    return [
      build.add(op, [call.input("x")], call.output(), { ksize: attribute.ints([1, height, width, 1]), ...window }),
    ];
  };
}

/** Pooling over height and width; 1-D pooling arrives as this too, with a width of 1. */
export const poolingLowerings: Lowerings = {
  MaxPool: pool("MaxPool"),
  AvgPool: pool("AvgPool"),
};
