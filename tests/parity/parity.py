"""Trains every algorithm through the worker and through scikit-learn on public tables, measures both on the same rows that
neither has seen, and writes the table of docs/reference/parity.md.

    python tests/parity/parity.py WORKER [--seeds N] [--write docs/reference/parity.md] [--algorithms NAME ...] [--tables NAME ...]

It fails when a difference is larger than it may be: 0.005 where both sides compute the same thing, and three standard errors of
the difference of the means where they draw. `make parity` sets everything up.
"""

import argparse
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import ensemble, linear_model, metrics, naive_bayes, neighbors, svm, tree

import tables

ALLOWED = 0.005
# scikit-learn's solvers to nearly all digits: where they stop early by default, the difference would be theirs.
NEWTON = {"solver": "newton-cholesky", "tol": 1e-10, "max_iter": 10_000}
DESCENT = {"tol": 1e-10, "max_iter": 1_000_000}

# The worker's name, its parameters, scikit-learn's, and whether something is drawn: by nobody, by scikit-learn (among equally
# good splits, or by the order of rows or columns), or by both.
CLASSIFIERS = [
    ("logisticRegression", {"maxIterations": 5000}, lambda seed: linear_model.LogisticRegression(**NEWTON), "nobody"),
    ("linearSvm", {}, lambda seed: svm.LinearSVC(dual=False, tol=1e-8, max_iter=100_000), "nobody"),
    ("gaussianNaiveBayes", {}, lambda seed: naive_bayes.GaussianNB(), "nobody"),
    ("multinomialNaiveBayes", {}, lambda seed: naive_bayes.MultinomialNB(), "nobody"),
    ("bernoulliNaiveBayes", {}, lambda seed: naive_bayes.BernoulliNB(), "nobody"),
    ("kNeighbors", {}, lambda seed: neighbors.KNeighborsClassifier(algorithm="brute"), "theirs"),
    ("decisionTree", {"maxDepth": 5}, lambda seed: tree.DecisionTreeClassifier(max_depth=5, random_state=seed), "theirs"),
    ("randomForest", {}, lambda seed: ensemble.RandomForestClassifier(random_state=seed), "both"),
    ("extraTrees", {}, lambda seed: ensemble.ExtraTreesClassifier(random_state=seed), "both"),
    (
        "gradientBoosting",
        {},
        lambda seed: ensemble.HistGradientBoostingClassifier(early_stopping=False, random_state=seed),
        "theirs",
    ),
]
OF_PROSE = [algorithm for algorithm in CLASSIFIERS if algorithm[0] in ("logisticRegression", "linearSvm", "multinomialNaiveBayes")]
REGRESSORS = [
    ("linearRegression", {}, lambda seed: linear_model.LinearRegression(), "nobody"),
    ("ridge", {}, lambda seed: linear_model.Ridge(), "nobody"),
    ("lasso", {"maxIterations": 100_000}, lambda seed: linear_model.Lasso(**DESCENT), "nobody"),
    ("elasticNet", {"maxIterations": 100_000}, lambda seed: linear_model.ElasticNet(**DESCENT), "nobody"),
    ("poissonRegression", {"maxIterations": 5000}, lambda seed: linear_model.PoissonRegressor(**NEWTON), "nobody"),
    ("kNeighbors", {}, lambda seed: neighbors.KNeighborsRegressor(algorithm="brute"), "theirs"),
    ("decisionTree", {"maxDepth": 5}, lambda seed: tree.DecisionTreeRegressor(max_depth=5, random_state=seed), "theirs"),
    ("randomForest", {}, lambda seed: ensemble.RandomForestRegressor(random_state=seed), "both"),
    ("extraTrees", {}, lambda seed: ensemble.ExtraTreesRegressor(random_state=seed), "both"),
    (
        "gradientBoosting",
        {},
        lambda seed: ensemble.HistGradientBoostingRegressor(early_stopping=False, random_state=seed),
        "theirs",
    ),
]
# Which of equally distant neighbours answer depends on the rows' order there, and which of equally good splits boosting takes on the columns'.
BY_ROWS = {"kNeighbors"}
BY_COLUMNS = {"gradientBoosting"}
BOTH_TASKS = {"kNeighbors", "decisionTree", "randomForest", "extraTrees", "gradientBoosting"}


