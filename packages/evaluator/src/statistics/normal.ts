/** The 97.5 % point of the standard normal distribution: 95 % lie within this many standard deviations of the mean. */
const normalQuantile975 = 1.959963984540054;

/**
 * Probability that a standard normal value is at most `z`; absolute error below 1e-14.
 * Reference: the error function's Taylor series up to |z| = 5 and Lentz's continued fraction beyond; M. Abramowitz and
 * I. Stegun, Handbook of Mathematical Functions, 26.2.10 and 26.2.14.
 */
export function normalCdf(z: number): number {
  const size = Math.abs(z);
  const density = Math.exp(-0.5 * size * size) / Math.sqrt(2 * Math.PI);
  if (size > 5) {
    let fraction = size;
    for (let level = 60; level >= 1; level--) fraction = size + level / fraction;
    return z < 0 ? density / fraction : 1 - density / fraction;
  }
  let term = size;
  let sum = size;
  for (let odd = 3; Math.abs(term) > 1e-17 * sum; odd += 2) {
    term *= (size * size) / odd;
    sum += term;
  }
  return z < 0 ? 0.5 - density * sum : 0.5 + density * sum;
}

/** The value that a standard normal one is at most with the given probability, by bisection of {@link normalCdf}. */
export function normalQuantile(probability: number): number {
  if (probability <= 0) return -Infinity;
  if (probability >= 1) return Infinity;
  let low = -40;
  let high = 40;
  for (let halving = 0; halving < 100; halving++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** How many standard deviations hold a value with this probability: 1.96 for 0.95. */
export function normalRadius(confidence: number): number {
  return confidence === 0.95 ? normalQuantile975 : normalQuantile((1 + confidence) / 2);
}

/**
 * The same for Student's distribution of 30 or more degrees of freedom, to five digits.
 * Reference: M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, 26.7.5.
 */
export function studentRadius(confidence: number, freedom: number): number {
  const z = normalRadius(confidence);
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / freedom + second / freedom ** 2 + third / freedom ** 3;
}
