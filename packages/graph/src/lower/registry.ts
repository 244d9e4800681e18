import { blockLowerings } from "./blocks.js";
import { convLowerings } from "./conv.js";
import { countingLowerings } from "./counting.js";
import { elementwiseLowerings } from "./elementwise.js";
import { imageLowerings } from "./image.js";
import { indexingLowerings } from "./indexing.js";
import type { Lowerings } from "./lowering.js";
import { matmulLowerings } from "./matmul.js";
import { normalizationLowerings } from "./normalization.js";
import { poolingLowerings } from "./pooling.js";
import { reduceLowerings } from "./reduce.js";
import { shapeLowerings } from "./shape.js";

/** The translation of every kernel that has one, by kernel name. */
export const lowerings: Lowerings = {
  ...blockLowerings,
  ...convLowerings,
  ...countingLowerings,
  ...elementwiseLowerings,
  ...imageLowerings,
  ...indexingLowerings,
  ...matmulLowerings,
  ...normalizationLowerings,
  ...poolingLowerings,
  ...reduceLowerings,
  ...shapeLowerings,
};
