import { normalRadius } from "./normal.js";

/**
 * The interval of a proportion, 95 % by default, which stays within 0 and 1 and is not empty when all or none succeeded.
 * Reference: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927).
 */
export function wilsonInterval(successes: number, total: number, confidence = 0.95): readonly [number, number] {
  const z = normalRadius(confidence);
  const z2 = z ** 2;
  const proportion = successes / total;
  const centre = (proportion + z2 / (2 * total)) / (1 + z2 / total);
  const spread = (proportion * (1 - proportion)) / total + z2 / (4 * total ** 2);
  const radius = (z * Math.sqrt(spread)) / (1 + z2 / total);
  // Where all or none succeeded, that end is exactly 0 or 1; rounding would put it a bit beside.
  return [successes === 0 ? 0 : centre - radius, successes === total ? 1 : centre + radius];
}
