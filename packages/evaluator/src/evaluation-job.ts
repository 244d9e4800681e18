import { join } from "node:path";

import {
  CkptError,
  evaluationManifestType,
  type FileSystem,
  isCkptError,
  type Lease,
  leaseFolder,
  manifestNames,
  readDocument,
  type Split,
} from "@ckpt/manifest";

import type { BatchSizer } from "./batch-size.js";
import { commitEvaluation } from "./commit-evaluation.js";
import type { Session } from "./engine.js";
import { isThreadLost } from "./engines/failure.js";
import type { Evaluation } from "./evaluation.js";
import {
  type EvaluationRequest,
  type PreparedEvaluation,
  prepareEvaluation,
  readStored,
} from "./prepare-evaluation.js";
import { verifyFormat } from "./read-artifact.js";
import { createShardScore, type ShardRows, type ShardScore } from "./score-shard.js";
import type { SessionSlot } from "./session-slot.js";
import { type StoredShard, storeShard } from "./shard-file.js";
import { countShardRows } from "./shard-rows.js";
import { openShardStore, type ShardStore } from "./shard-store.js";

/** One artifact's way to its stored predictions, in which several sessions take part. */
export interface EvaluationJob {
  /** Takes the next piece of work that nobody does, and does it; false when there is none just now. */
  work(slot: SessionSlot): Promise<boolean>;
  /** Takes part in a piece that another session has begun; false when there is none worth it. */
  help(slot: SessionSlot): Promise<boolean>;
  /** What came of it, once nothing is left to do. */
  outcome(): Evaluation | CkptError | undefined;
  /** Gives back what it holds; to be called when nobody works on it any more. */
  close(): Promise<void>;
}

/** What a job needs of the evaluation it is a part of. */
export interface JobContext {
  /** Chooses the batch size for an artifact. */
  sizeBatches(prepared: PreparedEvaluation): BatchSizer;
  /** Called when more rows are done, or were found done; what it throws ends everything. */
  onRows(rowsDone: number, rowsPerSecond: number): void;
  readonly fileSystem: FileSystem;
}

/** What is known once the job has begun. */
interface Begun extends PreparedEvaluation {
  readonly store: ShardStore;
  readonly shardRows: number;
  readonly shardCount: number;
}

/** Times that the thread of an artifact that runs alone may end: for a reason of its own, but not again and again. */
const mostLosses = 3;
/** How often it is looked what other processes have done. */
const lookMs = 200;
/** With fewer batches than this left, opening another session would take longer. */
const worthHelping = 4;

