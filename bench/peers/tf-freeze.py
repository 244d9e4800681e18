"""Times freezing checkpoints of a multilayer perceptron the way TensorFlow 1.x does, for bench/freeze.ts.

Usage: python tf-freeze.py FOLDER WARM_UPS REPEATS WIDTH WIDTH...   (widths: inputs first)
Prints one JSON list: milliseconds of each freeze after the warm-ups: import_meta_graph, restore,
convert_variables_to_constants, serialise and write, as the classic script does for each checkpoint in turn.
"""

import json
import os
import sys
import time

import tensorflow as tf
from training_graph import build_training

v1 = tf.compat.v1
v1.disable_eager_execution()


def save_checkpoints(folder, widths, count):
    """Saves as many checkpoints, each with other weights, and gives their paths."""
    # A training script's graph: its checkpoints hold Adam's slots, its `.meta` the gradients.
    build_training(widths)
    saver = v1.train.Saver(max_to_keep=count)
    paths = []
    with v1.Session() as session:
        for step in range(count):
            session.run(v1.global_variables_initializer())
            paths.append(saver.save(session, os.path.join(folder, "model"), global_step=step))
    return paths


def freeze(path):
    v1.reset_default_graph()
    saver = v1.train.import_meta_graph(f"{path}.meta", clear_devices=True)
    with v1.Session() as session:
        saver.restore(session, path)
        graph = v1.graph_util.convert_variables_to_constants(session, session.graph_def, ["probs"])
    with open(f"{path}.pb", "wb") as file:
        file.write(graph.SerializeToString())


def main():
    folder, warm_ups, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    paths = save_checkpoints(folder, [int(width) for width in sys.argv[4:]], warm_ups + repeats)
    times_ms = []
    for path in paths:
        start = time.perf_counter()
        freeze(path)
        times_ms.append((time.perf_counter() - start) * 1000)
    print(json.dumps(times_ms[warm_ups:]))


main()
