import { convLowerings } from "./conv.js";
import { elementwiseLowerings } from "./elementwise.js";
import { indexingLowerings } from "./indexing.js";
import type { Lowerings } from "./lowering.js";
import { matmulLowerings } from "./matmul.js";
import { normalizationLowerings } from "./normalization.js";
import { poolingLowerings } from "./pooling.js";
import { reduceLowerings } from "./reduce.js";
import { shapeLowerings } from "./shape.js";

/** The translation of every kernel that has one, by kernel name. */
export const lowerings: Lowerings = {
  ...convLowerings,
  ...elementwiseLowerings,
  ...indexingLowerings,
  ...matmulLowerings,
  ...normalizationLowerings,
  ...poolingLowerings,
  ...reduceLowerings,
  ...shapeLowerings,
};
