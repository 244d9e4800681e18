"""Writes metrics.json: predictions with the figures that scikit-learn, torchmetrics and SciPy give for them.

Run in a Python of its own: pip install scikit-learn torch torchmetrics, then python make_goldens.py
A value of null is one that is not defined.
"""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import sklearn
import torch
import torchmetrics
import torchmetrics.functional as tm
from scipy import stats
from sklearn import metrics as sk

warnings.simplefilter("ignore")
random = np.random.default_rng(7)


def plain(values):
    return np.asarray(values).astype(np.float64).ravel().tolist()


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def case(name, task, predictions, labels, values, weights=None, columns=None, **more):
    values = {key: None if value is None or math.isnan(value) else float(value) for key, value in values.items()}
    return {
        "name": name,
        "task": task,
        "columns": columns or predictions.shape[-1],
        "predictions": plain(predictions),
        "labels": np.asarray(labels).astype(np.float64).ravel().tolist(),
        **({} if weights is None else {"weights": weights.tolist()}),
        "values": values,
        **more,
    }


def attempt(function, *args, **options):
    """The figure, or None where the library refuses to give one."""
    try:
        return float(function(*args, **options))
    except ValueError:
        return None


def averages(labels, predicted, weights, own):
    values = {}
    scores = {
        "precision": sk.precision_score,
        "recall": sk.recall_score,
        "f1": sk.f1_score,
        "fBeta@0.5": lambda *args, **options: sk.fbeta_score(*args, beta=0.5, **options),
        "jaccard": sk.jaccard_score,
    }
    for name, score in scores.items():
        for suffix, average in {"": own, "Macro": "macro", "Micro": "micro", "Weighted": "weighted"}.items():
            base, *option = name.split("@")
            key = "@".join([base + suffix, *option])
            values[key] = score(labels, predicted, average=average, sample_weight=weights, zero_division=0)
    return values


def equal_mass(confidence, correct, weights, bins):
    """Bins of equal mass by their definition: every row becomes many small ones, equal confidences share their hits."""
    confidence = confidence.astype(np.float32).astype(np.float64)
    rates = np.zeros(len(correct))
    for level in np.unique(confidence):
        tied = confidence == level
        rates[tied] = np.average(correct[tied], weights=weights[tied]) if weights[tied].any() else 0
    order = np.argsort(confidence, kind="stable")
    # Whole weights only: a row of weight w is w * bins pieces, so that every bin has as many pieces as there is weight.
    pieces = np.repeat(order, weights[order].astype(int) * bins).reshape(bins, -1)
    size = pieces.shape[1] / bins
    ece, squares = 0.0, 0.0
    for piece in pieces:
        gap, rate = confidence[piece].mean() - rates[piece].mean(), rates[piece].mean()
        ece += abs(gap) / bins
        squares += (gap**2 - (rate * (1 - rate) / (size - 1) if size > 1 else 0)) / bins
    return ece, math.sqrt(max(0, squares))


def pr_auc(truth, scores, weights, isWeighted=False):
    if not truth.any(axis=0).all():
        return None
    areas = []
    for column in range(truth.shape[1]):
        curve = sk.precision_recall_curve(truth[:, column], scores[:, column], sample_weight=weights)
        areas.append(sk.auc(curve[1], curve[0]))
    ones = np.ones(len(truth)) if weights is None else weights
    return np.average(areas, weights=ones @ truth if isWeighted else None)


