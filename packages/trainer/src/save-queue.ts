import { StateBuffer } from "./state-buffer.js";

/**
 * What becomes of a save that is due while another is still being written: `wait` for that one, which makes training
 * stand still; `skip` the new one; or let it take the place of one that waits (`replace`), at the price of a second copy
 * of the state in memory.
 */
export type WhenSaving = "wait" | "skip" | "replace";

/** How the saves of a {@link SaveQueue} are made. */
export interface SaveQueueOptions<Save> {
  readonly whenSaving: WhenSaving;
  /** Writes a save; it owns the buffer of the save until the promise is settled. */
  write(save: Save): Promise<void>;
  /** A save that waits must not be given up for a newer one. */
  isIrreplaceable(save: Save): boolean;
  /** Called when a save that waited gave its place to a newer one. */
  onReplaced?(save: Save): void;
}

/** At most one save being written and, with `replace`, one that waits. */
export interface SaveQueue<Save> {
  /** Nothing is being written. */
  readonly isIdle: boolean;
  /**
   * Has a save captured into a buffer of its own and written in the background. Returns false if it was skipped.
   *
   * @throws What `capture` throws.
   */
  add(capture: (buffer: StateBuffer) => Promise<Save>): Promise<boolean>;
  /** Waits until everything is written, or has failed. */
  drain(): Promise<void>;
  /** The first failure since the last call. */
  takeFailure(): Error | undefined;
}

/** Makes a queue that keeps its buffers from save to save. */
export function createSaveQueue<Save>(options: SaveQueueOptions<Save>): SaveQueue<Save> {
  const { whenSaving } = options;
  const free: StateBuffer[] = [];
  let current: Promise<void> | undefined;
  let waiting: { readonly save: Save; readonly buffer: StateBuffer } | undefined;
  let failure: Error | undefined;

  const run = async (save: Save, buffer: StateBuffer): Promise<void> => {
    try {
      await options.write(save);
    } catch (error) {
      failure ??= error as Error;
    }
    free.push(buffer);
    current = undefined;
    const next = waiting;
    waiting = undefined;
    if (next !== undefined) start(next.save, next.buffer);
  };
  const start = (save: Save, buffer: StateBuffer): void => {
    current = run(save, buffer);
  };
  const drain = async (): Promise<void> => {
    if (current === undefined) return;
    await current;
    // One that waited may have followed.
    await drain();
  };
  return {
    get isIdle() {
      return current === undefined;
    },
    add: async (capture) => {
      if (current !== undefined && whenSaving === "skip") return false;
      if (whenSaving === "wait") await drain();
      if (waiting !== undefined && options.isIrreplaceable(waiting.save)) await current;
      if (waiting !== undefined) {
        free.push(waiting.buffer);
        options.onReplaced?.(waiting.save);
        waiting = undefined;
      }
      const buffer = free.pop() ?? new StateBuffer();
      let save: Save;
      try {
        save = await capture(buffer);
      } catch (error) {
        free.push(buffer);
        throw error;
      }
      if (current === undefined) start(save, buffer);
      else waiting = { save, buffer };
      return true;
    },
    drain,
    takeFailure: () => {
      const taken = failure;
      failure = undefined;
      return taken;
    },
  };
}
