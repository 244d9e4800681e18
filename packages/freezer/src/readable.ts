import { CkptError } from "@ckpt/manifest";

import type { LoadedModel } from "./load-model.js";

/**
 * Does what makes TensorFlow.js read a model.
 *
 * @throws {CkptError} MODEL_UNREADABLE when it cannot; a class that is not registered is named.
 */
export async function readable<Result>({ source }: LoadedModel, action: () => Result): Promise<Awaited<Result>> {
  try {
    return await action();
  } catch (cause) {
    const { message } = cause as Error;
    const [, kind, name] = /^Unknown (\w+): (\S+?)\. This may be/.exec(message) ?? [];
    throw new CkptError(
      "MODEL_UNREADABLE",
      {
        path: source.path,
        reason:
          name === undefined
            ? `TensorFlow.js cannot load it: ${message}`
            : `TensorFlow.js knows no ${kind ?? "class"} of the class ${name}`,
        remedy:
          name === undefined
            ? "Save the model again; one that TensorFlow.js loads can be frozen."
            : `Name the module that registers ${name}: \`--register MODULE\`; in a program, import it first. It calls tf.serialization.registerClass.`,
      },
      { cause },
    );
  }
}
