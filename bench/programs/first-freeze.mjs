// Freezes one model as a user's own program does: node first-freeze.mjs MODEL_JSON OUT. Prints one JSON document of
// milliseconds since the process started. What is built is run, which nothing translates while it loads.

const bootMs = performance.now();
const { freeze } = await import("@ckpt/freezer");
const importedMs = performance.now();
const [source, out] = process.argv.slice(2);
const { unverified } = await freeze({ source, out });
if (unverified.length > 0) throw new Error(`not compared: ${unverified.map(({ reason }) => reason).join(", ")}`);
const frozenMs = performance.now();
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ bootMs, importedMs, frozenMs, cpuMs: (user + system) / 1000 }));
