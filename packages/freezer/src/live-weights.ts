import { type ModelWeight, type TensorFunction, type WeightData } from "@ckpt/graph";
import { CkptError, dtypes } from "@ckpt/manifest";

import { tf } from "#tfjs";

/** The present value of a tensor, as a copy. */
export function readTensor(tensor: tf.Tensor, where: string): WeightData {
  const dtype = dtypes.find((known) => known === tensor.dtype);
  const values = tensor.dataSync();
  if (dtype === undefined || !(ArrayBuffer.isView(values) && "slice" in values)) {
    const supported = dtypes.filter((known) => known !== "string");
    throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype: tensor.dtype, supported });
  }
  return { dtype, shape: [...tensor.shape], values: values.slice() };
}

/**
 * A function as it computes with other values of its weights. They are put in place for each call and taken out again
 * before it returns, so that whoever owns the variables does not see it.
 *
 * @param values - By key; weights that are not variables stay as they are.
 */
export function withWeights(
  compute: TensorFunction,
  weights: readonly ModelWeight[],
  values: ReadonlyMap<string, WeightData>,
): TensorFunction {
  return (...inputs) => {
    const replaced: { readonly variable: tf.Variable; readonly own: tf.Tensor }[] = [];
    try {
      for (const { key, tensor } of weights) {
        const value = values.get(key);
        if (value === undefined || !(tensor instanceof tf.Variable)) continue;
        // A clone shares the memory of the variable, which lets go of it when it is assigned.
        replaced.push({ variable: tensor, own: tensor.clone() });
        tensor.assign(tf.tensor(value.values, [...value.shape], value.dtype));
      }
      return compute(...inputs);
    } finally {
      for (const { variable, own } of replaced) variable.assign(own);
    }
  };
}
