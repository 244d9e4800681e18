/** Who may use a thread: several at once, or one alone. */
export interface ThreadGate {
  /** Waits for its turn, in the order of asking; returns what leaves. */
  enter(isAlone: boolean): Promise<() => void>;
}

interface Waiting {
  readonly isAlone: boolean;
  admit(): void;
}

/** Makes an open gate. */
export function createThreadGate(): ThreadGate {
  const queue: Waiting[] = [];
  let insideCount = 0;
  let isTaken = false;
  const admitNext = (): void => {
    for (let first = queue[0]; first !== undefined; first = queue[0]) {
      if (isTaken || (first.isAlone && insideCount > 0)) return;
      queue.shift();
      insideCount++;
      isTaken = first.isAlone;
      first.admit();
    }
  };
  return {
    enter: async (isAlone) => {
      await new Promise<void>((resolve) => {
        queue.push({ isAlone, admit: resolve });
        admitNext();
      });
      return () => {
        insideCount--;
        isTaken = false;
        admitNext();
      };
    },
  };
}
