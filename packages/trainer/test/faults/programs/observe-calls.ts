import type { FileSystem } from "@ckpt/manifest";

/** A file system that tells of each call before it is made. */
export function observeCalls(
  real: FileSystem,
  onCall: (name: keyof FileSystem, args: readonly unknown[]) => void,
): FileSystem {
  return new Proxy(real, {
    get: (target, name: keyof FileSystem) => {
      const method = target[name] as (...args: readonly unknown[]) => unknown;
      return (...args: readonly unknown[]): unknown => {
        onCall(name, args);
        return method(...args);
      };
    },
  });
}
