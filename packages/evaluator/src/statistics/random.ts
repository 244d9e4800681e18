/**
 * Uniform numbers from 0 (inclusive) to 1 (exclusive), 32 bits each; the same for the same seed on every machine.
 * Reference: the generator sfc32 of C. Doty-Humphrey's PractRand, started as there: 12 outputs are thrown away.
 */
export function createRandom(seed: number): () => number {
  let a = 0;
  let b = seed | 0;
  let c = 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let skipped = 0; skipped < 12; skipped++) next();
  return next;
}
