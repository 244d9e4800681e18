/** Large enough that what a call costs does not count. */
const defaultPieceBytes = 32 << 20;

/**
 * Puts the parts of a file together into pieces of at least `pieceBytes`, the last one apart, so that only one of them is
 * in memory besides the parts. A part of that size is a piece without being copied. There is always one piece, and only
 * that of an empty file is empty.
 */
export function* joinPieces(
  parts: readonly Uint8Array[],
  pieceBytes: number = defaultPieceBytes,
): Generator<Uint8Array, void> {
  let open: Uint8Array[] = [];
  let openBytes = 0;
  let isFirst = true;
  for (const part of parts) {
    if (part.byteLength === 0) continue;
    open.push(part);
    openBytes += part.byteLength;
    if (openBytes < pieceBytes) continue;
    yield join(open);
    isFirst = false;
    open = [];
    openBytes = 0;
  }
  if (open.length > 0 || isFirst) yield join(open);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? first : Buffer.concat(parts);
}
