import { join } from "node:path";

import {
  runLayout,
  serializeHistoryRecord,
  serializeTimingRecord,
  storeMetrics,
  type TimingRecord,
} from "@ckpt/manifest";

import type { Measurement } from "./moment.js";
import type { AppendTask, ReplaceTask } from "./run-task.js";

/** The lines that are added to a run in the background: what was measured, and how long things took. */
export interface RunJournal {
  /** Everything measured so far. */
  readonly history: readonly Measurement[];
  /** Adds a measurement to `history.jsonl`. */
  appendMeasurement(measurement: Measurement): void;
  /** Adds a line to `timings.jsonl`. */
  appendTiming(record: TimingRecord): void;
  /**
   * Waits until everything is on disk. A history of which a line could not be added is written once more, whole: a
   * checkpoint counts its lines, and could not be resumed from without them.
   *
   * @throws {CkptError} FILE_SYSTEM when that fails too.
   */
  drain(): Promise<void>;
  /** The first failure to add a line since the last call. */
  takeFailure(): Error | undefined;
}

/** Makes the journal of the run at `path`, written by `submit`, of which `measured` is on disk already. */
export function createRunJournal(
  path: string,
  measured: readonly Measurement[],
  submit: (task: AppendTask | ReplaceTask) => Promise<unknown>,
): RunJournal {
  const history = [...measured];
  const historyPath = join(path, runLayout.history);
  let isHistoryWhole = true;
  let failure: Error | undefined;
  let appended: Promise<void> = Promise.resolve();
  const append = (file: string, line: string, onFailure: () => void = () => undefined): void => {
    appended = submit({ kind: "append", path: file, line }).then(
      () => undefined,
      (error: unknown) => {
        failure ??= error as Error;
        onFailure();
      },
    );
  };
  return {
    history,
    appendMeasurement: (measurement) => {
      history.push(measurement);
      append(historyPath, serializeMeasurement(measurement), () => {
        isHistoryWhole = false;
      });
    },
    appendTiming: (record) => append(join(path, runLayout.timings), serializeTimingRecord(record)),
    drain: async () => {
      await appended;
      if (isHistoryWhole) return;
      await submit({ kind: "replace", path: historyPath, text: history.map(serializeMeasurement).join("") });
      isHistoryWhole = true;
    },
    takeFailure: () => {
      const taken = failure;
      failure = undefined;
      return taken;
    },
  };
}

function serializeMeasurement({ step, epoch, metrics }: Measurement): string {
  return serializeHistoryRecord({ step, epoch, metrics: storeMetrics(metrics) });
}
