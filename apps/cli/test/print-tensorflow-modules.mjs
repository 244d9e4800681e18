// Preloaded by --import: at the end of the process, prints the modules of TensorFlow.js it has loaded on stderr.
import { writeSync } from "node:fs";
import { createRequire } from "node:module";

const { cache } = createRequire(import.meta.url);
process.on("exit", () => {
  for (const path of Object.keys(cache)) if (path.includes("@tensorflow/tfjs")) writeSync(2, `${path}\n`);
});
