"""Runs every format of artifact folders in TensorFlow and ONNX Runtime and compares the outputs.

Usage: python compare_artifacts.py ARTIFACT...   (each a folder with artifact.json)
Exits 1 when a format is refused or differs from the SavedModel by more than 1e-5.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

TOLERANCE = 1e-5
BATCH_SIZES = (1, 4, 19)


def make_inputs(signature, batch_size, generator):
    """Uniform values in [-1, 1) for every input, one array per input name."""
    return {
        spec["name"]: generator.uniform(-1, 1, [batch_size, *spec["shape"][1:]]).astype(np.float32)
        for spec in signature["inputs"]
    }


def run_saved_model(folder, inputs):
    loaded = tf.saved_model.load(str(folder / "saved-model"))
    outputs = loaded.signatures["serving_default"](**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def read_signature_nodes(folder):
    """Tensor names of the signature: the frozen graph has the same nodes as the SavedModel."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved-model" / "saved_model.pb").read_bytes())
    definition = saved.meta_graphs[0].signature_def["serving_default"]
    return (
        {name: info.name for name, info in definition.inputs.items()},
        {name: info.name for name, info in definition.outputs.items()},
    )


def run_graph_def(folder, inputs):
    """The classic way of TensorFlow 1: import_graph_def and Session.run."""
    graph_def = tf.compat.v1.GraphDef()
    graph_def.ParseFromString((folder / "frozen.pb").read_bytes())
    feeds, fetches = read_signature_nodes(folder)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            return session.run(fetches, {feeds[name]: value for name, value in inputs.items()})


def run_onnx(folder, inputs):
    path = str(folder / "model.onnx")
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))


def compare(folder):
    signature = json.loads((folder / "artifact.json").read_text())["signature"]
    worst = 0.0
    for batch_size in BATCH_SIZES:
        inputs = make_inputs(signature, batch_size, np.random.default_rng(batch_size))
        expected = run_saved_model(folder, inputs)
        for run in (run_graph_def, run_onnx):
            found = run(folder, inputs)
            if sorted(found) != sorted(expected):
                raise ValueError(f"{run.__name__}: outputs {sorted(found)}, expected {sorted(expected)}")
            for name, value in expected.items():
                worst = max(worst, float(np.abs(found[name] - value).max()))
    return worst


def main():
    folders = [pathlib.Path(argument) for argument in sys.argv[1:]]
    failed = 0
    for folder in folders:
        worst = compare(folder)
        failed += worst > TOLERANCE
        print(f"{'ok  ' if worst <= TOLERANCE else 'FAIL'} {folder}: largest difference {worst:.1e}")
    print(f"{len(folders) - failed} passed, {failed} failed")
    return 1 if failed or not folders else 0


if __name__ == "__main__":
    sys.exit(main())
