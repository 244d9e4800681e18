import { basename, dirname, join } from "node:path";

/** What is beside a target while it changes: its new content, its old content, or what is being deleted. */
export type LeftoverPurpose = "staging" | "replaced" | "trash";

const leftoverName = /^\.(.+)\.(staging|replaced|trash)-\d+$/;

/** The name beside `target` under which this process keeps it for `purpose`: `.<name>.<purpose>-<pid>`. */
export function leftoverPath(target: string, purpose: LeftoverPurpose): string {
  return join(dirname(target), `.${basename(target)}.${purpose}-${process.pid}`);
}

/** The target and the purpose of a name that {@link leftoverPath} gave, in any process; `undefined` for other names. */
export function parseLeftoverName(
  name: string,
): { readonly target: string; readonly purpose: LeftoverPurpose } | undefined {
  const [, target, purpose] = leftoverName.exec(name) ?? [];
  return target === undefined ? undefined : { target, purpose: purpose as LeftoverPurpose };
}

/** Which of `names` are old contents of the target of that name. */
export function findReplaced(names: readonly string[], target: string): readonly string[] {
  return names.filter((name) => {
    const leftover = parseLeftoverName(name);
    return leftover?.target === target && leftover.purpose === "replaced";
  });
}
