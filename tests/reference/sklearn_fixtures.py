"""Writes fixtures below worker/tests/fixtures: what scikit-learn makes of the data that the worker's tests train on.

Run from the root of the repository, with scikit-learn 1.9: python tests/reference/sklearn_fixtures.py
"""

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold, cross_val_score

FIXTURES = Path("worker/tests/fixtures")


def write(name, value):
    FIXTURES.mkdir(parents=True, exist_ok=True)
    (FIXTURES / name).write_text(json.dumps(value, separators=(",", ":")) + "\n")


def logistic(x, y, c):
    """The minimum to nearly all digits: Newton's method in 64 bits, where the default solver stops early."""
    model = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-13, max_iter=10_000)
    with warnings.catch_warnings():
        # Rounding ends the line search at the minimum.
        warnings.simplefilter("ignore")
        model.fit(x, y)
    return {
        "alpha": 1 / c,
        "weights": model.coef_.tolist(),
        "intercepts": model.intercept_.tolist(),
        "probabilities": model.predict_proba(x[::25]).tolist(),
    }


def iris():
    data = datasets.load_iris()
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)
    fold_of = np.zeros(len(data.target), dtype=int)
    for number, (_, test) in enumerate(folds.split(data.data, data.target)):
        fold_of[test] = number
    model = LogisticRegression(max_iter=200, C=1)
    scores = cross_val_score(model, data.data, data.target, cv=folds)
    write("iris_folds.json", {"folds": fold_of.tolist(), "accuracies": scores.tolist()})


def classification():
    for name, load, step in [
        ("iris", datasets.load_iris, 1),
        ("wine", datasets.load_wine, 1),
        ("breast_cancer", datasets.load_breast_cancer, 3),
    ]:
        data = load()
        x, y = data.data[::step], data.target[::step]
        fits = [logistic(x, y, c) for c in (0.01, 1.0, 100.0)]
        write(f"logistic_{name}.json", {"features": x.tolist(), "classes": y.tolist(), "fits": fits})


def linear(x, y, alpha):
    model = Ridge(alpha=alpha, solver="svd") if alpha > 0 else LinearRegression()
    model.fit(x, y)
    return {
        "alpha": alpha,
        "weights": model.coef_.tolist(),
        "intercept": float(model.intercept_),
        "predictions": model.predict(x[::25]).tolist(),
    }


def regression():
    data = datasets.load_diabetes(scaled=False)
    x, y = data.data, data.target
    write(
        "linear_diabetes.json",
        {"features": x.tolist(), "numbers": y.tolist(), "fits": [linear(x, y, a) for a in (0.0, 1.0, 1000.0)]},
    )
    # A column that is a sum of others, one twice another, one that is constant.
    few = x[:100, :4]
    collinear = np.column_stack([few, few[:, 0] + few[:, 2], 2 * few[:, 3], np.full(len(few), 0.1)])
    y = y[:100]
    write(
        "linear_collinear.json",
        {"features": collinear.tolist(), "numbers": y.tolist(), "fits": [linear(collinear, y, a) for a in (0.0, 1.0)]},
    )
    # More columns than rows.
    rng = np.random.default_rng(0)
    wide, y = rng.normal(size=(30, 50)).round(6), rng.normal(size=30).round(6)
    write(
        "linear_wide.json",
        {"features": wide.tolist(), "numbers": y.tolist(), "fits": [linear(wide, y, a) for a in (0.0, 0.5)]},
    )


if __name__ == "__main__":
    iris()
    classification()
    regression()
