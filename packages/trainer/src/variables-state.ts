import { CkptError, type TensorSpec } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { captureOptimizer, checkOptimizer, isOptimizerLoadable, restoreOptimizer } from "./optimizer-state.js";
import { type Predict, probePredict } from "./probe-predict.js";
import { disposeAfter, requireArrayDtype, toTensor, viewTensor } from "./tensor-array.js";
import type { RestorableState, TrainingState } from "./training-state.js";

/** A model written by hand: its variables, what trains them, and how it predicts. */
export interface VariablesStateOptions {
  /** Everything that training changes, by names that are the same in every process. */
  readonly variables: Readonly<Record<string, tf.Variable>>;
  /**
   * What trains them. TensorFlow.js's optimizers know variables by their position: give `minimize` the same list in
   * every process.
   */
  readonly optimizer?: tf.Optimizer;
  /** Computes the outputs from a batch of inputs, by `inputs`' names; without side effects, not asynchronous. */
  readonly predict: Predict;
  /** What `predict` takes; the first dimension that is `null` is the batch. */
  readonly inputs: readonly TensorSpec[];
}

/**
 * Makes the state of a hand-written model, to be given to `createCheckpointer` as `model`. The outputs of its signature
 * are found by running `predict` on zeros with two batch sizes. `model.json` with `weights.bin` of its checkpoints is a
 * TensorFlow.js weights manifest without a topology: `tf.io.decodeWeights` reads the variables by name.
 *
 * @throws {CkptError} INVALID_OPTION when there are no variables, `predict` fails or gives no outputs, or the optimizer
 *   is not one of TensorFlow.js's own; UNSUPPORTED_DTYPE.
 */
export function createVariablesState(options: VariablesStateOptions): TrainingState {
  const { variables, optimizer, predict, inputs } = options;
  const named = Object.entries(variables).map(([name, variable]) => ({ name, variable }));
  if (named.length === 0) {
    throw new CkptError("INVALID_OPTION", { option: "variables", expected: "at least one variable", found: "none" });
  }
  for (const { name, variable } of named) requireArrayDtype(name, variable.dtype);
  if (optimizer !== undefined) isOptimizerLoadable(optimizer);
  const signature = { inputs, outputs: probePredict(predict, inputs) };
  const model = { format: "variables", generatedBy: `TensorFlow.js tfjs-core v${tf.version_core}`, convertedBy: null };

  return {
    snapshot: async () => {
      // All reading starts before the first await: the arrays are those of one moment.
      const [weights, captured] = await Promise.all([
        Promise.all(named.map(({ name, variable }) => viewTensor(name, variable))),
        optimizer === undefined ? undefined : captureOptimizer(optimizer, named),
      ]);
      return {
        signature,
        model,
        weights,
        ...(captured === undefined ? {} : { optimizer: captured }),
        // There is no model that TensorFlow.js could load them along with.
        isOptimizerLoadable: false,
      };
    },
    restore: async (state, path) => {
      checkVariables(variables, state, path);
      if (optimizer !== undefined) {
        if (state.optimizer === undefined) {
          throw mismatch(path, "optimizer", "a model without an optimizer", optimizer.getClassName());
        }
        checkOptimizer(optimizer, named, state.optimizer, path);
      }
      for (const stored of state.weights) {
        disposeAfter(toTensor(stored), (tensor) => variables[stored.name]?.assign(tensor));
      }
      if (optimizer !== undefined && state.optimizer !== undefined) {
        restoreOptimizer(optimizer, named, state.optimizer);
      }
    },
  };
}

/** Names tell the variables of a hand-written model apart, so they have to be the same ones. */
function checkVariables(
  variables: VariablesStateOptions["variables"],
  { weights }: RestorableState,
  path: string,
): void {
  for (const { name, dtype, shape } of weights) {
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const expected = describe(dtype, shape);
    const found = variable === undefined ? "no variable of this name" : describe(variable.dtype, variable.shape);
    if (expected !== found) throw mismatch(path, name, expected, found);
  }
  const stored = new Set(weights.map(({ name }) => name));
  for (const [name, { dtype, shape }] of Object.entries(variables)) {
    if (!stored.has(name)) throw mismatch(path, name, "no variable of this name", describe(dtype, shape));
  }
}

function describe(dtype: string, shape: readonly number[]): string {
  return `${dtype} [${shape.join(", ")}]`;
}

function mismatch(path: string, weight: string, expected: string, found: string): CkptError {
  return new CkptError("WEIGHTS_MISMATCH", { path, weight, expected, found });
}
