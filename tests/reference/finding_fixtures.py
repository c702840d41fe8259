"""Writes worker/tests/fixtures/findings.json: what scikit-learn learns without a target from the data of other fixtures.

Run from the root of the repository, with scikit-learn 1.7.2: python tests/reference/finding_fixtures.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.cluster import DBSCAN, KMeans
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import IsolationForest
from sklearn.metrics import silhouette_score
from sklearn.mixture import GaussianMixture

FIXTURES = Path("worker/tests/fixtures")
TABLES = ["logistic_iris", "logistic_wine", "logistic_breast_cancer", "linear_diabetes"]


def features(name):
    return np.array(json.loads((FIXTURES / f"{name}.json").read_text())["features"])


def k_means(name, clusters):
    x = features(name)
    # The best of very many beginnings: both sides find the same minimum.
    model = KMeans(n_clusters=clusters, n_init=300, tol=0, random_state=0).fit(x)
    # Numbered by size.
    order = np.argsort(-np.bincount(model.labels_), kind="stable")
    labels = np.argsort(order)[model.labels_]
    return {
        "data": name,
        "algorithm": "kMeans",
        "parameters": {"nClusters": clusters, "nInit": 30, "tol": 0},
        "centers": model.cluster_centers_[order].tolist(),
        "labels": labels.tolist(),
        "inertia": model.inertia_,
        "silhouette": silhouette_score(x, labels),
    }


def isolation_forest(name):
    x = features(name)
    # What is drawn differs: the mean over very many trees is what both sides come near to.
    model = IsolationForest(n_estimators=5000, random_state=0).fit(x)
    return {
        "data": name,
        "algorithm": "isolationForest",
        "parameters": {"nEstimators": 5000},
        "scores": (-model.score_samples(x)).tolist(),
    }


def pca(name, components):
    x = features(name)
    model = PCA(components).fit(x)
    return {
        "data": name,
        "algorithm": "pca",
        "parameters": {"nComponents": components},
        "components": model.components_.tolist(),
        "explained": model.explained_variance_ratio_.tolist(),
        "transformed": model.transform(x[:20]).tolist(),
    }


def mixture(name, clusters):
    x = features(name)
    model = GaussianMixture(clusters, tol=1e-9, max_iter=10_000, n_init=20, random_state=0).fit(x)
    order = np.argsort(-model.weights_, kind="stable")
    return {
        "data": name,
        "algorithm": "gaussianMixture",
        "parameters": {"nComponents": clusters, "tol": 1e-9, "maxIterations": 10_000, "nInit": 20},
        "means": model.means_[order].tolist(),
        "probabilities": model.predict_proba(x)[:, order].tolist(),
    }


def dbscan(name, eps, min_samples):
    x = features(name)
    model = DBSCAN(eps=eps, min_samples=min_samples).fit(x)
    return {
        "data": name,
        "algorithm": "dbscan",
        "parameters": {"eps": eps, "minSamples": min_samples},
        "labels": model.labels_.tolist(),
        "cores": model.core_sample_indices_.tolist(),
    }


def truncated_svd(name, components):
    x = features(name)
    model = TruncatedSVD(components, algorithm="arpack").fit(x)
    return {
        "data": name,
        "algorithm": "truncatedSvd",
        "parameters": {"nComponents": components},
        "components": model.components_.tolist(),
        "transformed": model.transform(x[:20]).tolist(),
    }


def main():
    assert sklearn.__version__ == "1.7.2", sklearn.__version__
    fits = [k_means(name, clusters) for name in TABLES for clusters in (2, 3)]
    fits += [isolation_forest(name) for name in TABLES]
    fits += [pca(name, components) for name in TABLES for components in (1, 3, 0.95)]
    fits += [mixture("logistic_iris", clusters) for clusters in (1, 2, 3)]
    fits += [dbscan("logistic_iris", eps, least) for eps, least in ((0.5, 5), (0.4, 4), (0.8, 10), (0.3, 3))]
    fits += [dbscan("logistic_wine", 30, 5), dbscan("logistic_breast_cancer", 60, 6)]
    fits += [truncated_svd(name, components) for name in TABLES for components in (1, 3)]
    (FIXTURES / "findings.json").write_text(json.dumps(fits) + "\n")


main()
