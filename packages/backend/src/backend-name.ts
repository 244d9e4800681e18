/** A tfjs backend that ckpt can train on, by the name tfjs knows it under. `tensorflow` is tfjs-node. */
export type BackendName = "tensorflow" | "wasm" | "cpu";

/** The order in which `auto` tries the backends: fastest first, the one that always works last. */
export const preferredBackends: readonly BackendName[] = ["tensorflow", "wasm", "cpu"];
