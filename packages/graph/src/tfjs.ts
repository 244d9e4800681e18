/** TensorFlow.js. Node takes `tfjs.cjs` in the place of this file. */
export * as tf from "@tensorflow/tfjs";
