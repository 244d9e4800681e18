/** Milliseconds of each of `count` calls, one after the other. */
export async function timeCalls(count: number, call: () => Promise<unknown>): Promise<number[]> {
  const durations: number[] = [];
  for (let done = 0; done < count; done++) {
    const startMs = performance.now();
    await call();
    durations.push(performance.now() - startMs);
  }
  return durations;
}
