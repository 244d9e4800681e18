import { nodeFileSystem } from "../../src/file-system.js";
import { lockRun } from "../../src/run-lock.js";
import { dyingFileSystem } from "./dying-file-system.js";

/** Arguments: run, number of the call to die at, `halfway` to die in the middle of that write. Dies after the lock too. */
const [run = "", call = "", moment = ""] = process.argv.slice(2);
await lockRun(run, dyingFileSystem(nodeFileSystem, { call: Number(call), isHalfway: moment === "halfway" }));
process.kill(process.pid, "SIGKILL");