def kebab(name):
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)


def run(folder, *arguments):
    done = subprocess.run([str(argument) for argument in arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))}: {done.stderr.strip()}")


def of_worker(worker, folder, target, algorithm, parameters, is_class, roles):
    """What the worker's model predicts for the rows of test.csv."""
    given = dict(parameters, task="regression") if algorithm in BOTH_TASKS and not is_class else parameters
    flags = [flag for name, value in given.items() for flag in ("--parameter", f"{name}={value}")]
    flags += [flag for role in roles for flag in ("--as", role)]
    run(folder, worker, "train", "--data", "train.csv", "--target", target, "--algorithm", kebab(algorithm), *flags, "--out", "model")
    run(folder, worker, "score", "--model", "model", "--data", "test.csv", "--out", "scored.csv")
    return pd.read_csv(folder / "scored.csv")[f"predicted_{target}"]


def compare(worker, folder, table, algorithm, seeds, is_class, is_prose):
    """The metric of both sides, for every seed."""
    (train, test, target), (name, parameters, make, draws) = table, algorithm
    if is_prose:
        x, x_test = tables.words(train["text"], train["text"]), tables.words(train["text"], test["text"])
    else:
        x, x_test = tables.columns(train, train, target), tables.columns(train, test, target)
    roles = [f"text=text:{tables.MAX_TERMS}"] if is_prose else []
    if name == "multinomialNaiveBayes" and x.min() < 0:
        return None
    if name == "poissonRegression" and train[target].min() < 0:
        return None
    measure = metrics.accuracy_score if is_class else metrics.r2_score
    ours, theirs = [], []
    for seed in range(seeds if draws in ("both", "theirs") else 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            draw = np.random.default_rng(seed)
            rows = draw.permutation(x.shape[0]) if name in BY_ROWS else np.arange(x.shape[0])
            columns = draw.permutation(x.shape[1]) if name in BY_COLUMNS else np.arange(x.shape[1])
            model = make(seed).fit(x[rows][:, columns], train[target].to_numpy()[rows])
            theirs.append(measure(test[target], model.predict(x_test[:, columns])))
        if draws == "both" or seed == 0:
            seeded = dict(parameters, seed=seed) if draws == "both" else parameters
            ours.append(measure(test[target], of_worker(worker, folder, target, name, seeded, is_class, roles)))
    return np.array(ours), np.array(theirs)


def allowed(ours, theirs, draws, rows, is_class):
    """The largest difference of the means that is no fault."""
    # One row more or less right is the least that there can be.
    least = max(ALLOWED, 1.0 / rows) if is_class else ALLOWED
    if draws == "nobody":
        return least
    if draws == "theirs":
        return least + np.abs(theirs - theirs.mean()).max()
    error = np.sqrt(ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs))
    return max(least, 3 * error)


