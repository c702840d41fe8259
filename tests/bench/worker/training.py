"""Training beside scikit-learn and LightGBM: the table, the worker's flags, and the same in Python.

As a program it is the peer: `training.py PEER ALGORITHM MODEL` reads the table, keeps a fifth back, trains, measures and writes the model.
"""

import sys

COLUMNS = 20

# What is trained: the worker's flags, the target's column, and the rows as a share of all where more would take hours on two cores.
ALGORITHMS = {
    "logistic-regression": ([], "class", 1),
    "linear-svm": ([], "class", 1),
    "gaussian-naive-bayes": ([], "class", 1),
    "bernoulli-naive-bayes": ([], "class", 1),
    "decision-tree": (["maxDepth=12"], "class", 1),
    "random-forest": ([], "class", 0.1),
    "extra-trees": ([], "class", 0.1),
    "gradient-boosting": ([], "class", 1),
    "k-neighbors": ([], "class", 0.02),
    "linear-regression": ([], "number", 1),
    "ridge": ([], "number", 1),
    "lasso": (["alpha=0.1"], "number", 1),
    "elastic-net": (["alpha=0.1"], "number", 1),
    "poisson-regression": ([], "count", 1),
    "k-means": ([], None, 1),
    "gaussian-mixture": (["nComponents=8"], None, 0.1),
    "isolation-forest": ([], None, 1),
    "pca": (["nComponents=5"], None, 1),
    "truncated-svd": (["nComponents=5"], None, 1),
    "dbscan": (["eps=4"], None, 0.01),
}


def write_tables(path, rows):
    """The table of the benchmark; one file a share of the rows."""
    write_table(path / "train.parquet", rows, {int(rows * share): share for _, _, share in ALGORITHMS.values()})


def write_table(path, rows, parts):
    """Parquet files of 20 numbers, a class that they make likely, a number and a count: a file of as many rows as each of the parts has,
    named by what the part is called, else by its rows."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = np.random.default_rng(4)
    x = numbers.normal(size=(rows, COLUMNS))
    line = x[:, :10] @ np.linspace(1, 0.1, 10) + x[:, 0] * x[:, 1]
    columns = {f"f{column}": x[:, column] for column in range(COLUMNS)}
    columns["class"] = np.where(line + numbers.logistic(size=rows) > 0, "yes", "no")
    columns["number"] = line + numbers.normal(size=rows)
    columns["count"] = numbers.poisson(np.exp(np.clip(line / 4, -4, 4)))
    table = pa.table(columns)
    for part in parts:
        name = parts[part] if isinstance(parts, dict) else part
        pq.write_table(table.slice(0, part), path.with_stem(f"{path.stem}-{name}"))


def flags(algorithm, data=None):
    """The arguments of `mlpipeline-worker train`, for the table of the benchmark when no other is named."""
    parameters, target, share = ALGORITHMS[algorithm]
    features = ",".join(f"f{column}" for column in range(COLUMNS))
    arguments = ["train", "--data", data or f"train-{share}.parquet", "--features", features, "--algorithm", algorithm, "--out", "model"]
    for parameter in parameters:
        arguments += ["--parameter", parameter]
    return arguments + (["--target", target, "--test", "0.2"] if target else [])


def estimator(peer, algorithm):
    """The same algorithm, with the same parameters and on all cores; None where the peer has none."""
    from sklearn import cluster, decomposition, ensemble, linear_model, mixture, naive_bayes, neighbors, svm, tree

    if peer == "lightgbm":
        if algorithm != "gradient-boosting":
            return None
        import lightgbm

        return lightgbm.LGBMClassifier(n_estimators=100, num_leaves=31, learning_rate=0.1, n_jobs=-1, verbose=-1)
    return {
        "logistic-regression": lambda: linear_model.LogisticRegression(),
        "linear-svm": lambda: svm.LinearSVC(dual=False),
        "gaussian-naive-bayes": lambda: naive_bayes.GaussianNB(),
        "bernoulli-naive-bayes": lambda: naive_bayes.BernoulliNB(),
        "decision-tree": lambda: tree.DecisionTreeClassifier(max_depth=12),
        "random-forest": lambda: ensemble.RandomForestClassifier(n_jobs=-1),
        "extra-trees": lambda: ensemble.ExtraTreesClassifier(n_jobs=-1),
        "gradient-boosting": lambda: ensemble.HistGradientBoostingClassifier(early_stopping=False),
        "k-neighbors": lambda: neighbors.KNeighborsClassifier(n_jobs=-1),
        "linear-regression": lambda: linear_model.LinearRegression(n_jobs=-1),
        "ridge": lambda: linear_model.Ridge(),
        "lasso": lambda: linear_model.Lasso(alpha=0.1),
        "elastic-net": lambda: linear_model.ElasticNet(alpha=0.1),
        "poisson-regression": lambda: linear_model.PoissonRegressor(),
        "k-means": lambda: cluster.KMeans(8, n_init=1),
        "gaussian-mixture": lambda: mixture.GaussianMixture(8),
        "isolation-forest": lambda: ensemble.IsolationForest(n_jobs=-1),
        "pca": lambda: decomposition.PCA(5),
        "truncated-svd": lambda: decomposition.TruncatedSVD(5),
        "dbscan": lambda: cluster.DBSCAN(eps=4, n_jobs=-1),
    }[algorithm]()


def train(peer, algorithm, model):
    """Trains as the worker does: a fifth is kept back to measure with, and numbers are scaled where it matters."""
    import pickle

    import pandas as pd
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    _, target, share = ALGORITHMS[algorithm]
    table = pd.read_parquet(f"train-{share}.parquet")
    x = table[[f"f{column}" for column in range(COLUMNS)]].to_numpy()
    pipeline = make_pipeline(StandardScaler(), estimator(peer, algorithm))
    if target is None:
        kept, held = train_test_split(x, test_size=0.2, random_state=0)
        pipeline.fit(kept)
        if hasattr(pipeline[-1], "predict"):
            pipeline.predict(held)
    else:
        kept, held, known, truth = train_test_split(x, table[target].to_numpy(), test_size=0.2, random_state=0)
        pipeline.fit(kept, known)
        print(pipeline.score(held, truth))
    with open(model, "wb") as out:
        pickle.dump(pipeline, out)


if __name__ == "__main__":
    train(sys.argv[1], sys.argv[2], sys.argv[3])
