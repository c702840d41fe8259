"""`gradientBoosting` beside LightGBM, with the same parameters as far as both have them.

The two grow other trees (they cut features into other bins), so that single answers differ; what is compared is the mean over so many
divisions of a table's rows, and each division is of both sides. A leaf may have a single row: LightGBM does not count the rows of a leaf but
guesses them from its second derivatives, so that a larger least number of them means another thing to it.
"""

import warnings

import lightgbm
import numpy as np
from sklearn import metrics

import features
import tables
from cells import ALLOWED, Cell, noise
from worker import worker_of

SECTION = "LightGBM"
FEWEST_ROWS = 1
PARAMETERS = {
    "n_estimators": 100,
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_child_samples": FEWEST_ROWS,
    "min_child_weight": 1e-3,
    "max_bin": 255,
    "min_data_in_bin": 1,
    "n_jobs": 1,
    "verbose": -1,
}


def theirs(train, test, table, is_class):
    x, x_test = (features.columns(train, rows, table, keep_holes=True) for rows in (train, test))
    y = train[table.target]
    # Its second derivatives of K > 2 classes are K / (K - 1) times scikit-learn's and the worker's, and its steps as much smaller.
    count = y.nunique() if is_class else 2
    rate = PARAMETERS["learning_rate"] * (count / (count - 1) if count > 2 else 1)
    make = lightgbm.LGBMClassifier if is_class else lightgbm.LGBMRegressor
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(**PARAMETERS | {"learning_rate": rate}).fit(x, y).predict(x_test)


def parts(wanted):
    """What is compared on its own: a table, and whether classes are predicted."""
    sources = ((True, tables.CLASSES), (False, tables.NUMBERS))
    return [(is_class, name) for is_class, several in sources for name in several if wanted("gradientBoosting") and wanted(name)]


def compare(part, program, seeds, wanted):
    is_class, name = part
    table = (tables.CLASSES if is_class else tables.NUMBERS)[name]
    measure = metrics.accuracy_score if is_class else metrics.r2_score
    pairs = []
    for seed in range(seeds):
        train, test = tables.split(table, seed)
        with worker_of(program) as worker:
            worker.put(train=train, test=test)
            parameters = {"task": "classification" if is_class else "regression", "minSamplesLeaf": FEWEST_ROWS}
            worker.train("gradientBoosting", parameters, table.target, table.prose)
            ours = worker.score()[f"predicted_{table.target}"]
        pairs.append([measure(test[table.target], answer) for answer in (ours, theirs(train, test, table, is_class))])
    yield cell(name, np.array(pairs), is_class)


def cell(name, pairs, is_class):
    """The means of both sides; each division is measured on both, so that the noise is that of the differences."""
    differences = pairs[:, 0] - pairs[:, 1]
    most = max(ALLOWED, noise(differences, []))
    row = "accuracy" if is_class else "R²"
    return Cell(f"{SECTION} {row}", row, name, pairs[:, 0].mean(), differences.mean(), most)