def measure_all(worker, seeds, only, among):
    """What was found for these algorithms on these tables, all when none is named, and what is wrong with it."""
    faults, results = [], {}
    for is_class, sources, algorithms in [
        (True, tables.CLASSES, CLASSIFIERS),
        (True, tables.PROSE, OF_PROSE),
        (False, tables.NUMBERS, REGRESSORS),
    ]:
        algorithms = [algorithm for algorithm in algorithms if not only or algorithm[0] in only]
        for source, load in sources.items():
            if among and source not in among:
                continue
            frame, target = load()
            train, test = tables.split(frame, target)
            with tempfile.TemporaryDirectory() as folder:
                folder = Path(folder)
                train.to_csv(folder / "train.csv", index=False)
                test.to_csv(folder / "test.csv", index=False)
                for algorithm in algorithms:
                    is_prose = source in tables.PROSE
                    found = compare(worker, folder, (train, test, target), algorithm, seeds, is_class, is_prose)
                    if found is None:
                        continue
                    ours, theirs = found
                    difference, most = ours.mean() - theirs.mean(), allowed(*found, algorithm[3], len(test), is_class)
                    results[is_class, source, algorithm[0]] = (ours.mean(), difference, abs(difference) > most)
                    line = f"{source} {algorithm[0]}: {ours.mean():.4f} ({difference:+.4f}, allowed {most:.4f})"
                    print(line, flush=True)
                    if abs(difference) > most:
                        faults.append(line)
            results[is_class, source] = (len(train), len(test), train.shape[1] - 1, bool(train.isna().any().any()))
    return results, faults


def matrix(results, is_class, sources, algorithms):
    lines = ["| | " + " | ".join(sources) + " |", "|---" * (len(sources) + 1) + "|"]
    for name, *_ in algorithms:
        cells = []
        for source in sources:
            found = results.get((is_class, source, name))
            cells.append("" if found is None else f"{found[0]:.4f} ({found[1]:+.4f}){' **!**' if found[2] else ''}")
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(results, seeds):
    rows = [
        f"| {key[1]} | {'classes' if key[0] else 'numbers'} | {train} | {test} | {width} | {'yes' if holes else ''} |"
        for key, (train, test, width, holes) in ((k, v) for k, v in results.items() if len(k) == 2)
    ]
    return f"""# Parity with scikit-learn

Written by `make parity`; do not edit. Every algorithm learned the same rows through `mlpipeline-worker train` and through scikit-learn
1.7.2, and both were measured on the same rows that neither has seen. A cell is the worker's metric, with its difference to
scikit-learn's in brackets. A difference beyond what is allowed is marked **!**.

- Columns are those of [learn from texts and dates](../how-to/learn-from-texts-and-dates.md) on both sides, and parameters the defaults; but
  trees have a `maxDepth` of 5, scikit-learn's boosting does not stop early, and its solvers continue to the minimum, as the worker's do.
- Where nothing is drawn, 0.005 is allowed, or one row where that is more. Of forests, the means over {seeds} seeds are compared; three
  standard errors are allowed. scikit-learn's tree draws among equally good splits; which of equally distant neighbours answer depends
  on the rows' order there, and which of equally good splits boosting takes on the columns': the spread over {seeds} seeds or orders is allowed besides.
- An empty cell: the algorithm needs features or targets of 0 or more.

## Accuracy

{matrix(results, True, tables.CLASSES, CLASSIFIERS)}

## Accuracy on prose

The documentation of scikit-learn's functions, and the part of it that each is from, by the {tables.MAX_TERMS} words in the most rows.

{matrix(results, True, tables.PROSE, OF_PROSE)}

## R²

{matrix(results, False, tables.NUMBERS, REGRESSORS)}

## The tables

From packages of PyPI: scikit-learn, ISLP (Default to College, Wage to Credit) and vega_datasets (cars).

| Table | Target | Rows to learn from | Rows to measure with | Features | Missing values |
|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("worker", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--algorithms", nargs="*", default=[])
    parser.add_argument("--tables", nargs="*", default=[])
    arguments = parser.parse_args()
    if arguments.write and (arguments.algorithms or arguments.tables):
        parser.error("--write is for all algorithms and tables")
    results, faults = measure_all(arguments.worker.resolve(), arguments.seeds, arguments.algorithms, arguments.tables)
    if arguments.write:
        arguments.write.write_text(page(results, arguments.seeds))
    if faults:
        sys.exit("beyond what is allowed:\n" + "\n".join(faults))


if __name__ == "__main__":
    main()
