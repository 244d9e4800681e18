import process from "node:process";

import { type BackendName, selectBackend } from "@ckpt/backend";

import { train } from "../../src/index.js";
import { schedule } from "../exact-resume.js";
import { createModel, data } from "../fixture.js";
import { createConvolutions, images } from "./images.js";

/** Trains in a process of its own, which kills itself: `train-child.ts <run> <model> <backend> <step to die at>`. */
const [run = "", model = "", backend = "", killAt = ""] = process.argv.slice(2);

await selectBackend(backend as BackendName);
await train({
  ...schedule,
  ...(model === "dense"
    ? { data, model: () => createModel("adam") }
    : { data: images, model: () => createConvolutions("adam") }),
  run,
  isResuming: true,
  onProgress: ({ kind, step }) => {
    if (kind === "step" && step === Number(killAt)) process.kill(process.pid, "SIGKILL");
  },
});