def classification(name, predictions, labels, weights=None):
    predictions = predictions.astype(np.float32)
    columns = predictions.shape[1]
    full = predictions if columns > 1 else np.hstack([np.float32(1) - predictions, predictions])
    classes = list(range(full.shape[1]))
    isBinary = len(classes) == 2
    predicted = np.argmax(full, axis=1)
    w = {"sample_weight": weights}
    oneHot = np.eye(len(classes))[labels]
    scores = full[:, 1] if isBinary else full
    truth = labels if isBinary else oneHot
    hasAll = all(0 < np.sum(labels == index) < len(labels) for index in classes)
    correct = (predicted == labels).astype(float)
    ones = np.ones(len(labels)) if weights is None else weights
    values = {
        "accuracy": sk.accuracy_score(labels, predicted, **w),
        "logLoss": sk.log_loss(labels, full, labels=classes, **w),
        "balancedAccuracy": sk.balanced_accuracy_score(labels, predicted, **w),
        "matthewsCorrcoef": sk.matthews_corrcoef(labels, predicted, **w),
        "cohenKappa": sk.cohen_kappa_score(labels, predicted, **w),
        "hammingLoss": sk.hamming_loss(labels, predicted, **w),
        "brierScore": attempt(sk.brier_score_loss, labels, full[:, 1] if isBinary else full, labels=classes, **w),
        **averages(labels, predicted, weights, "binary" if isBinary else "macro"),
        "rocAuc": attempt(sk.roc_auc_score, truth, scores, average="macro", **w) if hasAll else None,
        "rocAucWeighted": attempt(sk.roc_auc_score, truth, scores, average="weighted", **w) if hasAll else None,
        "averagePrecision": sk.average_precision_score(truth, scores, average="macro", **w),
        "averagePrecisionWeighted": sk.average_precision_score(truth, scores, average="weighted", **w),
    }
    own = [1] if isBinary else classes
    values["prAuc"] = pr_auc(oneHot[:, own], full[:, own], weights)
    values["prAucWeighted"] = pr_auc(oneHot[:, own], full[:, own], weights, isWeighted=True)
    if len(classes) > 2:
        values["topKAccuracy@3"] = sk.top_k_accuracy_score(labels, full, k=3, labels=classes, **w)
    for bins in (15, 4):
        ece, rms = equal_mass(full.max(axis=1), correct, ones, bins)
        option = "" if bins == 15 else f"@{bins}"
        values[f"ece{option}"] = ece
        values[f"rmsCalibrationErrorDebiased{option}"] = rms
    if weights is None:
        found, target = torch.tensor(predicted), torch.tensor(labels)
        task = {"task": "binary"} if isBinary else {"task": "multiclass", "num_classes": len(classes)}
        for suffix, average in {"Macro": "macro", "Micro": "micro", "Weighted": "weighted"}.items():
            if isBinary:
                break
            values[f"specificity{suffix}"] = tm.specificity(found, target, average=average, **task)
        if isBinary:
            values["specificity"] = tm.specificity(found, target, **task)
    correctCount = int(correct.sum())
    interval = stats.binomtest(correctCount, len(labels)).proportion_ci(0.95, method="wilson")
    return case(
        name,
        "classification",
        predictions,
        labels,
        values,
        weights,
        accuracyInterval=[interval.low, interval.high],
        confusion=sk.confusion_matrix(labels, predicted, labels=classes).tolist(),
    )


def multilabel(name, predictions, labels, weights=None):
    predictions = predictions.astype(np.float32)
    predicted = (predictions > 0.5).astype(int)
    w = {"sample_weight": weights}
    hasAll = np.all((labels.sum(axis=0) > 0) & (labels.sum(axis=0) < len(labels)))
    values = {
        "accuracy": sk.accuracy_score(labels, predicted, **w),
        "hammingLoss": sk.hamming_loss(labels, predicted, **w),
        **averages(labels, predicted, weights, "macro"),
        "logLoss": np.mean(
            [sk.log_loss(labels[:, i], predictions[:, i], labels=[0, 1], **w) for i in range(labels.shape[1])]
        ),
        "brierScore": np.mean([sk.brier_score_loss(labels[:, i], predictions[:, i], pos_label=1, **w) for i in range(labels.shape[1])]),
        "rocAuc": sk.roc_auc_score(labels, predictions, **w) if hasAll else None,
        "rocAucWeighted": sk.roc_auc_score(labels, predictions, average="weighted", **w) if hasAll else None,
        "rocAucMicro": sk.roc_auc_score(labels, predictions, average="micro", **w),
        "averagePrecision": sk.average_precision_score(labels, predictions, **w),
        "averagePrecisionWeighted": sk.average_precision_score(labels, predictions, average="weighted", **w),
        "averagePrecisionMicro": sk.average_precision_score(labels, predictions, average="micro", **w),
    }
    values["prAuc"] = pr_auc(labels, predictions, weights)
    values["prAucWeighted"] = pr_auc(labels, predictions, weights, isWeighted=True)
    cells = None if weights is None else np.repeat(weights, labels.shape[1])
    values["prAucMicro"] = pr_auc(labels.reshape(-1, 1), predictions.reshape(-1, 1), cells)
    if weights is None:
        for suffix, average in {"": "macro", "Macro": "macro", "Micro": "micro", "Weighted": "weighted"}.items():
            values[f"specificity{suffix}"] = tm.specificity(
                torch.tensor(predicted), torch.tensor(labels), average=average, task="multilabel", num_labels=labels.shape[1]
            )
    return case(name, "multilabel", predictions, labels, values, weights)


