/** TensorFlow.js. In Node `tfjs.cjs` takes the place of this file. */
export * as tf from "@tensorflow/tfjs";
