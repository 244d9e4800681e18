"""Runs every format of the fixture models in TensorFlow and ONNX Runtime and compares with TensorFlow.js's outputs.

Usage: python compare_fixtures.py FOLDER   (as packages/graph/scripts/write-interop-fixtures.ts wrote it)
Exits 1 when a format is refused or differs by more than 1e-5, times the output's largest magnitude where that is above 1.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf

TOLERANCE = 1e-5


def to_array(tensor):
    return np.array(tensor["values"]).reshape(tensor["shape"]).astype(tensor["dtype"])


def open_saved_model(folder, fixture):
    signature = tf.saved_model.load(str(folder / "saved-model")).signatures["serving_default"]
    names = [spec["name"] for spec in fixture["signature"]["outputs"]]

    def run(inputs):
        outputs = signature(**{name: tf.constant(value) for name, value in inputs.items()})
        return [outputs[name].numpy() for name in names]

    return run


def open_graph_def(folder, fixture):
    """The classic way of TensorFlow 1: import_graph_def and Session.run."""
    graph_def = tf.compat.v1.GraphDef()
    graph_def.ParseFromString((folder / "frozen.pb").read_bytes())
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    session = tf.compat.v1.Session(graph=graph)
    feeds = {spec["name"]: spec["tensor"] for spec in fixture["bound"]["inputs"]}
    fetches = [spec["tensor"] for spec in fixture["bound"]["outputs"]]
    return lambda inputs: session.run(fetches, {feeds[name]: value for name, value in inputs.items()})


def open_onnx(folder, _fixture):
    path = str(folder / "model.onnx")
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, inputs)


def compare(expected, found):
    """The largest error, in units of what is tolerated."""
    if list(expected.shape) != list(found.shape) or expected.dtype != found.dtype:
        raise ValueError(f"{found.dtype} {found.shape}, expected {expected.dtype} {expected.shape}")
    difference = np.abs(found.astype(np.float64) - expected.astype(np.float64)).max(initial=0)
    return difference / max(1, np.abs(expected.astype(np.float64)).max(initial=0))


def check(folder, opener):
    fixture = json.loads((folder / "fixture.json").read_text())
    run = opener(folder, fixture)
    worst = 0.0
    for case in fixture["cases"]:
        names = [spec["name"] for spec in fixture["signature"]["inputs"]]
        found = run({name: to_array(tensor) for name, tensor in zip(names, case["inputs"])})
        expected = [to_array(tensor) for tensor in case["outputs"]]
        if len(found) != len(expected):
            raise ValueError(f"{len(found)} outputs, expected {len(expected)}")
        worst = max([worst, *(compare(*pair) for pair in zip(expected, found))])
    return worst


def main():
    folders = sorted(path.parent for path in pathlib.Path(sys.argv[1]).glob("*/fixture.json"))
    failed = 0
    for folder in folders:
        for name, opener in (("saved-model", open_saved_model), ("frozen.pb", open_graph_def), ("onnx", open_onnx)):
            try:
                worst = check(folder, opener)
                is_close = worst <= TOLERANCE
                text = f"{worst:.1e}"
            except Exception as error:  # Whatever a runtime refuses is a failure of that format alone.
                is_close, text = False, f"{type(error).__name__}: {str(error)[:300]}"
            failed += not is_close
            print(f"{'ok  ' if is_close else 'FAIL'} {folder.name} {name}: {text}")
    print(f"{len(folders)} models, {failed} failures")
    return 1 if failed or not folders else 0


if __name__ == "__main__":
    sys.exit(main())
