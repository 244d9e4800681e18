/** How far the clock is set in a variant: more than the 131 seconds that a float32 of today's milliseconds can tell. */
const clockShiftMs = 86_400_000;

/**
 * Runs something while `Math.random` and `Date.now` give, in every even variant, other values than in every odd one:
 * numbers in another half of [0, 1), and another day. So what depends on them is seen to differ, even a comparison with
 * 0.5 or a clock rounded to float32. Both are as before afterwards, and the caller's random numbers are not drawn from.
 */
export function varyChance<Result>(variant: number, run: () => Result): Result {
  const { random } = Math;
  const { now } = Date;
  const half = variant % 2;
  let drawn = 0;
  Math.random = () => {
    drawn++;
    // Fractional parts of multiples of the golden ratio: evenly spread, so that a loop that waits for a number ends.
    return (half + ((drawn * 0.6180339887498949) % 1)) / 2;
  };
  Date.now = () => now() + half * clockShiftMs;
  try {
    return run();
  } finally {
    Math.random = random;
    Date.now = now;
  }
}
