"""Times the classic evaluation of many checkpoints in TensorFlow, for bench/evaluate.ts.

Usage: python tf-evaluate.py ROWS WIDTH COUNT GRAPH GRAPH...   (ROWS: a file of float32 rows; frozen GraphDefs)
Prints the milliseconds of all graphs, each imported and run once over COUNT rows. Rows beyond those of the file are the
same again, and runs have 10,000 rows at most.
"""

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
    width, count, paths = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    rows = np.fromfile(sys.argv[1], dtype=np.float32).reshape(-1, width)
    start = time.perf_counter()
    for path in paths:
        graph, source, result = load(path)
        with v1.Session(graph=graph) as session:
            for first in range(0, count, len(rows)):
                session.run(result, {source: rows[: min(len(rows), count - first)]})
    print((time.perf_counter() - start) * 1000)


main()
