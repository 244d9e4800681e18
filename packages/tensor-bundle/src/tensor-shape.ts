import { damaged } from "./damaged.js";
import type { MessageReader } from "./message-reader.js";
import { MessageWriter } from "./message-writer.js";

/** What TensorFlow allows; a rank beyond it is no tensor's. */
const maxRank = 254;

/**
 * Reads a TensorShapeProto.
 *
 * @throws {CkptError} BUNDLE_INVALID for a size that is open or too large to be.
 */
export function readShape(message: MessageReader): readonly number[] {
  const shape: number[] = [];
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 2) shape.push(readDimension(message.readMessage()));
    else if (field === 3 && message.readInteger() !== 0) throw damaged(message.path, "a shape of unknown rank");
    else if (field !== 3) message.skip();
  }
  if (shape.length > maxRank) throw damaged(message.path, `a tensor of rank ${shape.length}`);
  if (!Number.isSafeInteger(countValues(shape))) {
    throw damaged(message.path, `a tensor of the shape [${shape.join(", ")}]`);
  }
  return shape;
}

function readDimension(message: MessageReader): number {
  let size = 0;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) size = message.readSize();
    else message.skip();
  }
  return size;
}

/** Writes a TensorShapeProto. */
export function writeShape(shape: readonly number[]): MessageWriter {
  const message = new MessageWriter();
  for (const size of shape) message.writeField(2, new MessageWriter().writeInteger(1, size));
  return message;
}

/** How many values a tensor of this shape has. */
export function countValues(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
}
