import { type FileSystem, nodeFileSystem } from "@ckpt/manifest";

import { performRunTask, type RunTask, type RunTaskResults } from "./run-task.js";
import { shareWriterThread } from "./start-writer-thread.js";

/** Does what is to be written to a run, one task after the other and in the order of submission. */
export interface RunWriter {
  /** Resolves when the task is done; what comes after it is done even if it fails. */
  submit<Task extends RunTask>(task: Task): Promise<RunTaskResults[Task["kind"]]>;
  /** Waits for all tasks. */
  drain(): Promise<void>;
}

/**
 * Makes the writer of a run: on another thread for this machine's own file system; on this one for any other, since
 * functions do not go to another thread.
 */
export function createRunWriter(fileSystem: FileSystem): RunWriter {
  return fileSystem === nodeFileSystem ? createThreadWriter() : createLocalWriter(fileSystem);
}

function createLocalWriter(fileSystem: FileSystem): RunWriter {
  let last: Promise<unknown> = Promise.resolve();
  return {
    submit: (task) => {
      const result = last.then(() => performRunTask(task, fileSystem));
      last = result.catch(() => undefined);
      return result;
    },
    drain: async () => {
      await last;
    },
  };
}

function createThreadWriter(): RunWriter {
  let last: Promise<unknown> = Promise.resolve();
  // Started before there is a task, and while the model is still being built.
  shareWriterThread();
  return {
    submit: (task) => {
      const result = shareWriterThread().call(task);
      last = result.catch(() => undefined);
      return result;
    },
    drain: async () => {
      await last;
    },
  };
}
