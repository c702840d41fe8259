"""Writes worker/tests/fixtures/penalised.json: what scikit-learn's regressions by weights learn from the data of other fixtures.

Run from the root of the repository, with scikit-learn 1.7.2: python tests/reference/linear_fixtures.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, PoissonRegressor, Ridge

FIXTURES = Path("worker/tests/fixtures")
# To nearly all digits, where the defaults stop early.
EXACT = {"tol": 1e-14, "max_iter": 1_000_000}
NAMES = {"alpha": "alpha", "l1Ratio": "l1_ratio", "fitIntercept": "fit_intercept"}

FITS = [
    ("linearRegression", LinearRegression, {"fitIntercept": False}, {}),
    ("ridge", Ridge, {}, {}),
    ("ridge", Ridge, {"alpha": 10.0, "fitIntercept": False}, {}),
    ("lasso", Lasso, {}, EXACT),
    ("lasso", Lasso, {"alpha": 0.05}, EXACT),
    ("lasso", Lasso, {"alpha": 0.3, "fitIntercept": False}, EXACT),
    ("elasticNet", ElasticNet, {}, EXACT),
    ("elasticNet", ElasticNet, {"alpha": 0.01, "l1Ratio": 0.9}, EXACT),
    ("elasticNet", ElasticNet, {"alpha": 0.1, "l1Ratio": 0.2, "fitIntercept": False}, EXACT),
    ("poissonRegression", PoissonRegressor, {}, {"solver": "newton-cholesky", "tol": 1e-13, "max_iter": 1000}),
    (
        "poissonRegression",
        PoissonRegressor,
        {"alpha": 0.001, "fitIntercept": False},
        {"solver": "newton-cholesky", "tol": 1e-13, "max_iter": 1000},
    ),
]


def fits(name):
    document = json.loads((FIXTURES / f"{name}.json").read_text())
    x, y = np.array(document["features"]), np.array(document["numbers"])
    for algorithm, make, parameters, exact in FITS:
        # Counts are 0 or more.
        target = np.round(np.abs(y)) if algorithm == "poissonRegression" else y
        model = make(**{NAMES[key]: value for key, value in parameters.items()}, **exact).fit(x, target)
        yield {
            "data": name,
            "algorithm": algorithm,
            "parameters": parameters,
            "weights": model.coef_.tolist(),
            "intercept": float(model.intercept_),
            "predictions": model.predict(x[::25]).tolist(),
        }


if __name__ == "__main__":
    assert sklearn.__version__ == "1.7.2", sklearn.__version__
    found = [fit for name in ["linear_diabetes", "linear_collinear", "linear_wide"] for fit in fits(name)]
    (FIXTURES / "penalised.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")
