"""Times the classic choice among many checkpoints in TensorFlow, for bench/evaluate.ts and bench/race.ts.

Usage: python tf-evaluate.py ROWS LABELS COUNT GRAPH GRAPH...   (ROWS: a file of float32 rows; LABELS: int32, a class each)
Prints JSON: the milliseconds of all graphs, each imported and run once over COUNT rows, and the index of the one with the
highest accuracy. Rows beyond those of the file are the same again, and runs have 10,000 rows at most.
"""

import json
import sys
import time

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


def load(path):
    """A graph of its own, with the names of its input and of what nothing else takes."""
    definition = v1.GraphDef()
    with open(path, "rb") as file:
        definition.ParseFromString(file.read())
    graph = tf.Graph()
    with graph.as_default():
        v1.import_graph_def(definition, name="")
    operations = graph.get_operations()
    (source,) = [operation for operation in operations if operation.type == "Placeholder"]
    taken = {tensor.name for operation in operations for tensor in operation.inputs}
    (result,) = [t for operation in operations for t in operation.outputs if t.name not in taken]
    return graph, source.outputs[0], result


def main():
    count, paths = int(sys.argv[3]), sys.argv[4:]
    labels = np.fromfile(sys.argv[2], dtype=np.int32)
    rows = np.fromfile(sys.argv[1], dtype=np.float32).reshape(len(labels), -1)
    start = time.perf_counter()
    hits = []
    for path in paths:
        graph, source, result = load(path)
        hits.append(0)
        with v1.Session(graph=graph) as session:
            for first in range(0, count, len(rows)):
                size = min(len(rows), count - first)
                scores = session.run(result, {source: rows[:size]})
                hits[-1] += int((scores.argmax(axis=1) == labels[:size]).sum())
    best = hits.index(max(hits))
    print(json.dumps({"ms": (time.perf_counter() - start) * 1000, "best": best}))


main()
