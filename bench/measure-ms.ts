/** Wall time of `action` in milliseconds, until what it returns has settled. */
export async function measureMs(action: () => unknown): Promise<number> {
  const startMs = performance.now();
  await action();
  return performance.now() - startMs;
}
