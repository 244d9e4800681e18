import { elementwiseKernels } from "./elementwise.js";
import type { KernelCases } from "./kernel-case.js";
import { lookupKernels } from "./lookup.js";
import { reductionKernels } from "./reduction.js";
import { shapeKernels } from "./shape.js";
import { windowKernels } from "./window.js";

/** A case or more for every kernel that is translated. */
export const kernelCases: KernelCases = {
  ...elementwiseKernels,
  ...windowKernels,
  ...shapeKernels,
  ...lookupKernels,
  ...reductionKernels,
};
