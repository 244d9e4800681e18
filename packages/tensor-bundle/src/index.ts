export type { TensorEntry } from "./bundle-entry.js";
export { type BundleName, nameOfPrefix } from "./checkpoint-name.js";
export type { CheckpointReader } from "./checkpoint-reader.js";
export { type CheckpointState, parseCheckpointState, serializeCheckpointState } from "./checkpoint-state.js";
export { type CheckpointList, listCheckpoints, type ListedCheckpoint } from "./list-checkpoints.js";
export { nameAsObjects, objectGraphKey, readTrackedTensors, type TrackedTensor } from "./object-graph.js";
export { openBundle } from "./open-bundle.js";
export type { ListedDtype, TensorArrays, TensorDtype, TensorValue } from "./tensor-value.js";
export { recordCheckpoint, writeBundle, type WriteBundleOptions } from "./write-bundle.js";
