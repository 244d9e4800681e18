"""Reads in TensorFlow what write-bundles.ts wrote: by name, by a v1 Saver and by tf.train.Checkpoint.

Usage: python check_bundles.py FOLDER
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"
sys.path.insert(0, str(FIXTURES))
sys.dont_write_bytecode = True
from make import describe

v1 = tf.compat.v1
KERNEL = [[1, 2, 3], [4, 5, 6]]


def restore(prefix, key, dtype):
    return tf.raw_ops.RestoreV2(prefix=prefix, tensor_names=[key], shape_and_slices=[""], dtypes=[dtype])[0]


def check_names(folder):
    """Every dtype, found through the `checkpoint` file, against the file that TensorFlow wrote."""
    prefix = tf.train.latest_checkpoint(str(folder))
    assert prefix == str(folder / "every-dtype-7"), prefix
    original = str(FIXTURES / "dtypes" / "all")
    dtypes = tf.train.load_checkpoint(original).get_variable_to_dtype_map()
    assert tf.train.load_checkpoint(prefix).get_variable_to_dtype_map() == dtypes
    for key, dtype in dtypes.items():
        found, expected = (describe(restore(path, key, dtype)) for path in (prefix, original))
        assert found == expected, (key, found, expected)
    return len(dtypes)


def check_saver(folder):
    with tf.Graph().as_default():
        kernel = v1.get_variable("dense/kernel", [2, 3], use_resource=False)
        bias = v1.get_variable("dense/bias", [3], use_resource=True)
        steps = v1.get_variable("steps", [], tf.int64)
        with v1.Session() as session:
            v1.train.Saver().restore(session, v1.train.latest_checkpoint(str(folder)))
            check_weights(*session.run([kernel, bias, steps]))


def check_objects(folder):
    dense = tf.Module()
    dense.kernel, dense.bias = tf.Variable(tf.zeros([2, 3])), tf.Variable(tf.zeros([3]))
    steps = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(dense=dense, steps=steps)
    prefix = tf.train.latest_checkpoint(str(folder))
    checkpoint.read(prefix).assert_existing_objects_matched()
    check_weights(dense.kernel.numpy(), dense.bias.numpy(), steps.numpy())
    checkpoint.restore(prefix).assert_consumed()


def check_weights(kernel, bias, steps):
    np.testing.assert_array_equal(kernel, KERNEL)
    np.testing.assert_array_equal(bias, [-1, 0, 1])
    assert steps == -5


def check_optimizers(folder):
    """Each v1 optimizer's Saver finds all its variables, and each slot is what it should be."""
    train = v1.train
    cases = {
        "Momentum": (train.MomentumOptimizer(0.1, 0.9), {"momentum": 1.5}),
        "Adagrad": (train.AdagradOptimizer(0.1), {"accumulator": 1.5}),
        "Adadelta": (train.AdadeltaOptimizer(0.1), {"accum": 1.5, "accum_update": 2.5}),
        "Adam": (train.AdamOptimizer(0.1), {"m": 1.5, "v": 2.5}),
        "RMSProp": (train.RMSPropOptimizer(0.1), {"rms": 1.5, "momentum": 2.5}),
        "CenteredRMSProp": (train.RMSPropOptimizer(0.1, centered=True), {"rms": 1.5, "momentum": 2.5, "mg": 3.5}),
    }
    for name, (optimizer, slots) in cases.items():
        with tf.Graph().as_default():
            w = v1.get_variable("w", [2], use_resource=False)
            optimizer.minimize(tf.reduce_sum(w))
            with v1.Session() as session:
                train.Saver().restore(session, str(folder / name))
                assert set(optimizer.get_slot_names()) == set(slots), (name, optimizer.get_slot_names())
                for slot, value in slots.items():
                    np.testing.assert_array_equal(session.run(optimizer.get_slot(w, slot)), [value, value], name)
    return len(cases)


def check_many(folder):
    reader = tf.train.load_checkpoint(str(folder / "many"))
    assert len(reader.get_variable_to_shape_map()) == 20_000
    for index in range(20_000):
        assert reader.get_tensor(f"layer_{index}/kernel") == index


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    count = check_names(root / "names")
    check_saver(root / "saver")
    check_objects(root / "objects")
    optimizers = check_optimizers(root / "optimizers")
    check_many(root / "many")
    print(
        f"TensorFlow {tf.__version__} reads the bundles: {count} tensors of every dtype, Saver, Checkpoint, "
        f"{optimizers} optimizers, 20,000 keys"
    )