def regression(name, predictions, targets, weights=None):
    predictions, targets = predictions.astype(np.float32), targets.astype(np.float32)
    p, t = predictions.astype(float), targets.astype(float)
    w = {"sample_weight": weights}
    columns = range(p.shape[1])
    counted = slice(None) if weights is None else weights > 0

    def each(function):
        found = [function(t[:, i], p[:, i]) for i in columns]
        return None if any(value is None or math.isnan(value) for value in found) else float(np.mean(found))

    values = {
        "mse": sk.mean_squared_error(t, p, **w),
        "mae": sk.mean_absolute_error(t, p, **w),
        "rmse": sk.root_mean_squared_error(t, p, **w),
        "r2": sk.r2_score(t, p, **w),
        "mape": sk.mean_absolute_percentage_error(t, p, **w),
        "pinball": sk.mean_pinball_loss(t, p, **w),
        "pinball@0.9": sk.mean_pinball_loss(t, p, alpha=0.9, **w),
        "medianAbsoluteError": sk.median_absolute_error(t, p, **w),
        # scikit-learn has no weights here: a row that counts for nothing is left out.
        "maxError": max(sk.max_error(t[counted, i], p[counted, i]) for i in columns),
        "tweedieDeviance": each(lambda a, b: sk.mean_tweedie_deviance(a, b, power=0, **w)),
        "tweedieDeviance@1.5": each(lambda a, b: attempt(sk.mean_tweedie_deviance, a, b, power=1.5, **w)),
        "tweedieDeviance@3": each(lambda a, b: attempt(sk.mean_tweedie_deviance, a, b, power=3, **w)),
        "tweedieDeviance@-1": each(lambda a, b: attempt(sk.mean_tweedie_deviance, a, b, power=-1, **w)),
        "poissonDeviance": each(lambda a, b: attempt(sk.mean_poisson_deviance, a, b, **w)),
        "gammaDeviance": each(lambda a, b: attempt(sk.mean_gamma_deviance, a, b, **w)),
    }
    if weights is None:
        tensors = torch.tensor(p), torch.tensor(t)
        values["smape"] = tm.symmetric_mean_absolute_percentage_error(*tensors)
        values["pearson"] = each(lambda a, b: stats.pearsonr(a, b).statistic)
        values["spearman"] = each(lambda a, b: stats.spearmanr(a, b).statistic)
        if p.shape[1] == 1:
            values["pearson"] = tm.pearson_corrcoef(tensors[0][:, 0], tensors[1][:, 0]) if np.ptp(t) and np.ptp(p) else None
    elif np.all(weights == weights.astype(int)):
        # A whole weight is as many equal rows.
        repeated = np.repeat(np.arange(len(t)), weights.astype(int))
        values["pearson"] = np.mean([stats.pearsonr(t[repeated, i], p[repeated, i]).statistic for i in columns])
        values["spearman"] = np.mean([stats.spearmanr(t[repeated, i], p[repeated, i]).statistic for i in columns])
    if np.abs(t).max() > 1e5:
        # Far from zero the libraries' own formula for powers loses all its digits.
        values = {key: value for key, value in values.items() if not key.startswith(("tweedieDeviance@", "gamma"))}
    return case(name, "regression", predictions, targets, values, weights)


def sequence(name, predictions, labels):
    predictions = predictions.astype(np.float32)
    classes = predictions.shape[-1]
    target = torch.tensor(np.where(labels < 0, -100, labels))
    values = {
        "tokenAccuracy": tm.accuracy(
            torch.tensor(predictions.reshape(-1, classes)),
            target.flatten(),
            task="multiclass",
            num_classes=classes,
            ignore_index=-100,
            average="micro",
        ),
        "perplexity": tm.text.perplexity(
            torch.tensor(np.log(predictions.astype(float))), target.to(torch.int64), ignore_index=-100
        ),
    }
    return case(name, "sequence", predictions, labels, values, columns=classes, positions=labels.shape[1])


