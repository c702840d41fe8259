"""Algorithms with a target beside scikit-learn's: the metric on rows that neither has seen, and the coefficients where they are unique."""

import warnings

import numpy as np
from sklearn import metrics

import features
import minimum
import tables
from algorithms import CLASSIFIERS, OF_PROSE, REGRESSORS
from cells import ALLOWED, Cell, noise
from worker import worker_of

SECTIONS = {
    "Accuracy": (tables.CLASSES, CLASSIFIERS),
    "Accuracy on prose": (tables.PROSE, OF_PROSE),
    "R²": (tables.NUMBERS, REGRESSORS),
}
COEFFICIENTS = {
    "Accuracy": "Coefficients of classes",
    "Accuracy on prose": "Coefficients of prose",
    "R²": "Coefficients of numbers",
}
# Of a coefficient.
ALLOWED_SHARE = 1e-4
# A column whose effect is a smaller share of the largest one's is compared with that share.
SMALLEST_EFFECT = 1e-3


def parts(wanted):
    """What is compared on its own: a section's table."""
    return [(section, name) for section, (sources, _) in SECTIONS.items() for name in sources if wanted(name)]


def compare(part, program, seeds, wanted):
    """The cells of all algorithms that are wanted, on one table."""
    section, name = part
    sources, algorithms = SECTIONS[section]
    train, test = tables.split(sources[name])
    with worker_of(program) as worker:
        worker.put(train=train, test=test)
        for algorithm in algorithms:
            if wanted(algorithm.name):
                yield from compare_one(worker, section, name, sources[name], train, test, algorithm, seeds)


def compare_one(worker, section, name, table, train, test, algorithm, seeds):
    x, x_test = (features.columns(train, rows, table, algorithm.keep_holes) for rows in (train, test))
    y, y_test = train[table.target].to_numpy(), test[table.target].to_numpy()
    if algorithm.not_negative == "features" and x.min() < 0 or algorithm.not_negative == "target" and y.min() < 0:
        return
    measure = metrics.r2_score if section == "R²" else metrics.accuracy_score
    ours, theirs = [], []
    for seed in range(1 if algorithm.draws == "nobody" else seeds):
        draw = np.random.default_rng(seed)
        rows = draw.permutation(len(x)) if algorithm.order == "rows" else np.arange(len(x))
        columns = draw.permutation(x.shape[1]) if algorithm.order == "columns" else np.arange(x.shape[1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = algorithm.make(seed).fit(x[rows][:, columns], y[rows])
        theirs.append(measure(y_test, model.predict(x_test[:, columns])))
        if seed == 0 or algorithm.draws == "both":
            drawn = {"seed": seed} if algorithm.draws == "both" else {}
            worker.train(algorithm.name, algorithm.parameters | drawn, table.target, table.prose)
            ours.append(measure(y_test, worker.score()[f"predicted_{table.target}"]))
    most = allowed(np.array(ours), np.array(theirs), algorithm.draws, None if section == "R²" else len(test))
    yield Cell(section, f"`{algorithm.name}`", name, np.mean(ours), np.mean(ours) - np.mean(theirs), most)
    if algorithm.convex:
        found = coefficients(worker.predictor(), model, x, y, algorithm)
        form = "{ours:.0e}" if found[1] else "{ours:.0e} (sums)"
        yield Cell(COEFFICIENTS[section], f"`{algorithm.name}`", name, found[0], found[0], ALLOWED_SHARE, form)


def allowed(ours, theirs, draws, rows):
    """The largest difference of the means that is no fault; `rows` are counted where each is right or wrong."""
    # One row more or less right is the least that there can be.
    least = max(ALLOWED, 1.0 / rows) if rows else ALLOWED
    if draws == "nobody":
        return least
    if draws == "theirs":
        return least + np.abs(theirs - theirs.mean()).max()
    return max(least, noise(ours, theirs))


def coefficients(predictor, model, x, y, algorithm):
    """The largest difference of two coefficients as a share of theirs, and whether they were compared.

    Where columns follow from others, a minimum without an L2 penalty is reached by many coefficients: the weighted sums of the rows are
    compared then, which are the same for all of them."""
    ours, theirs = np.atleast_2d(predictor["weights"]), np.atleast_2d(model.coef_)
    if algorithm.name in minimum.CLASSIFIERS:
        theirs = minimum.weights_of(model, algorithm.name, x, y)
    if len(ours) > len(theirs):
        ours = ours[1:] - ours[:1]
    if algorithm.name == "logisticRegression" and len(ours) > 1:
        ours = ours - ours.mean(axis=0)
    centered = x - x.mean(axis=0)
    deviations = centered.std(axis=0)
    if algorithm.convex == "unless" and np.linalg.matrix_rank(centered / np.where(deviations > 0, deviations, 1)) < x.shape[1]:
        sums = centered @ theirs.T
        return np.abs(centered @ ours.T - sums).max() / np.abs(sums).max(), False
    ours, theirs = ours * deviations, theirs * deviations
    least = SMALLEST_EFFECT * np.abs(theirs).max()
    return (np.abs(ours - theirs) / np.maximum(np.abs(theirs), least)).max(), True


def shapes():
    """A line of the page for each table."""
    for sources in (tables.CLASSES, tables.PROSE, tables.NUMBERS):
        for name, table in sources.items():
            train, test = tables.split(table)
            kinds = train.drop(columns=table.target).select_dtypes("object").columns
            dated = [column for column in kinds if train[column].dropna().str.fullmatch(features.DATE).all()]
            texts = len(kinds) - len(dated) - len(table.prose)
            parts = [(texts, "categories"), (len(dated), "dates"), (len(table.prose), "prose")]
            has = [part for count, part in parts if count] + ["holes"] * bool(train.isna().any().any())
            task = "numbers" if sources is tables.NUMBERS else "classes"
            yield f"| {name} | {table.package} | {task} | {len(train)} | {len(test)} | {train.shape[1] - 1} | {', '.join(has)} |"
