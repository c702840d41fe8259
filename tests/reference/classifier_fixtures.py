"""Writes worker/tests/fixtures/classifiers.json: what scikit-learn's naive Bayes of counts, linear support vector machines,
nearest neighbours and balanced logistic regression learn from the data of other fixtures.

Run from the root of the repository, with scikit-learn 1.7.2: python tests/reference/classifier_fixtures.py
"""

import json
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.svm import LinearSVC

FIXTURES = Path("worker/tests/fixtures")
NAMES = {
    "alpha": "alpha", "binarize": "binarize", "fitPrior": "fit_prior", "c": "C", "classWeight": "class_weight",
    "nNeighbors": "n_neighbors", "weights": "weights",
}  # fmt: skip
# To nearly all digits, where the defaults stop early. The primal is the problem whose minimum is unique.
SVM = {"tol": 1e-12, "max_iter": 1_000_000, "dual": False}
LOGISTIC = {"solver": "newton-cholesky", "tol": 1e-13, "max_iter": 10_000}
BRUTE = {"algorithm": "brute"}

CLASSIFIERS = [
    ("multinomialNaiveBayes", MultinomialNB, {}, {}),
    ("multinomialNaiveBayes", MultinomialNB, {"alpha": 0.01, "fitPrior": False}, {}),
    ("bernoulliNaiveBayes", BernoulliNB, {}, {}),
    ("bernoulliNaiveBayes", BernoulliNB, {"alpha": 0.5, "binarize": 1.5, "fitPrior": False}, {}),
    ("linearSvm", LinearSVC, {}, SVM),
    ("linearSvm", LinearSVC, {"c": 0.01, "classWeight": "balanced"}, SVM),
    ("logisticRegression", LogisticRegression, {"classWeight": "balanced"}, LOGISTIC),
    ("kNeighbors", KNeighborsClassifier, {}, BRUTE),
    ("kNeighbors", KNeighborsClassifier, {"nNeighbors": 7, "weights": "distance"}, BRUTE),
]
REGRESSORS = [
    ("kNeighbors", KNeighborsRegressor, {}, BRUTE),
    ("kNeighbors", KNeighborsRegressor, {"nNeighbors": 3, "weights": "distance"}, BRUTE),
]


def fits(name, algorithms):
    document = json.loads((FIXTURES / f"{name}.json").read_text())
    x, y = np.array(document["features"]), np.array(document.get("classes") or document["numbers"])
    # The last third is not learned from: a row is its own neighbour.
    train = len(x) * 2 // 3
    order = np.argsort(np.arange(len(x)) % 3, kind="stable") if "classes" in document else np.arange(len(x))
    for algorithm, make, parameters, exact in algorithms:
        model = make(**{NAMES[key]: value for key, value in parameters.items()}, **exact)
        with warnings.catch_warnings():
            # Rounding ends a line search at the minimum.
            warnings.simplefilter("ignore")
            model.fit(x[order[:train]], y[order[:train]])
        fit = {"data": name, "algorithm": algorithm, "parameters": parameters, "order": order.tolist(), "train": train}
        if algorithm in ("linearSvm", "logisticRegression"):
            fit |= {"weights": model.coef_.tolist(), "intercepts": model.intercept_.tolist()}
        else:
            predict = getattr(model, "predict_proba", model.predict)
            fit["predictions"] = np.atleast_2d(predict(x[order[train:]])).tolist()
        yield fit


if __name__ == "__main__":
    assert sklearn.__version__ == "1.7.2", sklearn.__version__
    found = [fit for name in ["logistic_iris", "logistic_wine", "logistic_breast_cancer"] for fit in fits(name, CLASSIFIERS)]
    found += fits("linear_diabetes", REGRESSORS)
    text = json.dumps(found, separators=(",", ":"), default=float)
    (FIXTURES / "classifiers.json").write_text(text + "\n")
