// Preloaded with --import, so that a process and each of its worker threads load TypeScript. Not tsx's own loader: on
// Node 20 that registers itself in the main thread only.
import { register } from "tsx/esm/api";

register();
