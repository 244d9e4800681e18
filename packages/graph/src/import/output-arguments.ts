/**
 * Names of the outputs of operations that have more than one, each of one tensor. An operation that is not listed has one
 * output argument, be it one tensor or a list of them.
 * Reference: the op registrations of tensorflow/core/ops.
 */
const outputArguments: Readonly<Record<string, readonly string[]>> = {
  Switch: ["output_false", "output_true"],
  RefSwitch: ["output_false", "output_true"],
  Merge: ["output", "value_index"],
  RefMerge: ["output", "value_index"],
  TopK: ["values", "indices"],
  TopKV2: ["values", "indices"],
  Unique: ["y", "idx"],
  UniqueV2: ["y", "idx"],
  UniqueWithCounts: ["y", "idx", "count"],
  ListDiff: ["out", "idx"],
  MaxPoolWithArgmax: ["output", "argmax"],
  FusedBatchNorm: ["y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2"],
  FusedBatchNormV2: ["y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2"],
  FusedBatchNormV3: ["y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", "reserve_space_3"],
  TensorListPopBack: ["output_handle", "tensor"],
  TensorArrayV3: ["handle", "flow"],
  BlockLSTM: ["i", "cs", "f", "o", "ci", "co", "h"],
  LSTMBlockCell: ["i", "cs", "f", "o", "ci", "co", "h"],
};

/** The place of output `index` of the argument `name` among all outputs of an operation. */
export function flatOutput(op: string, name: string, index: number): number {
  const names = Object.hasOwn(outputArguments, op) ? outputArguments[op] : undefined;
  const position = names?.indexOf(name) ?? -1;
  return position < 0 ? index : position;
}
