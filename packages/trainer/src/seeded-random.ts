import { createRandom, type Random } from "./random.js";

/**
 * Takes the place of `Math.random`, from which TensorFlow.js draws everything that has no seed of its own: initial
 * weights, dropout masks, the shuffling of `model.fit`.
 */
export interface SeededRandom extends Pick<Random, "getState" | "setState"> {
  /** Replaces `Math.random` until {@link SeededRandom.uninstall}; does nothing if it is installed. */
  install(): void;
  /** Puts back what was replaced; does nothing if it is not installed. */
  uninstall(): void;
  /** Runs `action` with this generator installed, and puts back what was there before. */
  run<Result>(action: () => Result | Promise<Result>): Promise<Result>;
}

const replacements = new WeakSet<() => number>();

/**
 * Makes a replacement for `Math.random` from a seed. Nothing is replaced until it is installed. Only one can be
 * installed at a time in a process, since two runs that draw from each other's numbers are not reproducible.
 */
export function createSeededRandom(seed: number): SeededRandom {
  const random = createRandom(seed, "math-random");
  const replacement = (): number => random.next();
  replacements.add(replacement);
  let replaced: (() => number) | undefined;

  const install = (): void => {
    if (replaced !== undefined) return;
    if (replacements.has(Math.random)) {
      throw new TypeError("Math.random is already seeded by another run of this process; seeded runs go one at a time");
    }
    replaced = Math.random;
    Math.random = replacement;
  };
  const uninstall = (): void => {
    if (replaced !== undefined) Math.random = replaced;
    replaced = undefined;
  };
  return {
    getState: () => random.getState(),
    setState: (state) => random.setState(state),
    install,
    uninstall,
    run: async (action) => {
      const isNested = replaced !== undefined;
      install();
      try {
        return await action();
      } finally {
        if (!isNested) uninstall();
      }
    },
  };
}
