import { activationCases } from "./activation.js";
import { convolutionCases } from "./convolution.js";
import { coreCases } from "./core.js";
import type { LayerCases } from "./layer-case.js";
import { mergeCases } from "./merge.js";
import { noiseCases } from "./noise.js";
import { normalizationCases } from "./normalization.js";
import { poolingCases } from "./pooling.js";
import { preprocessingCases } from "./preprocessing.js";
import { recurrentCases } from "./recurrent.js";
import { resamplingCases } from "./resampling.js";

/** A case or more for every layer of tfjs-layers 4.22, by the name of the function that makes it. */
export const layerCases: LayerCases = {
  ...coreCases,
  ...activationCases,
  ...convolutionCases,
  ...poolingCases,
  ...normalizationCases,
  ...mergeCases,
  ...resamplingCases,
  ...noiseCases,
  ...recurrentCases,
  ...preprocessingCases,
};
