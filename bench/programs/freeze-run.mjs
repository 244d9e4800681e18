// Freezes every checkpoint of a run into a `.pb`: node freeze-run.mjs RUN. Prints one JSON document: how long that took, and
// what memory was resident after each of them and at most.
import { selectBackend } from "@ckpt/backend";
import { freezeRun } from "@ckpt/freezer";

await selectBackend("wasm");
const residentBytes = [];
const baselineBytes = process.memoryUsage.rss();
const startMs = performance.now();
const before = process.cpuUsage();
await freezeRun({
  run: process.argv[2],
  formats: ["graph-def"],
  onProgress: ({ kind }) => {
    if (kind === "artifact") residentBytes.push(process.memoryUsage.rss());
  },
});
const { user, system } = process.cpuUsage(before);
console.log(
  JSON.stringify({
    freezeMs: performance.now() - startMs,
    cpuMs: (user + system) / 1000,
    baselineBytes,
    residentBytes,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  }),
);
