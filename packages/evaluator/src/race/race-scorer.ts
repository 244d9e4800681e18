import { setImmediate } from "node:timers/promises";

import { type Batch, isCkptError, type Split, type TensorData } from "@ckpt/manifest";

import { checkRows, toScoredRows } from "../check-rows.js";
import type { Metric } from "../metrics/metric.js";
import type { PreparedEvaluation } from "../prepare-evaluation.js";
import { countRowBytes } from "../shard-rows.js";
import { describeLabels, describeTask } from "../task.js";
import { type BoundedMetric, computeLosses } from "./row-losses.js";
import { createSessionPool } from "./session-pool.js";

/** Runs candidates of a race on the engine's threads. */
export interface RaceScorer {
  /**
   * The losses of rows of the split for each of the candidates, in their order; nothing of one that failed: it could not
   * be run, or its predictions are not finite or no probabilities where a metric needs them.
   *
   * @throws What `split.gather` throws.
   */
  score(rows: Uint32Array, candidates: readonly number[]): Promise<readonly (Float64Array | undefined)[]>;
  close(): Promise<void>;
}

/** What a race is run on. */
export interface RaceScorerOptions {
  readonly artifacts: readonly PreparedEvaluation[];
  readonly split: Split;
  readonly metric: BoundedMetric;
  /** What the predictions have to be fit for. */
  readonly metrics: readonly Metric[];
  readonly threadCount: number;
  /** Sessions that memory has room for; with more candidates they are opened for every block anew. */
  readonly sessionCount: number;
}

/** Rows of one inference, the same for every engine and machine: the bits of tfjs may depend on it. */
const mostBatchRows = 256;
const mostBatchBytes = 16 << 20;
/** Batches of a thread at once: while one is gathered or scored, the other one runs. */
const lanes = 2;

/** Some of the rows, gathered when the first candidate asks for them and let go when all have had them. */
interface Chunk {
  readonly first: number;
  readonly rows: Uint32Array;
  batch?: Promise<Batch>;
  waitingCount: number;
}

/** Opens nothing yet. Losses do not depend on the number of threads. */
export function createRaceScorer(options: RaceScorerOptions): RaceScorer {
  const { artifacts, split, threadCount, sessionCount } = options;
  const pool = createSessionPool(artifacts);
  const batchRows = Math.max(1, Math.min(mostBatchRows, Math.floor(mostBatchBytes / countRowBytes(split))));

  const take = async (chunk: Chunk): Promise<Batch> => {
    chunk.batch ??= split.gather(chunk.rows);
    const batch = await chunk.batch;
    chunk.waitingCount--;
    if (chunk.waitingCount === 0) delete chunk.batch;
    return batch;
  };

  /** Runs as many candidates as have room together. */
  const scoreGroup = async (rows: Uint32Array, group: readonly number[]): Promise<Map<number, Float64Array>> => {
    await pool.keep(group);
    const losses = new Map(group.map((candidate) => [candidate, new Float64Array(rows.length)]));
    const chunks = cutRows(rows, batchRows, group.length);
    const queues = planTasks(chunks, group, pool.assign(group, threadCount), threadCount);
    const runTask = async ({ chunk, candidate, thread }: Task): Promise<void> => {
      const batch = await take(chunk);
      const prepared = artifacts[candidate];
      if (prepared === undefined || !losses.has(candidate)) return;
      try {
        const session = await pool.use(candidate, prepared.engine.hasThreads ? thread : 0);
        const predicted = (await session.predict(prepared.bind(batch)))[prepared.output.name];
        const found = predicted && scoreBatch(prepared, batch, predicted, options);
        if (found === undefined) losses.delete(candidate);
        else losses.get(candidate)?.set(found, chunk.first);
      } catch (error) {
        if (!isCkptError(error)) throw error;
        // Also where the thread was lost by another one's doing: whoever scores it on all rows finds out.
        losses.delete(candidate);
      }
    };
    const failures: unknown[] = [];
    const runLane = async (tasks: Task[]): Promise<void> => {
      try {
        for (let task = tasks.shift(); task !== undefined && failures.length === 0; task = tasks.shift()) {
          await runTask(task);
          // An engine in this thread would otherwise keep timers and signals waiting until the last batch.
          await setImmediate();
        }
      } catch (error) {
        failures.push(error);
      }
    };
    await Promise.all(queues.flatMap((tasks) => Array.from({ length: lanes }, () => runLane(tasks))));
    if (failures.length > 0) throw failures[0];
    return losses;
  };

  return {
    score: async (rows, candidates) => {
      const losses = new Map<number, Float64Array>();
      for (let first = 0; first < candidates.length; first += sessionCount) {
        for (const [candidate, found] of await scoreGroup(rows, candidates.slice(first, first + sessionCount))) {
          losses.set(candidate, found);
        }
      }
      return candidates.map((candidate) => losses.get(candidate));
    },
    close: () => pool.keep([]),
  };
}

interface Task {
  readonly chunk: Chunk;
  readonly candidate: number;
  readonly thread: number;
}

function cutRows(rows: Uint32Array, batchRows: number, candidateCount: number): readonly Chunk[] {
  return Array.from({ length: Math.ceil(rows.length / batchRows) }, (_, index) => ({
    first: index * batchRows,
    rows: rows.subarray(index * batchRows, (index + 1) * batchRows),
    waitingCount: candidateCount,
  }));
}

/** The tasks of each thread, chunk by chunk. With fewer candidates than threads, those of a candidate are divided. */
function planTasks(
  chunks: readonly Chunk[],
  candidates: readonly number[],
  threads: readonly number[],
  threadCount: number,
): readonly Task[][] {
  const copies = Math.floor(threadCount / candidates.length);
  const queues = Array.from({ length: threadCount }, (): Task[] => []);
  for (const [index, chunk] of chunks.entries()) {
    for (const [position, candidate] of candidates.entries()) {
      const shared = position + candidates.length * (index % Math.max(1, copies));
      const thread = copies > 1 ? shared : (threads[position] ?? 0);
      queues[thread]?.push({ chunk, candidate, thread });
    }
  }
  return queues;
}

/** The losses of a batch; nothing when it cannot be scored. */
function scoreBatch(
  { artifact, output }: PreparedEvaluation,
  { rowCount, labels }: Batch,
  predicted: TensorData,
  { split, metric, metrics }: RaceScorerOptions,
): Float64Array | undefined {
  const [predictedCount, ...shape] = predicted.shape;
  const { data } = predicted;
  if (predictedCount !== rowCount || !(data instanceof Float32Array) || labels.data instanceof Uint8Array) {
    return undefined;
  }
  const task = describeTask(
    artifact.path,
    { ...output, shape: [rowCount, ...shape] },
    describeLabels(labels),
    split.classes,
  );
  const rows = { rowCount, predictions: data, labels: labels.data };
  if (task.kind !== metric.task || checkRows(artifact.path, { output }, task, metrics, rows, 0) !== undefined) {
    return undefined;
  }
  const losses = computeLosses(metric, toScoredRows(rows, task));
  return losses.some(Number.isNaN) ? undefined : losses;
}
