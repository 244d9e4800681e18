export type { Classes } from "./class-labels.js";
export { type ColumnSelector, parseColumnSelector } from "./column-selector.js";
export { type ArrayInput, datasetFromArrays, type DatasetFromArraysOptions } from "./dataset-from-arrays.js";
export { findSharedRows, type SharedRows } from "./find-shared-rows.js";
export type { Fractions } from "./fractions.js";
export { type ColumnInput, loadDataset, type LoadDatasetOptions, type SplitFile } from "./load-dataset.js";
export type { InputTensorOptions } from "./row-layout.js";
export type { RowStorage } from "./split-builder.js";
export { type ParquetType, writeParquet } from "./write-parquet.js";
