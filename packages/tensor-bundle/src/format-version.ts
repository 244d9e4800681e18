import { CkptError } from "@ckpt/manifest";

import type { MessageReader } from "./message-reader.js";

/** The version of the checkpoint formats that is read here; TensorFlow has had no other. */
const supportedVersion = 1;

/**
 * Reads a VersionDef and refuses what this version must not read.
 *
 * @throws {CkptError} MODEL_UNREADABLE.
 */
export function checkVersion(message: MessageReader): void {
  const { path } = message;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 2) {
      const minConsumer = message.readInteger();
      if (minConsumer > supportedVersion) throw tooNew(path, `it asks for readers of version ${minConsumer}`);
    } else if (field === 3) {
      const bad = message.isBytes ? [...message.readBytes()] : [message.readInteger()];
      if (bad.includes(supportedVersion)) throw tooNew(path, `it refuses readers of version ${supportedVersion}`);
    } else message.skip();
  }
}

function tooNew(path: string, reason: string): CkptError<"MODEL_UNREADABLE"> {
  return new CkptError("MODEL_UNREADABLE", {
    path,
    reason: `a newer format: ${reason}, this is version ${supportedVersion}`,
    remedy: "Update ckpt, or save the checkpoint with an older TensorFlow.",
  });
}
