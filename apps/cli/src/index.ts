export { type CkptConfig, defineConfig, type EvaluateConfig, type FreezeConfig, type TrainConfig } from "./config.js";
