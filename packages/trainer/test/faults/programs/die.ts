/** Kills its own process with SIGKILL. */
export function die(): never {
  process.kill(process.pid, "SIGKILL");
  // Until the signal has arrived nothing more may happen.
  for (;;);
}