labels = random.integers(0, 5, 300)
likely = softmax(random.normal(size=(300, 5)) * 2 + 3 * np.eye(5)[labels])
# Certain rows, right and wrong, are what the clipping is for; equal scores are what the tie rule is for.
certain = np.eye(3)[[0, 1, 2, 0]]
equal = np.array([[0.5, 0.5, 0.0], [0.25, 0.5, 0.25], [0.4, 0.2, 0.4], [0.2, 0.4, 0.4]])
binary = random.integers(0, 2, 200)
chances = 1 / (1 + np.exp(-random.normal(size=200) - 2 * (binary - 0.5)))
chances[:3] = [0.5, 0.0, 1.0]
tied = np.round(chances * 8) / 8
targets = random.normal(size=(120, 2))
estimates = targets + random.normal(size=(120, 2)) / 3
positive = np.exp(random.normal(size=(90, 1)))
guesses = positive * np.exp(random.normal(size=(90, 1)) / 4)
many = (random.random(size=(150, 4)) < [0.5, 0.3, 0.1, 0.7]).astype(int)
sure = 1 / (1 + np.exp(-random.normal(size=(150, 4)) - 2 * (many - 0.5)))
rare = many.copy()
rare[:, 2] = 0
tokens = random.integers(0, 6, size=(25, 7))
spoken = softmax(random.normal(size=(25, 7, 6)) + 2 * np.eye(6)[tokens])
tokens[random.random(size=tokens.shape) < 0.3] = -1
losses = random.exponential(size=500)
interval = stats.bootstrap((losses,), np.mean, method="percentile", n_resamples=100_000, rng=random).confidence_interval
offset = 1e6 + random.normal(size=(60, 1))


def whole(count):
    return random.integers(0, 4, count).astype(float)


def mcnemar(b, c):
    """Exact two-sided p, and the mid-p of M. Fagerland, S. Lydersen and P. Laake (2013)."""
    exact = stats.binomtest(b, b + c).pvalue if b + c > 0 else 1.0
    mid = 2 * stats.binom.cdf(min(b, c), b + c, 0.5) - stats.binom.pmf(b, b + c, 0.5) if b + c > 0 else 1.0
    return {"b": b, "c": c, "exact": exact, "mid": mid}


goldens = {
    "versions": {"scikitLearn": sklearn.__version__, "torchmetrics": torchmetrics.__version__},
    "cases": [
        classification("five classes", likely, labels),
        classification("five classes, weighted", likely, labels, whole(300)),
        classification("certain rows", certain, np.array([0, 1, 0, 2])),
        classification("equal scores", equal, np.array([0, 1, 2, 2])),
        classification("binary sigmoid", chances[:, None], binary),
        classification("binary softmax, weighted", np.column_stack([1 - chances, chances]), binary, whole(200)),
        classification("binary with ties", tied[:, None], binary),
        classification("binary, one class only", chances[:20, None], np.zeros(20, dtype=int)),
        classification("a class without rows", softmax(random.normal(size=(50, 4))), random.integers(0, 3, 50)),
        classification("three classes, one only", softmax(random.normal(size=(30, 3))), np.ones(30, dtype=int)),
        multilabel("four labels", sure, many),
        multilabel("four labels, weighted", sure, many, whole(150)),
        multilabel("a label without rows", sure, rare),
        regression("two targets", estimates, targets),
        regression("two targets, weighted", estimates, targets, whole(120)),
        regression("positive values", guesses, positive),
        regression("positive values, weighted", guesses, positive, whole(90)),
        regression("counts with zeros", guesses[:60], np.floor(positive[:60] * 2)),
        regression("equal values", np.round(guesses * 2), np.round(positive * 2)),
        regression("constant targets", guesses[:10], np.full((10, 1), 0.1)),
        regression("constant targets, all right", np.full((10, 1), 0.1), np.full((10, 1), 0.1)),
        regression("far from zero", offset + random.normal(size=(60, 1)) / 3, offset),
        sequence("tokens with padding", spoken, tokens),
    ],
    "bootstrap": {"values": losses.tolist(), "interval": [interval.low, interval.high]},
    "mcnemar": [mcnemar(b, c) for b, c in [(0, 0), (1, 0), (0, 6), (5, 5), (10, 25), (3, 4), (120, 90), (700, 800)]],
    "normal": [[z, stats.norm.cdf(z)] for z in (-8.0, -5.5, -5.0, -2.5, -0.1, 0.0, 1.0, 1.959963984540054, 4.9, 6.0)],
}
(Path(__file__).parent / "metrics.json").write_text(json.dumps(goldens) + "\n")
