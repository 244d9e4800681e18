"""The classic three-part script on TensorFlow 1's API, for bench/tensorflow-checkpoints.ts.

Usage: python tf-checkpoints.py save FOLDER COUNT ROWS WIDTH WIDTH...   (widths: inputs first)
       python tf-checkpoints.py choose FOLDER

`save` writes COUNT checkpoints of a multilayer perceptron with Adam's slots and a `checkpoint` file, each with other
weights, and ROWS rows to score them on: rows.f32 and labels.i32. `choose` is a process of its own: it freezes every
checkpoint that the `checkpoint` file names into a .pb, then imports each .pb, computes the probabilities of all rows and
keeps the checkpoint of the highest accuracy. It prints JSON: name and accuracy of that one, milliseconds of the import of
TensorFlow, of each freeze and of each evaluation.
"""

import json
import os
import re
import sys
import time

start = time.perf_counter()

import numpy as np
import tensorflow as tf
from training_graph import build_training

v1 = tf.compat.v1
v1.disable_eager_execution()
import_ms = (time.perf_counter() - start) * 1000
BATCH_SIZE = 256


def save(folder, count, row_count, widths):
    build_training(widths)
    saver = v1.train.Saver(max_to_keep=count, save_relative_paths=True)
    with v1.Session() as session:
        for step in range(count):
            session.run(v1.global_variables_initializer())
            saver.save(session, os.path.join(folder, "model"), global_step=step)
    generator = np.random.default_rng(1)
    generator.uniform(0, 1, [row_count, widths[0]]).astype(np.float32).tofile(os.path.join(folder, "rows.f32"))
    generator.integers(0, widths[-1], row_count).astype(np.int32).tofile(os.path.join(folder, "labels.i32"))


def freeze(path):
    v1.reset_default_graph()
    saver = v1.train.import_meta_graph(f"{path}.meta", clear_devices=True)
    with v1.Session() as session:
        saver.restore(session, path)
        graph = v1.graph_util.convert_variables_to_constants(session, session.graph_def, ["probs"])
    with open(f"{path}.pb", "wb") as file:
        file.write(graph.SerializeToString())


def evaluate(path, rows, labels):
    v1.reset_default_graph()
    graph_def = v1.GraphDef()
    with open(f"{path}.pb", "rb") as file:
        graph_def.ParseFromString(file.read())
    v1.import_graph_def(graph_def, name="")
    with v1.Session() as session:
        batches = (rows[at : at + BATCH_SIZE] for at in range(0, len(rows), BATCH_SIZE))
        probs = np.concatenate([session.run("probs:0", {"inp:0": batch}) for batch in batches])
    return float(np.mean(np.argmax(probs, axis=1) == labels))


def timed(action, *given):
    begin = time.perf_counter()
    result = action(*given)
    return result, (time.perf_counter() - begin) * 1000


def choose(folder):
    with open(os.path.join(folder, "checkpoint")) as file:
        names = re.findall(r'^all_model_checkpoint_paths: "(.*)"', file.read(), re.MULTILINE)
    paths = [os.path.join(folder, name) for name in names]
    freeze_ms = [timed(freeze, path)[1] for path in paths]
    labels = np.fromfile(os.path.join(folder, "labels.i32"), np.int32)
    rows = np.fromfile(os.path.join(folder, "rows.f32"), np.float32).reshape(len(labels), -1)
    scores = [timed(evaluate, path, rows, labels) for path in paths]
    best = max(range(len(names)), key=lambda index: scores[index][0])
    found = {"name": names[best], "accuracy": scores[best][0], "importMs": import_ms}
    print(json.dumps(found | {"freezeMs": freeze_ms, "evaluateMs": [ms for _, ms in scores]}))


command, folder, *rest = sys.argv[1:]
if command == "save":
    save(folder, int(rest[0]), int(rest[1]), [int(width) for width in rest[2:]])
else:
    choose(folder)
