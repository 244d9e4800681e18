"""The classic three scripts around TensorFlow 1's checkpoints, on the handwritten digits.

Usage: python classic_pipeline.py train FOLDER DIGITS.csv.gz HELDOUT.csv
       python classic_pipeline.py choose FOLDER HELDOUT.csv EVALUATION.json

`train` trains a perceptron with batch normalization and dropout on two thirds of the digits, saves a checkpoint every 40
updates under FOLDER, and writes the other rows to HELDOUT.csv. `choose` freezes every checkpoint that the `checkpoint` file
names into a .pb with the constants of inference, scores each on HELDOUT.csv, and compares with what `ckpt evaluate --json`
printed: exits 1 when ckpt picked another checkpoint, or one of its accuracies differs.
"""

import gzip
import json
import os
import re
import sys

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
v1.disable_v2_behavior()


def read_rows(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as file:
        header = file.readline()
        table = np.loadtxt(file, delimiter=",", dtype=np.float32)
    return header, table


def split_columns(table):
    return table[:, :-1] / 16, table[:, -1].astype(np.int32)


def build():
    x = v1.placeholder(tf.float32, [None, 64], name="inp")
    labels = v1.placeholder(tf.int32, [None], name="labels")
    is_training = v1.placeholder(tf.bool, [], name="is_training")
    keep_prob = v1.placeholder(tf.float32, [], name="keep_prob")

    def weight(name, *shape):
        return v1.get_variable(name, shape, initializer=v1.glorot_uniform_initializer(seed=len(name)))

    hidden = tf.matmul(x, weight("hidden/kernel", 64, 32))
    start = {"mean": tf.zeros([32]), "variance": tf.ones([32])}
    mean, variance = (v1.get_variable(f"norm/{key}", initializer=start[key], trainable=False) for key in start)
    batch_mean, batch_variance = tf.nn.moments(hidden, [0])
    updates = [v1.assign_sub(old, (old - new) * 0.1) for old, new in ((mean, batch_mean), (variance, batch_variance))]
    used = tf.cond(is_training, lambda: (batch_mean, batch_variance), lambda: (tf.identity(mean), tf.identity(variance)))
    beta = v1.get_variable("norm/beta", initializer=tf.zeros([32]))
    hidden = tf.nn.relu(tf.nn.batch_normalization(hidden, *used, beta, None, 1e-3))
    hidden = v1.nn.dropout(hidden, keep_prob=keep_prob, seed=4)
    logits = tf.matmul(hidden, weight("classes/kernel", 32, 10))
    tf.nn.softmax(logits, name="probs")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    with tf.control_dependencies(updates):
        train = v1.train.AdamOptimizer(0.01).minimize(loss, global_step=v1.train.get_or_create_global_step())
    return train


def train(folder, digits, heldout):
    header, table = read_rows(digits)
    train_count = len(table) * 2 // 3
    with open(heldout, "w") as file:
        file.write(header)
        np.savetxt(file, table[train_count:], delimiter=",", fmt="%d")
    rows, classes = split_columns(table[:train_count])
    v1.set_random_seed(2)
    update = build()
    saver = v1.train.Saver(max_to_keep=150)
    generator = np.random.default_rng(3)
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        for step in range(1, 241):
            at = generator.integers(0, train_count, 32)
            feeds = {"inp:0": rows[at], "labels:0": classes[at], "is_training:0": True, "keep_prob:0": 0.8}
            session.run(update, feeds)
            if step % 40 == 0:
                saver.save(session, os.path.join(folder, "-mlp3"), global_step=step)


def freeze(path):
    v1.reset_default_graph()
    saver = v1.train.import_meta_graph(f"{path}.meta", clear_devices=True)
    with v1.Session() as session:
        saver.restore(session, path)
        graph = v1.graph_util.convert_variables_to_constants(session, session.graph_def, ["probs"])
    with open(f"{path}.pb", "wb") as file:
        file.write(graph.SerializeToString())


def score(path, rows, classes):
    v1.reset_default_graph()
    graph_def = v1.GraphDef()
    with open(f"{path}.pb", "rb") as file:
        graph_def.ParseFromString(file.read())
    v1.import_graph_def(graph_def, name="")
    with v1.Session() as session:
        probs = session.run("probs:0", {"inp:0": rows, "is_training:0": False, "keep_prob:0": 1})
    return np.mean(np.argmax(probs, axis=1) == classes)


def choose(folder, heldout, evaluation):
    rows, classes = split_columns(read_rows(heldout)[1])
    with open(os.path.join(folder, "checkpoint")) as file:
        names = re.findall(r'^all_model_checkpoint_paths: "(?:.*/)?(.*)"', file.read(), re.MULTILINE)
    scores = {}
    for name in names:
        path = os.path.join(folder, name)
        freeze(path)
        scores[int(name.rsplit("-", 1)[1])] = score(path, rows, classes)
    best = max(scores, key=scores.get)
    with open(evaluation) as file:
        found = json.load(file)
    ours = {int(each["id"].removeprefix("step-")): each["metrics"]["accuracy"]["value"] for each in found["candidates"]}
    picked = int(found["pick"]["id"].removeprefix("step-"))
    print(f"TensorFlow picks step {best} of {scores}")
    print(f"ckpt picks step {picked} of {ours}")
    is_same = scores.keys() == ours.keys() and all(abs(scores[step] - ours[step]) < 1e-6 for step in scores)
    return 0 if is_same and picked == best and len(scores) == 6 else 1


if __name__ == "__main__":
    command, *given = sys.argv[1:]
    sys.exit((train if command == "train" else choose)(*given))
