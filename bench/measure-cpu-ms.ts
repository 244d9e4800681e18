import process from "node:process";

/** CPU time of `action` in milliseconds, that of all threads of the process, until what it returns has settled. */
export async function measureCpuMs(action: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
