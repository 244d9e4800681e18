import util from "node:util";

/**
 * Puts plain versions of `isArray` and `isNullOrUndefined` into `node:util`. tfjs-node 4.22 calls both in every
 * operation; Node 22 prints a deprecation warning for each (DEP0044, DEP0051) and Node 23 removed the second.
 */
export function restoreNodeFunctions(): void {
  const functions = {
    isArray: Array.isArray,
    isNullOrUndefined: (value: unknown): boolean => value === null || value === undefined,
  };
  Object.assign(util, functions);
}
