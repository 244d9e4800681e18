import { dirname, resolve } from "node:path";

import { loadDataset, type RowStorage } from "@ckpt/dataset";
import { type ColumnScoring, listScoringColumns } from "@ckpt/evaluator";
import { CkptError, type Split } from "@ckpt/manifest";

import type { LoadedConfig } from "./load-config.js";

/** The splits of a dataset by name. */
export interface Splits {
  /** @throws {CkptError} SPLIT_NOT_FOUND listing those there are. */
  get(name: string): Split;
  has(name: string): boolean;
  readonly all: readonly Split[];
}

/** How the data of a configuration is read. */
export interface LoadSplitsOptions {
  /** How rows count. Default: as the configuration says. */
  readonly scoring?: ColumnScoring;
  /** Default: `memory`, where training wants rows. */
  readonly storage?: RowStorage;
}

/** Reads the data of a configuration, with the columns by which rows count; its paths are relative to the file. */
export async function loadConfigSplits(
  { config, path }: LoadedConfig,
  { scoring = config.evaluate ?? {}, storage = "memory" }: LoadSplitsOptions = {},
): Promise<Splits> {
  const folder = dirname(path);
  const files = config.data.files.map((file) => ({ ...file, path: resolve(folder, file.path) }));
  const columns = [...new Set([...(config.data.columns ?? []), ...listScoringColumns(scoring)])];
  return indexSplits(await loadDataset({ ...config.data, files, columns, storage }));
}

/** Makes splits findable by name. */
export function indexSplits(splits: readonly Split[]): Splits {
  const byName = new Map(splits.map((split) => [split.name, split]));
  return {
    all: splits,
    has: (name) => byName.has(name),
    get: (name) => {
      const split = byName.get(name);
      if (split === undefined) throw new CkptError("SPLIT_NOT_FOUND", { split: name, available: [...byName.keys()] });
      return split;
    },
  };
}
