import {
  type EvaluationManifest,
  evaluationManifestType,
  type FileSystem,
  manifestNames,
  stageFolder,
} from "@ckpt/manifest";

import { predictionFiles } from "./predictions.js";
import type { StoredShard } from "./shard-file.js";

/** What was run on which rows by what. */
export type EvaluationSubject = Pick<EvaluationManifest, "artifact" | "split" | "engine" | "classes">;

/** Gives each shard by number, as often as it is asked. */
export type ShardReader = (shard: number) => Promise<StoredShard>;

/**
 * Puts the shards together and commits the evaluation. One shard is in memory at a time.
 *
 * @throws {CkptError} FILE_SYSTEM; and what `read` throws. Nothing is committed then.
 */
export async function commitEvaluation(
  path: string,
  subject: EvaluationSubject,
  shardCount: number,
  read: ShardReader,
  fileSystem: FileSystem,
): Promise<void> {
  const { output, labelSpec } = await read(0);
  const [, ...outputShape] = output.shape;
  const [, ...labelShape] = labelSpec.shape;
  const { rowCount } = subject.split;
  const parts = async function* (values: "predictions" | "labels"): AsyncGenerator<Uint8Array> {
    for (let shard = 0; shard < shardCount; shard++) yield (await read(shard))[values];
  };
  // Only a folder that was never committed can be in the way here.
  const stage = await stageFolder(path, { fileSystem, isReplacing: true });
  try {
    await stage.write(predictionFiles.predictions, parts("predictions"));
    await stage.write(predictionFiles.labels, parts("labels"));
    await stage.commit(manifestNames.evaluation, (files): EvaluationManifest => {
      const { classes, ...rest } = subject;
      return {
        kind: evaluationManifestType.kind,
        schemaVersion: evaluationManifestType.schemaVersion,
        ...rest,
        ...(classes === undefined ? {} : { classes }),
        output: { ...output, shape: [rowCount, ...outputShape] },
        labels: { ...labelSpec, shape: [rowCount, ...labelShape] },
        files,
      };
    });
  } catch (error) {
    await stage.abandon();
    throw error;
  }
}
