// Freezes one model as a user's own program does: node first-freeze.mjs MODEL_JSON OUT [BACKEND]. Prints one JSON document:
// milliseconds since the process started, and its memory. What is built is run, which nothing translates while it loads.

const bootMs = performance.now();
const [source, out, backend] = process.argv.slice(2);
const { freeze } = await import("@ckpt/freezer");
if (backend !== undefined) {
  const { selectBackend } = await import("@ckpt/backend");
  await selectBackend(backend);
}
const importedMs = performance.now();
const baselineBytes = process.memoryUsage.rss();
const { unverified } = await freeze({ source, out });
const frozenMs = performance.now();
if (unverified.length > 0) throw new Error(`not compared: ${unverified.map(({ reason }) => reason).join(", ")}`);
const { user, system } = process.cpuUsage();
const peakBytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ bootMs, importedMs, frozenMs, cpuMs: (user + system) / 1000, baselineBytes, peakBytes }));
