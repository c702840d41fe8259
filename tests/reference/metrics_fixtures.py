"""Writes worker/tests/fixtures/metrics.json: what scikit-learn measures of predictions, easy and awkward ones.

Run from the root of the repository, with scikit-learn 1.7: python tests/reference/metrics_fixtures.py
"""

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn import metrics
from sklearn.calibration import calibration_curve


def one_class_against_the_rest(truth, scores):
    if len(np.unique(truth)) < 2:
        return None
    fpr, tpr, _ = metrics.roc_curve(truth, scores, drop_intermediate=False)
    precision, recall, _ = metrics.precision_recall_curve(truth, scores)
    share, predicted = calibration_curve(truth, scores, n_bins=10, strategy="uniform")
    # From the highest score on, and without the last point, which has no score.
    curve = np.column_stack([recall, precision])[:-1][::-1]
    return {
        "roc": np.column_stack([fpr, tpr]).tolist(),
        "precisionRecall": curve.tolist(),
        "calibration": np.column_stack([predicted, share]).tolist(),
    }


def calibration_error(truth, predicted, confidence):
    """C. Guo et al. (2017); scikit-learn has the bins."""
    right = (truth == predicted).astype(int)
    bins = np.searchsorted(np.linspace(0, 1, 11)[1:-1], confidence)
    return sum(
        abs(right[bins == bin].mean() - confidence[bins == bin].mean()) * (bins == bin).mean() for bin in np.unique(bins)
    )


def classification(classes, probabilities):
    count = probabilities.shape[1]
    labels = list(range(count))
    predicted = probabilities.argmax(axis=1)
    found = {
        "accuracy": metrics.accuracy_score(classes, predicted),
        "balancedAccuracy": metrics.balanced_accuracy_score(classes, predicted),
        "logLoss": metrics.log_loss(classes, probabilities, labels=labels),
        "calibrationError": calibration_error(classes, predicted, probabilities.max(axis=1)),
    }
    for average in ["macro", "weighted"]:
        for name, score in [("f1", metrics.f1_score), ("precision", metrics.precision_score), ("recall", metrics.recall_score)]:
            found[name + average.capitalize()] = score(classes, predicted, average=average, zero_division=0)
    if count == 2:
        found["brierScore"] = metrics.brier_score_loss(classes, probabilities[:, 1], labels=labels)
    else:
        found["brierScore"] = metrics.brier_score_loss(classes, probabilities, labels=labels)
    # Undefined where a class has no row: scikit-learn refuses, or takes the class for one that is never found.
    if len(np.unique(classes)) == count:
        if count == 2:
            found["rocAuc"] = metrics.roc_auc_score(classes, probabilities[:, 1])
            found["averagePrecision"] = metrics.average_precision_score(classes, probabilities[:, 1])
        else:
            truth = np.eye(count)[classes]
            found["rocAuc"] = metrics.roc_auc_score(classes, probabilities, multi_class="ovr")
            found["averagePrecision"] = metrics.average_precision_score(truth, probabilities, average="macro")
    drawn = [1] if count == 2 else labels
    curves = {str(label): one_class_against_the_rest((classes == label).astype(int), probabilities[:, label]) for label in drawn}
    scores = metrics.precision_recall_fscore_support(classes, predicted, labels=labels, zero_division=0)
    return {
        "classes": classes.tolist(),
        "probabilities": probabilities.tolist(),
        "metrics": found,
        "details": {
            "precision": scores[0].tolist(),
            "recall": scores[1].tolist(),
            "f1": scores[2].tolist(),
            "confusion": metrics.confusion_matrix(classes, predicted, labels=labels).tolist(),
            "curves": {label: curve for label, curve in curves.items() if curve},
        },
    }


def regression(numbers, predictions, quantile=None):
    pinball = {} if quantile is None else {"pinball": metrics.mean_pinball_loss(numbers, predictions, alpha=quantile)}
    return {
        "numbers": numbers.tolist(),
        "predictions": predictions.tolist(),
        "quantile": quantile,
        "metrics": {
            "r2": metrics.r2_score(numbers, predictions),
            "rmse": metrics.root_mean_squared_error(numbers, predictions),
            "mae": metrics.mean_absolute_error(numbers, predictions),
            "medianAbsoluteError": metrics.median_absolute_error(numbers, predictions),
            "mape": metrics.mean_absolute_percentage_error(numbers, predictions),
            **pinball,
        },
    }


def softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


def main():
    rng = np.random.default_rng(1)
    missing = rng.integers(0, 3, size=40)  # class 3 never occurs
    scores = rng.normal(size=(40, 4)) * 3
    scores[:, 1] = -9  # class 1 is never predicted
    certain = softmax(scores)
    certain[0] = [0, 0, 0, 1]
    binary = rng.integers(0, 2, size=60)
    likely = np.clip(binary * 0.3 + rng.uniform(size=60) * 0.7, 0, 1)
    tied = np.round(likely, 1)  # edges of bins, and many equal scores
    three = rng.integers(0, 3, size=50)
    numbers = rng.normal(size=40) * 10 + 100
    with_zero = np.concatenate([[0.0], rng.normal(size=30)])
    warnings.simplefilter("ignore")
    fixture = {
        "classification": {
            "missing": classification(missing, certain),
            "binary": classification(binary, np.column_stack([1 - likely, likely])),
            "tied": classification(binary, np.column_stack([1 - tied, tied])),
            "one_class": classification(np.ones(5, dtype=int), np.column_stack([1 - tied[:5], tied[:5]])),
            "three": classification(three, softmax(rng.normal(size=(50, 3)) + 2 * np.eye(3)[three])),
        },
        "regression": {
            "plain": regression(numbers, numbers + rng.normal(size=40)),
            "zero": regression(with_zero, with_zero + rng.normal(size=31)),
            "quantile": regression(numbers, numbers + rng.normal(size=40), quantile=0.9),
        },
    }
    Path("worker/tests/fixtures/metrics.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
