"""The training graph that the peers share: dense layers with relu between them, softmax, cross-entropy and Adam."""

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


def build_training(widths):
    """Placeholders for the inputs, `inp`, and the labels, and the operation that makes one update; ends in `probs`."""
    x = v1.placeholder(tf.float32, [None, widths[0]], name="inp")
    labels = v1.placeholder(tf.int32, [None], name="labels")
    outputs = x
    for index, (inputs, units) in enumerate(zip(widths, widths[1:])):
        scale = np.sqrt(6 / (inputs + units))
        kernel = v1.get_variable(f"kernel{index}", initializer=tf.random.uniform([inputs, units], -scale, scale))
        bias = v1.get_variable(f"bias{index}", initializer=tf.zeros([units]))
        outputs = tf.matmul(outputs, kernel) + bias
        if index < len(widths) - 2:
            outputs = tf.nn.relu(outputs)
    tf.nn.softmax(outputs, name="probs")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=outputs))
    return x, labels, v1.train.AdamOptimizer().minimize(loss)
