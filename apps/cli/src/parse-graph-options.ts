import type { GraphOptions } from "@ckpt/freezer";
import { CkptError } from "@ckpt/manifest";

/** The options of `ckpt freeze` for graphs of TensorFlow, as they are typed. */
export interface TypedGraphOptions {
  /** `NAME=VALUE` each. */
  readonly pin: readonly string[];
  readonly signature: string | undefined;
  readonly averages: boolean;
}

/**
 * Reads the options for graphs of TensorFlow; those not given are left out.
 *
 * @throws {CkptError} INVALID_OPTION for a pin that is not `NAME=VALUE`, or a second one of a name.
 */
export function parseGraphOptions({ pin, signature, averages }: TypedGraphOptions): GraphOptions {
  const pins = new Map<string, string>();
  for (const text of pin) {
    const [name = "", ...rest] = text.split("=");
    const value = rest.join("=");
    if (name === "" || value === "") throw invalid("NAME=VALUE, such as is_training=false", text);
    if (pins.has(name)) throw invalid("each placeholder once", text);
    pins.set(name, value);
  }
  return {
    ...(pins.size === 0 ? {} : { pins: Object.fromEntries(pins) }),
    ...(signature === undefined ? {} : { signature }),
    ...(averages ? { isAveraged: averages } : {}),
  };
}

function invalid(expected: string, found: string): CkptError {
  return new CkptError("INVALID_OPTION", { option: "--pin", expected, found });
}
