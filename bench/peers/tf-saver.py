"""Times tf.compat.v1.train.Saver.save of a multilayer perceptron with Adam's slots, for bench/save-blocking.ts.

Usage: python tf-saver.py FOLDER WARM_UPS REPEATS WIDTH WIDTH...   (widths: inputs first)
Prints one JSON list: milliseconds of each save after the warm-ups. One update is made before every save.
"""

import json
import os
import sys
import time

import numpy as np
import tensorflow as tf
from training_graph import build_training

BATCH_SIZE = 8

v1 = tf.compat.v1
v1.disable_eager_execution()


def main():
    folder, warm_ups, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    widths = [int(width) for width in sys.argv[4:]]
    x, labels, update = build_training(widths)
    saver = v1.train.Saver(max_to_keep=1)
    generator = np.random.default_rng(0)
    times_ms = []
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        for step in range(warm_ups + repeats):
            rows = generator.uniform(size=[BATCH_SIZE, widths[0]])
            session.run(update, {x: rows, labels: generator.integers(0, widths[-1], BATCH_SIZE)})
            start = time.perf_counter()
            saver.save(session, os.path.join(folder, "saver", "model"), global_step=step)
            times_ms.append((time.perf_counter() - start) * 1000)
    print(json.dumps(times_ms[warm_ups:]))


main()
