import type { EvaluateConfig } from "@ckpt/cli";

/** How the candidates are compared; in a file of its own, so that a change here does not train again (turbo.json). */
export const evaluation: EvaluateConfig = { split: "select", metrics: ["accuracy", "logLoss"] };
