import { isCkptError } from "@ckpt/manifest";

import { loadConfig } from "../src/load-config.js";

/** Loads each configuration named and prints what came of them as one JSON list: its name, or the error. */
const results: object[] = [];
for (const target of process.argv.slice(2)) {
  try {
    const { config, path } = await loadConfig(target);
    results.push({ name: config.name, seed: config.seed, path });
  } catch (error) {
    if (!isCkptError(error)) throw error;
    results.push({ code: error.code, message: error.message });
  }
}
process.stdout.write(JSON.stringify(results));
