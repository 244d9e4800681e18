import type { Session } from "./engine.js";
import type { ThreadGate } from "./thread-gate.js";

/** One place for a session, on a thread of the engine's: it keeps the last one opened. */
export interface SessionSlot {
  /** Number of the thread. */
  readonly thread: number;
  /** Of the thread, to be passed around {@link use} and what is done with the session. */
  readonly gate: ThreadGate;
  /** Gives the open session if it is this artifact's and not lost, else closes it and opens another. */
  use(artifact: string, open: () => Promise<Session>): Promise<Session>;
  close(): Promise<void>;
}

/** Makes an empty slot on a thread. */
export function createSessionSlot(thread: number, gate: ThreadGate): SessionSlot {
  let held: { readonly artifact: string; readonly session: Session } | undefined;
  const close = async (): Promise<void> => {
    const last = held;
    held = undefined;
    // A lost session has nothing left to close.
    if (last?.session.isLost() === false) await last.session.close().catch(() => undefined);
  };
  return {
    thread,
    gate,
    use: async (artifact, open) => {
      if (held?.artifact === artifact && !held.session.isLost()) return held.session;
      await close();
      const session = await open();
      held = { artifact, session };
      return session;
    },
    close,
  };
}
