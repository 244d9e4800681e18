const pad = (number: number): string => String(number).padStart(5, "0");

/** The file that lists the tensors of a V2 checkpoint. */
export function indexPath(prefix: string): string {
  return `${prefix}.index`;
}

/** A file with values of a V2 checkpoint, from 0. */
export function dataPath(prefix: string, shard: number, shardCount: number): string {
  return `${prefix}.data-${shardSuffix(shard, shardCount)}`;
}

/** `00000-of-00002` for the first of two. */
function shardSuffix(shard: number, shardCount: number): string {
  return `${pad(shard)}-of-${pad(shardCount)}`;
}

/** A V1 checkpoint in one file a device is named by a pattern; this is the part that stands for their numbers. */
const shardPattern = /-\?{5}-of-(\d{5})$/;

/**
 * The files of a V1 checkpoint: the prefix itself, or one a device where it ends in `-?????-of-00002`. At most 99,999;
 * the pattern has no room for more.
 */
export function tablePaths(prefix: string): readonly string[] {
  const [pattern, count] = shardPattern.exec(prefix) ?? [];
  if (pattern === undefined) return [prefix];
  const stem = prefix.slice(0, -pattern.length);
  const shardCount = Number(count);
  return Array.from({ length: shardCount }, (_, shard) => `${stem}-${shardSuffix(shard, shardCount)}`);
}

/** The prefix without the pattern for V1 files: what `.meta` files and steps are named after. */
export function stemOf(prefix: string): string {
  return prefix.replace(shardPattern, "");
}
