"""Algorithms without a target beside scikit-learn's, on the columns of numbers of public tables."""

import warnings

import numpy as np
import pandas as pd
from scipy import linalg, special, stats
from sklearn import cluster, decomposition, ensemble, metrics, mixture, neighbors

import tables
from cells import ALLOWED, Cell, noise
from worker import worker_of

SOURCES = [
    "iris",
    "wine",
    "breast_cancer",
    "College",
    "weather",
    "penguins",
    "diabetes",
    "Hitters",
    "Carseats",
    "Credit",
    "cars mpg",
]
FEWEST_VALUES = 20
CLUSTERS = 4
# Rows by which centres are moved where that is asked for.
BATCH = 64
COMPONENTS = 2
# Of a component's direction, in radians; and of its share of the variance.
ALLOWED_ANGLE = 1e-4
# Of the rows' distances to their fifth neighbour, the share that is within eps.
DENSE = 0.8


def numbers_of(name):
    """The columns of numbers without their target, scaled to between 0 and 1; without rows with holes.

    Columns of few values are left out: a mixture's likelihood grows without end on them."""
    table = (tables.CLASSES | tables.NUMBERS)[name]
    train, test = tables.split(table)
    frame = pd.concat([train, test]).drop(columns=table.target).select_dtypes("number").dropna()
    frame = frame.loc[:, frame.nunique() >= FEWEST_VALUES]
    return ((frame - frame.min()) / (frame.max() - frame.min())).reset_index(drop=True)


def parts(wanted):
    """What is compared on its own: an algorithm on a table."""
    return [(algorithm, name) for algorithm in filter(wanted, CHECKS) for name in filter(wanted, SOURCES)]


def compare(part, program, seeds, wanted):
    algorithm, name = part
    frame = numbers_of(name)
    with worker_of(program) as worker, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        worker.put(train=frame)
        for row, ours, difference, allowed, *form in CHECKS[algorithm](worker, frame.to_numpy(), seeds):
            yield Cell(algorithm, row, name, ours, difference, allowed, *form)


def k_means(worker, x, seeds):
    """The rows' squared distances to their centres, summed, as a share of the rows' variance."""
    all_of_it = ((x - x.mean(axis=0)) ** 2).sum()

    def inertia(centers):
        distances = neighbors.NearestNeighbors(n_neighbors=1).fit(centers).kneighbors(x)[0]
        return (distances**2).sum() / all_of_it

    for how, parameters, peer in (
        ("", {}, lambda seed: cluster.KMeans(CLUSTERS, n_init=1, random_state=seed)),
        (", in batches", {"batchSize": BATCH}, lambda seed: cluster.MiniBatchKMeans(CLUSTERS, batch_size=BATCH, n_init=1, random_state=seed)),
    ):
        ours, theirs = [], []
        for seed in range(seeds):
            worker.train("kMeans", {"nClusters": CLUSTERS, "seed": seed} | parameters)
            ours.append(inertia(np.array(worker.predictor()["centers"])))
            theirs.append(inertia(peer(seed).fit(x).cluster_centers_))
        ours, theirs = np.array(ours), np.array(theirs)
        yield f"mean inertia{how}", ours.mean(), ours.mean() - theirs.mean(), max(ALLOWED, noise(ours, theirs))
        # A batch is drawn: the least of so many draws is one as well.
        least = max(ALLOWED, noise(ours, theirs)) if parameters else ALLOWED
        yield f"least inertia{how}", ours.min(), ours.min() - theirs.min(), least


def likelihood(predictor, x):
    """The mean logarithm of the rows' likelihood under a mixture of the worker's."""
    width = x.shape[1]
    scores = []
    for log_weight, mean, triangle in zip(predictor["logWeights"], predictor["means"], predictor["whitening"]):
        whitening = np.zeros((width, width))
        whitening[np.tril_indices(width)] = triangle
        squares = (((x - mean) @ whitening.T) ** 2).sum(axis=1)
        scores.append(log_weight + np.log(np.diag(whitening)).sum() - 0.5 * (width * np.log(2 * np.pi) + squares))
    return special.logsumexp(scores, axis=0).mean()


def gaussian_mixture(worker, x, seeds):
    ours, theirs = [], []
    for seed in range(seeds):
        worker.train("gaussianMixture", {"nComponents": COMPONENTS, "seed": seed})
        ours.append(likelihood(worker.predictor(), x))
        theirs.append(mixture.GaussianMixture(COMPONENTS, random_state=seed).fit(x).score(x))
    ours, theirs = np.array(ours), np.array(theirs)
    yield "mean log-likelihood", ours.mean(), ours.mean() - theirs.mean(), max(ALLOWED, noise(ours, theirs))
    yield "largest log-likelihood", ours.max(), ours.max() - theirs.max(), ALLOWED


