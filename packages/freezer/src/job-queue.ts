import type { EarlierArtifact } from "./earlier-artifact.js";
import type { FreezeResult } from "./freeze-options.js";
import type { FreezeJob, JobFreezer } from "./job-freezer.js";
import { createOrderedProgress } from "./ordered-progress.js";
import { describeArtifact, type FreezeProgress } from "./progress.js";

/** Jobs that any number of freezers take from, each once and in order, until one of them fails. */
export interface JobQueue {
  /** How many jobs nobody has taken yet; none once something has failed. */
  remainingCount(): number;
  /** Takes jobs and does them, one after the other, while there are any and `isOn` says so. Never rejects. */
  work(freezer: Pick<JobFreezer, "freeze">, isOn: () => boolean): Promise<void>;
  /** No more jobs are handed out, and this is the error, unless a job fails that comes before. */
  fail(error: unknown): void;
  /**
   * The artifacts in the order of the jobs; once all work is done.
   *
   * @throws the error of the first job in the list that failed.
   */
  finish(): readonly FreezeResult[];
}

/** Makes a queue. Progress is in the order of the jobs, whoever does them. */
export function createJobQueue(jobs: readonly FreezeJob[], onProgress: (progress: FreezeProgress) => void): JobQueue {
  const progress = createOrderedProgress(onProgress);
  const results: (FreezeResult | undefined)[] = jobs.map(() => undefined);
  const failures: { readonly index: number; readonly error: unknown }[] = [];
  let next = 0;
  let earlier: EarlierArtifact | undefined;

  const doJob = async (index: number, job: FreezeJob, freezer: Pick<JobFreezer, "freeze">): Promise<void> => {
    const { path } = job.source;
    try {
      const result = await freezer.freeze(job, earlier, (event) => {
        progress.report(index, event);
      });
      results[index] = result;
      if (result !== undefined) {
        earlier = { path: result.path, files: result.manifest.files };
        progress.report(index, describeArtifact(path, result, { index: index + 1, count: jobs.length }));
      }
      progress.finish(index);
    } catch (error) {
      failures.push({ index, error });
      progress.report(index, { kind: "failed", source: path, reason: (error as Error).message });
    }
  };
  const remainingCount = (): number => (failures.length > 0 ? 0 : jobs.length - next);
  return {
    remainingCount,
    work: async (freezer, isOn) => {
      while (remainingCount() > 0 && isOn()) {
        const index = next++;
        const job = jobs[index];
        // What progress throws ends the work as a failure of the job does.
        if (job !== undefined)
          await doJob(index, job, freezer).catch((error: unknown) => failures.push({ index, error }));
      }
    },
    fail: (error) => {
      failures.push({ index: next, error });
    },
    finish: () => {
      const [first] = failures.toSorted((a, b) => a.index - b.index);
      if (first !== undefined) throw first.error;
      return results.filter((result) => result !== undefined);
    },
  };
}
