import { digestBytes } from "@ckpt/manifest";

/** The four 32-bit words a generator goes on from. */
export type RandomState = readonly [number, number, number, number];

/** A stream of pseudo-random numbers that can be stopped and continued. */
export interface Random {
  /** Uniform in [0, 1), a multiple of 2^-53. */
  next(): number;
  getState(): RandomState;
  setState(state: RandomState): void;
}

/**
 * Makes the generator of one stream of a seed; streams with different names are independent. The algorithm is
 * xoshiro128** 1.1 (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021), seeded with the first
 * 128 bits of the SHA-256 of seed and name.
 */
export function createRandom(seed: number, stream: string): Random {
  const digest = digestBytes(`ckpt-random-v1/${seed}/${stream}`);
  let [a, b, c, d] = [0, 8, 16, 24].map((at) => Number.parseInt(digest.slice(at, at + 8), 16)) as [
    number,
    number,
    number,
    number,
  ];
  const nextWord = (): number => {
    const word = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return word;
  };
  return {
    // 27 bits and 26 bits make the 53 of a double's significand.
    next: () => ((nextWord() >>> 5) * 0x4000000 + (nextWord() >>> 6)) / 2 ** 53,
    getState: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
    setState: (state) => {
      [a, b, c, d] = state;
    },
  };
}

/** Returns 0 to `length - 1` in random order (Fisher and Yates, in the form of Durstenfeld 1964). */
export function createPermutation(length: number, random: Random): Int32Array {
  const order = Int32Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last--) {
    const chosen = Math.floor(random.next() * (last + 1));
    const moved = order[last] ?? 0;
    order[last] = order[chosen] ?? 0;
    order[chosen] = moved;
  }
  return order;
}

function rotateLeft(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count));
}
