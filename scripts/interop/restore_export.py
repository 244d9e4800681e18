"""Restores what `ckpt export` wrote of the demo's dense run in TensorFlow 1's way, compares it with the artifacts of the
same steps, and goes on training with the optimizer's state.

Usage: python restore_export.py EXPORTED RUN
Exits 1 when a variable is missing or an output differs by more than 1e-5.
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
TOLERANCE = 1e-5


def build():
    """The demo's model, its variables under the names TensorFlow.js gave them."""
    x = v1.placeholder(tf.float32, [None, 64])
    labels = v1.placeholder(tf.int32, [None])
    hidden = tf.nn.relu(dense("dense_Dense1", x, 64))
    logits = dense("dense_Dense2", hidden, 10)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    step = v1.train.get_or_create_global_step()
    return x, labels, tf.nn.softmax(logits), v1.train.AdamOptimizer(0.003).minimize(loss, global_step=step), step


def dense(name, x, units):
    with v1.variable_scope(name):
        kernel = v1.get_variable("kernel", [x.shape[-1], units], use_resource=False)
        return tf.matmul(x, kernel) + v1.get_variable("bias", [units], use_resource=False)


def run_artifact(folder, rows):
    signature = tf.saved_model.load(str(folder / "saved-model")).signatures["serving_default"]
    [name] = signature.structured_input_signature[1]
    [outputs] = signature(**{name: tf.constant(rows)}).values()
    return outputs.numpy()


def check(prefix, run, rows):
    with tf.Graph().as_default():
        x, labels, probs, train, step = build()
        with v1.Session() as session:
            v1.train.Saver().restore(session, prefix)
            found, number = session.run([probs, step], {x: rows})
            session.run(train, {x: rows, labels: np.argmax(found, axis=1)})
            assert np.isfinite(session.run(probs, {x: rows})).all()
    error = np.abs(found - run_artifact(run / "artifacts" / f"step-{number:08d}", rows)).max()
    print(f"{prefix}: {error:.1e}")
    return error <= TOLERANCE


if __name__ == "__main__":
    exported, run = sys.argv[1:]
    prefixes = tf.train.get_checkpoint_state(exported).all_model_checkpoint_paths
    rows = np.random.default_rng(1).uniform(0, 1, [16, 64]).astype(np.float32)
    sys.exit(0 if prefixes and all([check(prefix, pathlib.Path(run), rows) for prefix in prefixes]) else 1)
