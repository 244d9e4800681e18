import { equalSizes, isSizeOf, isStaticSize } from "../ir/size.js";
import { broadcastSizes } from "./broadcast-sizes.js";
import type { LoweringBuilder, Value } from "./lowering.js";

/**
 * Adds a bias: as `BiasAdd`, which takes a vector and nothing else, where it is one value per channel of the last axis;
 * else as `AddV2`.
 */
export function addBias(build: LoweringBuilder, value: Value, bias: Value): Value {
  const channels = value.sizes.at(-1);
  const biasChannels = bias.sizes.at(-1);
  const isVector =
    value.sizes.length >= 2 &&
    bias.sizes.length <= value.sizes.length &&
    channels !== undefined &&
    biasChannels !== undefined &&
    isStaticSize(channels) &&
    equalSizes(channels, biasChannels) &&
    bias.sizes.slice(0, -1).every((size) => isSizeOf(size, 1));
  if (!isVector) {
    return build.add("AddV2", [value, bias], {
      dtype: value.dtype,
      sizes: broadcastSizes(value.sizes, bias.sizes),
    });
  }
  return build.add("BiasAdd", [value, build.reshape(bias, [channels])], value);
}
