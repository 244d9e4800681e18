"""Writes metrics.json: predictions with the metrics that scikit-learn and SciPy give for them.

Run in a Python with `pip install scikit-learn`: python make_goldens.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from scipy.stats import binomtest, bootstrap
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, mean_absolute_error, mean_squared_error

random = np.random.default_rng(7)


def plain(values):
    return np.asarray(values).astype(np.float64).ravel().tolist()


def classification(name, predictions, labels):
    predictions = predictions.astype(np.float32)
    columns = predictions.shape[1]
    classes = max(columns, 2)
    predicted = (predictions[:, 0] > 0.5).astype(int) if columns == 1 else np.argmax(predictions, axis=1)
    correct = int(np.sum(predicted == labels))
    interval = binomtest(correct, len(labels)).proportion_ci(0.95, method="wilson")
    return {
        "name": name,
        "columns": columns,
        "predictions": plain(predictions),
        "labels": labels.tolist(),
        "accuracy": accuracy_score(labels, predicted),
        "accuracyInterval": [interval.low, interval.high],
        "logLoss": log_loss(labels, predictions, labels=list(range(classes))),
        "confusion": confusion_matrix(labels, predicted, labels=list(range(classes))).tolist(),
    }


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


labels = random.integers(0, 5, 300)
likely = softmax(random.normal(size=(300, 5)) * 2 + 3 * np.eye(5)[labels])
# Certain rows, right and wrong, are what the clipping is for; equal scores are what the tie rule is for.
certain = np.eye(3)[[0, 1, 2, 0]]
equal = np.array([[0.5, 0.5, 0.0], [0.25, 0.5, 0.25], [0.4, 0.2, 0.4], [0.2, 0.4, 0.4]])
binary = random.integers(0, 2, 200)
chances = 1 / (1 + np.exp(-random.normal(size=200) - 2 * (binary - 0.5)))
chances[:3] = [0.5, 0.0, 1.0]
targets = random.normal(size=(120, 2))
estimates = (targets + random.normal(size=(120, 2)) / 3).astype(np.float32)
targets = targets.astype(np.float32)
losses = random.exponential(size=500)
interval = bootstrap((losses,), np.mean, method="percentile", n_resamples=100_000, rng=random).confidence_interval

goldens = {
    "scikitLearn": sklearn.__version__,
    "classification": [
        classification("five classes", likely, labels),
        classification("certain rows", certain, np.array([0, 1, 0, 2])),
        classification("equal scores", equal, np.array([0, 1, 2, 2])),
        classification("binary sigmoid", chances[:, None], binary),
        classification("a class without rows", softmax(random.normal(size=(50, 4))), random.integers(0, 3, 50)),
    ],
    "regression": {
        "columns": 2,
        "predictions": plain(estimates),
        "labels": plain(targets),
        "mse": mean_squared_error(targets.astype(float), estimates.astype(float)),
        "mae": mean_absolute_error(targets.astype(float), estimates.astype(float)),
    },
    "bootstrap": {"values": losses.tolist(), "interval": [interval.low, interval.high]},
}
(Path(__file__).parent / "metrics.json").write_text(json.dumps(goldens) + "\n")
