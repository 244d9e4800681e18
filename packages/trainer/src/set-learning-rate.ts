import type * as tf from "@tensorflow/tfjs";

/** Sets the rate of the next update. */
export function setLearningRate(optimizer: tf.Optimizer, learningRate: number): void {
  const open = optimizer as tf.Optimizer & { learningRate: number; setLearningRate?(learningRate: number): void };
  // SGD and Momentum keep the rate in a tensor as well, which only their setter replaces.
  if (open.setLearningRate !== undefined) open.setLearningRate(learningRate);
  else open.learningRate = learningRate;
}
