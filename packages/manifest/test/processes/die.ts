import { nodeFileSystem } from "../../src/file-system.js";
import { dyingFileSystem } from "./dying-file-system.js";
import { operations } from "./operations.js";

/** Arguments: operation, target, number of the call to die at, `halfway` to die in the middle of that write. */
const [operation = "", target = "", call = "", moment = ""] = process.argv.slice(2);
const fileSystem = dyingFileSystem(nodeFileSystem, { call: Number(call), isHalfway: moment === "halfway" });
await operations[operation]?.(target, fileSystem);