def dbscan(worker, x, seeds):
    """Which dense rows are together is the same; any other row is of the nearest dense one's cluster, as the worker documents it."""
    fifth = neighbors.NearestNeighbors(n_neighbors=5).fit(x).kneighbors(x)[0][:, -1]
    eps = round(float(np.quantile(fifth, DENSE)), 3) + 0.0005
    worker.train("dbscan", {"eps": eps})
    ours = worker.score("train")["cluster"].to_numpy()
    model = cluster.DBSCAN(eps=eps).fit(x)
    cores = model.core_sample_indices_
    nearest = neighbors.NearestNeighbors(n_neighbors=1).fit(x[cores]).kneighbors(x)[1][:, 0]
    theirs = np.where(model.labels_ < 0, -1, model.labels_[cores][nearest])
    agreement = metrics.adjusted_rand_score(theirs, ours)
    clusters, noisy = len(set(ours) - {-1}), int((ours < 0).sum())
    yield "adjusted Rand index", agreement, agreement - 1, 1e-12, "{ours:.4f}"
    yield "clusters", clusters, clusters - len(set(model.labels_) - {-1}), 0, "{ours:.0f} ({difference:+.0f})"
    unlike = int(((ours < 0) != (model.labels_ < 0)).sum())
    yield "rows of noise", noisy, unlike, 0, "{ours:.0f} ({difference:.0f} others)"


def isolation_forest(worker, x, seeds):
    """How alike two forests of other seeds are: the worker's beside scikit-learn's, and two of scikit-learn's."""
    ours, theirs, ours_out, theirs_out = [], [], [], []
    for seed in range(seeds):
        worker.train("isolationForest", {"seed": seed})
        scored = worker.score("train")
        ours.append(scored["anomaly_score"].to_numpy())
        ours_out.append((scored["anomaly"] == "outlier").to_numpy())
        model = ensemble.IsolationForest(random_state=seed).fit(x)
        theirs.append(-model.score_samples(x))
        theirs_out.append(model.predict(x) < 0)

    def alike(measure, one, other, shift):
        return np.array([measure(one[seed], other[(seed + shift) % seeds]) for seed in range(seeds)])

    def rank(one, other):
        return stats.spearmanr(one, other).statistic

    def same(one, other):
        return (one == other).mean()

    for row, measure, mine, yours in (("rank correlation", rank, ours, theirs), ("same outliers", same, ours_out, theirs_out)):
        between, among = alike(measure, mine, yours, 0), alike(measure, yours, yours, 1)
        yield row, between.mean(), between.mean() - among.mean(), max(ALLOWED, noise(between, among))
    mean, mean_theirs = np.mean(ours, axis=1), np.mean(theirs, axis=1)
    yield "mean score", mean.mean(), mean.mean() - mean_theirs.mean(), max(ALLOWED, noise(mean, mean_theirs))
    out, out_theirs = np.mean(ours_out, axis=1), np.mean(theirs_out, axis=1)
    yield "share of outliers", out.mean(), out.mean() - out_theirs.mean(), max(ALLOWED, noise(out, out_theirs))


def components(algorithm, model):
    def check(worker, x, seeds):
        worker.train(algorithm, {"nComponents": COMPONENTS})
        found = np.array(worker.predictor()["components"])
        shares = np.array(worker.metrics()["findings"]["explainedVariance"])
        theirs = model().fit(x)
        angle = linalg.subspace_angles(found.T, theirs.components_.T).max()
        difference = np.abs(shares - theirs.explained_variance_ratio_).max()
        yield "explained variance", shares.sum(), difference, ALLOWED, "{ours:.4f} ({difference:.0e})"
        yield "angle", angle, angle, ALLOWED_ANGLE, "{ours:.0e}"

    return check


CHECKS = {
    "kMeans": k_means,
    "gaussianMixture": gaussian_mixture,
    "dbscan": dbscan,
    "isolationForest": isolation_forest,
    "pca": components("pca", lambda: decomposition.PCA(COMPONENTS, svd_solver="full")),
    "truncatedSvd": components("truncatedSvd", lambda: decomposition.TruncatedSVD(COMPONENTS, algorithm="arpack")),
}