/** Prepares nothing yet: the first `work` does. */
export function createEvaluationJob(request: EvaluationRequest, context: JobContext): EvaluationJob {
  const { split } = request;
  const { fileSystem } = context;
  const taken = new Set<number>();
  const stored = new Set<number>();
  /** Shards that other processes had when they were last asked for; passed over until the next look. */
  const refused = new Set<number>();
  const active = new Set<ShardScore>();
  /** What the split and `onRows` threw: everybody's, whatever kind of error it is. */
  const callersErrors = new Set<unknown>();
  /** The rows of the only shard, which needs no file of its own. */
  let whole: ShardRows | undefined;
  let begun: Promise<Begun> | undefined;
  let lease: Lease | undefined;
  let outcome: Evaluation | CkptError | undefined;
  let isCommitting = false;
  let insideCount = 0;
  let rowsDone = 0;
  let rowsScored = 0;
  let ownLosses = 0;
  let isSuspect = false;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let startedMs: number | undefined;

  const begin = async (): Promise<Begun> => {
    const prepared = await prepareEvaluation(request);
    const { artifact, engine, path, key, output } = prepared;
    const shardRows = countShardRows(split, output);
    const store = openShardStore(path, key, fileSystem);
    const ready = { ...prepared, store, shardRows, shardCount: Math.ceil(split.rowCount / shardRows) };
    if (await isCommitted(ready)) {
      // Left by a process that died between the commit and this; what cannot be removed is in nobody's way.
      await store.removeAll().catch(() => undefined);
      return ready;
    }
    lease = await leaseArtifact(request.artifact);
    await verifyFormat(artifact, engine.format);
    return ready;
  };

  /** Ends the job if the evaluation is there, whoever committed it. */
  const isCommitted = async ({ path, engineReason }: PreparedEvaluation): Promise<boolean> => {
    const manifest = await readStored(path);
    if (manifest === undefined) return false;
    outcome ??= { path, manifest, isReused: rowsScored === 0, engineReason };
    return true;
  };

  const report = (): void => {
    const seconds = startedMs === undefined ? 0 : (performance.now() - startedMs) / 1000;
    try {
      context.onRows(rowsDone, rowsScored === 0 ? 0 : Math.round(rowsScored / Math.max(seconds, 1e-6)));
    } catch (error) {
      callersErrors.add(error);
      throw error;
    }
  };

  const read: Split["read"] = async (start, end) => {
    try {
      return await split.read(start, end);
    } catch (error) {
      callersErrors.add(error);
      throw error;
    }
  };

  const onRows = (rowCount: number): void => {
    rowsDone += rowCount;
    rowsScored += rowCount;
    report();
  };

  const countRows = (job: Begun, shard: number): number =>
    Math.min(job.shardRows, split.rowCount - shard * job.shardRows);

  /** Counts the shards that are there by now, of whatever process. */
  const look = async (job: Begun): Promise<void> => {
    lookedMs = performance.now();
    refused.clear();
    const before = rowsDone;
    for (const shard of await job.store.list()) {
      if (shard >= job.shardCount || taken.has(shard) || stored.has(shard)) continue;
      stored.add(shard);
      rowsDone += countRows(job, shard);
    }
    if (rowsDone > before) report();
  };

  /** A shard that no session of this process has; no other one takes it until it is given back. */
  const takeShard = (job: Begun): number | undefined => {
    for (let shard = 0; shard < job.shardCount; shard++) {
      if (taken.has(shard) || stored.has(shard) || refused.has(shard)) continue;
      taken.add(shard);
      return shard;
    }
    return undefined;
  };

  /**
   * Does something with a session on the slot's thread. Returns false if the thread ended meanwhile: it may be another
   * artifact's doing, so this one has a thread to itself from then on, and if that ends too it is its own.
   */
  const withSession = async (
    job: Begun,
    slot: SessionSlot,
    action: (session: Session) => Promise<void>,
  ): Promise<boolean> => {
    const isAlone = isSuspect;
    const { engine, artifact } = job;
    const leave = await slot.gate.enter(isAlone);
    try {
      const session = await slot.use(artifact.path, () =>
        engine.open(artifact.path, artifact.manifest.signature, slot.thread),
      );
      await action(session);
      if (!session.isLost()) return true;
    } catch (error) {
      if (!isThreadLost(error)) throw error;
    } finally {
      leave();
    }
    isSuspect = true;
    if (isAlone) ownLosses++;
    if (ownLosses < mostLosses) return false;
    const reason = `the thread that it alone ran on ended ${ownLosses} times`;
    throw new CkptError("ENGINE_FAILED", { engine: engine.name, artifact: artifact.path, reason });
  };

  const scoreShard = async (job: Begun, shard: number, sizer: BatchSizer, slot: SessionSlot): Promise<ShardRows> => {
    const start = shard * job.shardRows;
    startedMs ??= performance.now();
    const { bind, output } = job;
    const end = start + countRows(job, shard);
    const { rowCount, classes } = split;
    const rows = { rowCount, read, ...(classes === undefined ? {} : { classes }) };
    const score = createShardScore({ where: job.artifact.path, output, split: rows, bind, start, end, sizer, onRows });
    active.add(score);
    try {
      for (;;) {
        await withSession(job, slot, score.run);
        await score.change();
        const scored = score.finished();
        if (scored !== undefined) return scored;
      }
    } finally {
      active.delete(score);
    }
  };

  /** Returns false if another process has the shard. */
  const scoreTaken = async (job: Begun, shard: number, sizer: BatchSizer, slot: SessionSlot): Promise<boolean> => {
    const claim = await job.store.claim(shard);
    if (claim === undefined) return false;
    try {
      // Before the claim, another process may have finished the shard or the whole.
      if (await isCommitted(job)) return true;
      if ((await job.store.list()).has(shard)) {
        stored.add(shard);
        rowsDone += countRows(job, shard);
        return true;
      }
      const rows = await scoreShard(job, shard, sizer, slot);
      if (job.shardCount === 1) {
        // Under this claim: the shard of an evaluation that has no other needs no file of its own.
        whole = rows;
        await commit(job);
      } else {
        await job.store.write(shard, rows);
        stored.add(shard);
      }
      return true;
    } finally {
      await claim.release();
    }
  };

  const readShard = async (job: Begun, shard: number): Promise<StoredShard> => {
    if (whole !== undefined) return storeShard(whole);
    const found = await job.store.read(shard);
    if (found !== undefined) return found;
    await job.store.remove(shard);
    stored.delete(shard);
    rowsDone -= countRows(job, shard);
    throw new DamagedShard();
  };

  const commit = async (job: Begun): Promise<void> => {
    const { path, subject, shardCount, store, engineReason } = job;
    await commitEvaluation(path, subject, shardCount, (shard) => readShard(job, shard), fileSystem);
    const manifest = await readDocument(evaluationManifestType, join(path, manifestNames.evaluation));
    outcome ??= { path, manifest, isReused: rowsScored === 0, engineReason };
    await store.removeAll();
  };

  /** Puts the shards together, unless another process does. Damaged ones are removed, to be scored again. */
  const tryCommit = async (job: Begun): Promise<boolean> => {
    if (isCommitting) return false;
    isCommitting = true;
    try {
      const claim = await job.store.claim("commit");
      if (claim === undefined) return false;
      try {
        if (!(await isCommitted(job))) await commit(job);
      } finally {
        await claim.release();
      }
    } catch (error) {
      if (!(error instanceof DamagedShard)) throw error;
    } finally {
      isCommitting = false;
    }
    return true;
  };

  const step = async (job: Begun, slot: SessionSlot): Promise<boolean> => {
    if (stored.size === job.shardCount) return tryCommit(job);
    if (stored.size + taken.size === job.shardCount) return false;
    const sizer = context.sizeBatches(job);
    if (!sizer.enter()) return false;
    const shard = takeShard(job);
    try {
      if (shard === undefined) return false;
      // The model first: one that does not load leaves nothing behind.
      const isOpen = await withSession(job, slot, () => Promise.resolve());
      if (isOpen && !(await scoreTaken(job, shard, sizer, slot))) refused.add(shard);
      // Of a shard refused too: the next one may be free.
      return true;
    } finally {
      if (shard !== undefined) taken.delete(shard);
      sizer.leave();
    }
  };

  /** An error that is the artifact's own ends this job; any other is everybody's. */
  const guard = async (action: () => Promise<boolean>): Promise<boolean> => {
    if (outcome !== undefined) return false;
    insideCount++;
    try {
      return await action();
    } catch (error) {
      if (!isCkptError(error) || callersErrors.has(error)) throw error;
      if (isCkptError(error, "FILE_SYSTEM")) {
        const job = await begun?.catch(() => undefined);
        // Its pieces are gone because another process has committed the whole.
        if (job !== undefined && (await isCommitted(job).catch(() => false))) return true;
        // What can be read of the artifact is the artifact's own matter, where predictions are kept is everybody's.
        if (job !== undefined) throw error;
      }
      outcome ??= error;
      return true;
    } finally {
      insideCount--;
      if (insideCount === 0 && outcome !== undefined) await close();
    }
  };

  const close = async (): Promise<void> => {
    await lease?.release();
    const job = await begun?.catch(() => undefined);
    await job?.store.removeIfEmpty();
  };

  return {
    work: (slot) =>
      guard(async () => {
        const isFirst = begun === undefined;
        begun ??= begin();
        const job = await begun;
        if (outcome !== undefined) return isFirst;
        if (isFirst) await look(job);
        if (await step(job, slot)) return true;
        if (performance.now() - lookedMs < lookMs || taken.size + stored.size === job.shardCount) return false;
        await look(job);
        return isCommitted(job);
      }),
    help: (slot) =>
      guard(async () => {
        const score = [...active].find((shard) => shard.countWaiting() >= worthHelping);
        if (begun === undefined || score === undefined) return false;
        const job = await begun;
        if (!job.engine.hasThreads) return false;
        await withSession(job, slot, score.run);
        return true;
      }),
    outcome: () => outcome,
    close,
  };
}

/** A shard that has to be scored again. */
class DamagedShard extends Error {}

/** A run that is begun again from nothing deletes its artifacts. */
async function leaseArtifact(path: string): Promise<Lease> {
  try {
    return await leaseFolder(path);
  } catch (cause) {
    if (!isCkptError(cause, "MANIFEST_MISSING")) throw cause;
    throw new CkptError("ARTIFACT_NOT_FOUND", { path }, { cause });
  }
}
