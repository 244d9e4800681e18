import { basename, dirname, join } from "node:path";

/**
 * What is beside a target while it changes: its new content, its old content, what is being deleted, or finished pieces
 * of what it will be.
 */
export type LeftoverPurpose = "staging" | "replaced" | "trash" | "pieces";

const leftoverName = /^\.(.+)\.(?:(staging|replaced|trash)-(\d+)|(pieces))$/;

/** The name beside `target` under which this process keeps it for `purpose`: `.<name>.<purpose>-<pid>`. */
export function leftoverPath(target: string, purpose: Exclude<LeftoverPurpose, "pieces">): string {
  return join(dirname(target), `.${basename(target)}.${purpose}-${process.pid}`);
}

/**
 * The folder beside `target` for finished pieces of what will be committed there: `.<name>.pieces`. It is every
 * process's, and outlives the one that made it, until the target is committed or its run discarded.
 */
export function piecesPath(target: string): string {
  return join(dirname(target), `.${basename(target)}.pieces`);
}

/** What a name that the functions above gave says. */
export interface Leftover {
  readonly target: string;
  readonly purpose: LeftoverPurpose;
  /** The process whose it is; not set for pieces. */
  readonly pid?: number;
}

/** The reverse of the functions above, for names given in any process; `undefined` for other names. */
export function parseLeftoverName(name: string): Leftover | undefined {
  const [, target, purpose, pid, pieces] = leftoverName.exec(name) ?? [];
  if (target === undefined) return undefined;
  if (pieces !== undefined) return { target, purpose: "pieces" };
  return { target, purpose: purpose as LeftoverPurpose, pid: Number(pid) };
}

/** Which of `names` are old contents of the target of that name. */
export function findReplaced(names: readonly string[], target: string): readonly string[] {
  return names.filter((name) => {
    const leftover = parseLeftoverName(name);
    return leftover?.target === target && leftover.purpose === "replaced";
  });
}

/** Which of `names` are new contents of the target of that name, by processes that are no more. */
export function findAbandoned(
  names: readonly string[],
  target: string,
  isAlive: (pid: number) => boolean,
): readonly string[] {
  return names.filter((name) => {
    const leftover = parseLeftoverName(name);
    const isStaging = leftover?.target === target && leftover.purpose === "staging";
    return isStaging && !isAlive(leftover.pid ?? 0);
  });
}
