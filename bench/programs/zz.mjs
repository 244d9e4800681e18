import { selectBackend } from "@ckpt/backend"; import { createRequire } from "node:module"; createRequire(import.meta.url)("/tmp/fig/m.cjs");
const { freezeRun, freeze } = await import("@ckpt/freezer");
await selectBackend("wasm");
if (process.argv[2].endsWith("json")) await freeze({source:process.argv[2], out:"/tmp/fig/o"+process.pid, formats:process.argv[3].split(",")}); else await freezeRun({run:process.argv[2],formats:process.argv[3].split(",")});
