import type { Session } from "../engine.js";
import type { PreparedEvaluation } from "../prepare-evaluation.js";

/** Sessions that stay open between the blocks of a race: opening one may take longer than a block. */
export interface SessionPool {
  /** The candidate's session on a thread, opened unless it is there. */
  use(candidate: number, thread: number): Promise<Session>;
  /** Closes the sessions of all other candidates. */
  keep(candidates: readonly number[]): Promise<void>;
  /**
   * The thread of each candidate, in their order, as evenly as can be: the one that it has a session on already, unless
   * others have that.
   */
  assign(candidates: readonly number[], threadCount: number): readonly number[];
}

/** Makes an empty pool. Candidates are the indices of the artifacts. */
export function createSessionPool(artifacts: readonly PreparedEvaluation[]): SessionPool {
  const opened = new Map<number, Map<number, Promise<Session>>>();
  return {
    use: (candidate, thread) => {
      const own = opened.get(candidate) ?? new Map<number, Promise<Session>>();
      opened.set(candidate, own);
      const found = own.get(thread) ?? open(artifacts[candidate], thread);
      own.set(thread, found);
      return found;
    },
    keep: async (candidates) => {
      for (const [candidate, own] of opened) {
        if (candidates.includes(candidate)) continue;
        opened.delete(candidate);
        await Promise.all([...own.values()].map(close));
      }
    },
    assign: (candidates, threadCount) => {
      const most = Math.ceil(candidates.length / threadCount);
      const loads = Array.from({ length: threadCount }, () => 0);
      const take = (thread: number): number => {
        loads[thread] = (loads[thread] ?? 0) + 1;
        return thread;
      };
      const kept = candidates.map((candidate) => {
        const [home] = opened.get(candidate)?.keys() ?? [];
        return home === undefined || (loads[home] ?? most) >= most ? undefined : take(home);
      });
      return kept.map((home) => home ?? take(loads.indexOf(Math.min(...loads))));
    },
  };
}

async function open(prepared: PreparedEvaluation | undefined, thread: number): Promise<Session> {
  if (prepared === undefined) throw new TypeError("a candidate of the race");
  const { artifact, engine } = prepared;
  return engine.open(artifact.path, artifact.manifest.signature, thread);
}

/** One that did not open or is lost has nothing to close. */
async function close(opening: Promise<Session>): Promise<void> {
  const session = await opening.catch(() => undefined);
  if (session?.isLost() === false) await session.close().catch(() => undefined);
}
