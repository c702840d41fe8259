"""Writes worker/tests/fixtures/trees.json: what scikit-learn's trees, boosting and naive Bayes predict for the data of other fixtures;
boosting_stops.json: when boosting stops; and boosting_categories.json: boosting that splits sets of categories.

Run from the root of the repository, with scikit-learn 1.7.2: python tests/reference/tree_fixtures.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

FIXTURES = Path("worker/tests/fixtures")

# scikit-learn draws among equally good splits; with these limits there is nothing to draw, which is checked below.
TREE = {"maxDepth": 4, "minSamplesLeaf": 7}
BOOSTING = {"maxIterations": 20, "maxLeafNodes": 7, "minSamplesLeaf": 5, "learningRate": 0.2, "l2Regularization": 1.5}


def data(name, holes, binary=False):
    document = json.loads((FIXTURES / f"{name}.json").read_text())
    features = np.array(document["features"])
    if holes:
        # Every `holes`th value is missing, counted row by row.
        features.flat[::holes] = np.nan
    targets = np.array(document.get("classes") or document["numbers"])
    return features, (targets == 2).astype(int) if binary else targets


def tree(name):
    x, y = data(name, None)
    make = DecisionTreeClassifier if y.dtype.kind == "i" else DecisionTreeRegressor
    predictions = []
    for seed in range(10):
        model = make(max_depth=4, min_samples_leaf=7, random_state=seed).fit(x, y)
        predictions.append(getattr(model, "predict_proba", model.predict)(x[::25]).tolist())
    assert all(np.allclose(found, predictions[0], rtol=1e-12) for found in predictions), f"{name}: the draw matters"
    return {"data": name, "algorithm": "decisionTree", "parameters": TREE, "predictions": predictions[0]}


def boosting(name, holes=None, binary=False):
    x, y = data(name, holes, binary)
    make = HistGradientBoostingClassifier if y.dtype.kind == "i" else HistGradientBoostingRegressor
    model = make(
        early_stopping=False, max_iter=20, max_leaf_nodes=7, min_samples_leaf=5, learning_rate=0.2, l2_regularization=1.5
    ).fit(x, y)
    predictions = getattr(model, "predict_proba", model.predict)(x[::25]).tolist()
    return {
        "data": name,
        "holes": holes,
        "binary": binary,
        "algorithm": "gradientBoosting",
        "parameters": BOOSTING,
        "predictions": predictions,
    }


def constrained(name, directions, holes=None, binary=False):
    x, y = data(name, holes, binary)
    make = HistGradientBoostingClassifier if y.dtype.kind == "i" else HistGradientBoostingRegressor
    numbers = [{"increasing": 1, "decreasing": -1}.get(directions.get(f"x{place}"), 0) for place in range(x.shape[1])]
    model = make(
        early_stopping=False, max_iter=20, max_leaf_nodes=7, min_samples_leaf=5, learning_rate=0.2, l2_regularization=1.5,
        monotonic_cst=numbers,
    ).fit(x, y)
    predictions = getattr(model, "predict_proba", model.predict)(x[::25]).tolist()
    parameters = BOOSTING | {"monotonicConstraints": directions}
    return {
        "data": name, "holes": holes, "binary": binary, "algorithm": "gradientBoosting", "parameters": parameters,
        "predictions": predictions,
    }


# Gradients that binary floats hold exactly: with a quantile of 0.9, rounding decides between equally good splits.
def other_loss(loss, quantile=None):
    x, y = data("linear_diabetes", 13)
    model = HistGradientBoostingRegressor(
        early_stopping=False, max_iter=20, max_leaf_nodes=7, min_samples_leaf=5, learning_rate=0.2, l2_regularization=1.5,
        loss=loss, quantile=quantile,
    ).fit(x, y)
    name = {"absolute_error": "absoluteError"}.get(loss, loss)
    parameters = BOOSTING | {"loss": name} | ({"quantile": quantile} if quantile else {})
    return {
        "data": "linear_diabetes", "holes": 13, "binary": False, "algorithm": "gradientBoosting", "parameters": parameters,
        "predictions": model.predict(x[::25]).tolist(),
    }


def of_categories(kind):
    """Boosting with columns of codes, which are split by sets. Codes that the rows to learn from lack are
    holes here, as the worker makes them: scikit-learn lets them go the same way. Of three
    categories, two against one is the same split from both ends, and rounding decides which side small categories are on: the seed is one
    with which that matters to no row."""
    rng = np.random.default_rng(5)
    rows, codes = 700, [None, 9, 60]
    x = np.column_stack([rng.normal(size=rows).round(6), rng.integers(0, 9, rows), np.floor(60 * rng.random(rows) ** 2)])
    effects = [rng.normal(size=9), rng.normal(size=60)]
    y = x[:, 0] + effects[0][x[:, 1].astype(int)] + effects[1][x[:, 2].astype(int)] + 0.3 * rng.normal(size=rows)
    x[::13, 1] = np.nan
    x[::17, 0] = np.nan
    if kind == "binary":
        y = (y > 0).astype(int)
    elif kind == "classes":
        y = np.digitize(y, np.quantile(y, [0.3, 0.7]))
    make = HistGradientBoostingRegressor if kind == "numbers" else HistGradientBoostingClassifier
    model = make(
        early_stopping=False, max_iter=20, max_leaf_nodes=7, min_samples_leaf=5, learning_rate=0.2, l2_regularization=1.5,
        categorical_features=[1, 2],
    ).fit(x[:600], y[:600])
    predictions = getattr(model, "predict_proba", model.predict)(x[::5])
    x[600:, 2][~np.isin(x[600:, 2], x[:600, 2])] = np.nan
    features = [[None if np.isnan(value) else value for value in row] for row in x.tolist()]
    return {"kind": kind, "codes": codes, "learnt": 600, "features": features, "targets": y.tolist(), "predictions": predictions.tolist()}


def stopped(name, binary=False):
    """Boosting that stops early by the loss of every fourth row."""
    x, y = data(name, 11, binary)
    make = HistGradientBoostingClassifier if y.dtype.kind == "i" else HistGradientBoostingRegressor
    kept = np.arange(len(y)) % 4 == 0
    model = make(
        early_stopping=True, max_iter=200, max_leaf_nodes=7, min_samples_leaf=5, learning_rate=0.3, n_iter_no_change=5, tol=1e-3
    ).fit(x[~kept], y[~kept], X_val=x[kept], y_val=y[kept])
    predictions = getattr(model, "predict_proba", model.predict)(x[::25]).tolist()
    return {"data": name, "holes": 11, "binary": binary, "iterations": model.n_iter_, "predictions": predictions}


def gaussian(name, smoothing=None):
    x, y = data(name, None)
    model = (GaussianNB() if smoothing is None else GaussianNB(var_smoothing=smoothing)).fit(x, y)
    parameters = {} if smoothing is None else {"varSmoothing": smoothing}
    predictions = model.predict_proba(x[::25]).tolist()
    return {"data": name, "algorithm": "gaussianNaiveBayes", "parameters": parameters, "predictions": predictions}


assert sklearn.__version__ == "1.7.2"
cases = [tree(name) for name in ("logistic_iris", "linear_diabetes")]
cases += [boosting(name) for name in ("logistic_iris", "linear_diabetes")]
cases += [boosting("logistic_iris", binary=True)]
cases += [boosting(name, 7) for name in ("logistic_iris", "linear_diabetes")]
cases += [
    constrained("linear_diabetes", {"x2": "increasing", "x3": "increasing", "x8": "decreasing"}),
    constrained("linear_diabetes", {"x2": "decreasing"}, holes=7),
    constrained("logistic_iris", {"x3": "decreasing"}, binary=True),
]
cases += [other_loss("quantile", 0.75), other_loss("quantile", 0.25), other_loss("absolute_error"), other_loss("poisson")]
cases += [gaussian(name) for name in ("logistic_wine", "logistic_breast_cancer")] + [gaussian("logistic_wine", 1e-3)]
(FIXTURES / "trees.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
stops = [stopped(name) for name in ("logistic_iris", "linear_diabetes")] + [stopped("logistic_iris", binary=True)]
(FIXTURES / "boosting_stops.json").write_text(json.dumps(stops, separators=(",", ":")) + "\n")
of_sets = [of_categories(kind) for kind in ("numbers", "binary", "classes")]
(FIXTURES / "boosting_categories.json").write_text(json.dumps(of_sets, separators=(",", ":")) + "\n")
