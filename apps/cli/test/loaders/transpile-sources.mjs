// Preloaded by --import: reads the workspace's own sources as TypeScript and leaves every other file to Node, so that a
// user's configuration meets the program as it does when it is built and installed.
import { register } from "node:module";

register("./transpile-hooks.mjs", import.meta.url);
