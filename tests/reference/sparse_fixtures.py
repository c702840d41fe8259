"""Writes worker/tests/fixtures/sparse_logistic.json: what scikit-learn's linear classifiers learn with an L1 penalty, with both
penalties, with none, and with weights of classes by name.

Run from the root of the repository, with scikit-learn 1.7.2: python tests/reference/sparse_fixtures.py
"""

import json
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

FIXTURE = Path("worker/tests/fixtures/sparse_logistic.json")
EXACT = {"tol": 1e-13, "max_iter": 1_000_000}
# scikit-learn's penalty, C and l1_ratio, by this project's parameters.
LOGISTIC = [
    ({"penalty": "l1"}, {"penalty": "l1", "solver": "saga"}),
    ({"penalty": "l1", "alpha": 20}, {"penalty": "l1", "C": 0.05, "solver": "saga"}),
    ({"penalty": "elasticNet", "l1Ratio": 0.5}, {"penalty": "elasticnet", "l1_ratio": 0.5, "solver": "saga"}),
    ({"penalty": "elasticNet", "l1Ratio": 0.2, "alpha": 5}, {"penalty": "elasticnet", "l1_ratio": 0.2, "C": 0.2, "solver": "saga"}),
    ({"penalty": "l1", "classWeight": "balanced"}, {"penalty": "l1", "class_weight": "balanced", "solver": "saga"}),
    ({"classWeights": {"1": 3.5}}, {"class_weight": {1: 3.5}, "solver": "newton-cholesky"}),
]
SVM = [({"classWeights": {"0": 2, "1": 0.5}}, {"class_weight": {0: 2, 1: 0.5}, "dual": False})]


def table(load, columns, rows):
    data = load()
    x = data.data[:rows, :columns]
    # Of like size, so that scikit-learn's solver ends.
    return np.round((x - x.mean(axis=0)) / x.std(axis=0), 3), data.target[:rows]


def fits(x, y):
    for algorithm, make, cases in (("logisticRegression", LogisticRegression, LOGISTIC), ("linearSvm", LinearSVC, SVM)):
        for parameters, theirs in cases:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = make(**EXACT, **theirs).fit(x, y)
            intercepts = model.intercept_
            if algorithm == "logisticRegression" and len(intercepts) > 1:
                # Their differences alone matter.
                intercepts = intercepts - intercepts.mean()
            yield {
                "algorithm": algorithm, "parameters": parameters, "weights": model.coef_.tolist(), "intercepts": intercepts.tolist(),
            }  # fmt: skip


assert sklearn.__version__ == "1.7.2", sklearn.__version__
found = []
for x, y in (table(load_breast_cancer, 12, 220), table(load_wine, 13, 178)):
    found.append({"features": x.tolist(), "classes": y.tolist(), "fits": list(fits(x, y))})
FIXTURE.write_text(json.dumps(found, separators=(",", ":")) + "\n")
