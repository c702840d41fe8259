"""The algorithms with a target: the worker's name and parameters, and scikit-learn's model with the same."""

from collections.abc import Callable
from dataclasses import dataclass

from sklearn import ensemble, linear_model, naive_bayes, neighbors, svm, tree

# scikit-learn's solvers to nearly all digits: where they stop early by default, the difference would be theirs.
NEWTON = {"solver": "newton-cholesky", "tol": 1e-10, "max_iter": 10_000}
DESCENT = {"tol": 1e-10, "max_iter": 1_000_000}


@dataclass(frozen=True)
class Algorithm:
    """Whether something is drawn: by nobody, by scikit-learn (among equally good splits, or by the order of rows or columns), or by both."""

    name: str
    parameters: dict
    make: Callable[[int], object]
    draws: str = "nobody"
    # What is not below 0: "features", "target", or nothing.
    not_negative: str = ""
    # The worker's model has one weight a column, and there is one best model. It is "unless" where columns follow from others.
    convex: str = ""
    # What scikit-learn draws by: its seed, or the order of rows or of columns that it is given.
    order: str = "seed"
    keep_holes: bool = False


def regression(parameters):
    return {**parameters, "task": "regression"}


BOOSTING = {"draws": "theirs", "order": "columns", "keep_holes": True}
NEIGHBORS = {"draws": "theirs", "order": "rows"}

CLASSIFIERS = [
    Algorithm(
        "logisticRegression", {"maxIterations": 5000}, lambda seed: linear_model.LogisticRegression(**NEWTON), convex="always"
    ),
    Algorithm("linearSvm", {}, lambda seed: svm.LinearSVC(dual=False, tol=1e-14, max_iter=1_000_000), convex="always"),
    Algorithm("gaussianNaiveBayes", {}, lambda seed: naive_bayes.GaussianNB()),
    Algorithm("multinomialNaiveBayes", {}, lambda seed: naive_bayes.MultinomialNB(), not_negative="features"),
    Algorithm("bernoulliNaiveBayes", {}, lambda seed: naive_bayes.BernoulliNB()),
    Algorithm("kNeighbors", {}, lambda seed: neighbors.KNeighborsClassifier(algorithm="brute"), **NEIGHBORS),
    Algorithm(
        "decisionTree", {"maxDepth": 5}, lambda seed: tree.DecisionTreeClassifier(max_depth=5, random_state=seed), draws="theirs"
    ),
    Algorithm("randomForest", {}, lambda seed: ensemble.RandomForestClassifier(random_state=seed), draws="both"),
    Algorithm("extraTrees", {}, lambda seed: ensemble.ExtraTreesClassifier(random_state=seed), draws="both"),
    Algorithm(
        "gradientBoosting",
        {},
        lambda seed: ensemble.HistGradientBoostingClassifier(early_stopping=False, random_state=seed),
        **BOOSTING,
    ),
]
OF_PROSE = [
    algorithm
    for algorithm in CLASSIFIERS
    if algorithm.name in ("logisticRegression", "linearSvm", "multinomialNaiveBayes", "bernoulliNaiveBayes")
]
REGRESSORS = [
    Algorithm("linearRegression", {}, lambda seed: linear_model.LinearRegression(), convex="unless"),
    Algorithm("ridge", {}, lambda seed: linear_model.Ridge(), convex="always"),
    Algorithm("lasso", {"maxIterations": 100_000}, lambda seed: linear_model.Lasso(**DESCENT), convex="unless"),
    Algorithm("elasticNet", {"maxIterations": 100_000}, lambda seed: linear_model.ElasticNet(**DESCENT), convex="always"),
    Algorithm(
        "poissonRegression",
        {"maxIterations": 5000},
        lambda seed: linear_model.PoissonRegressor(**NEWTON),
        not_negative="target",
        convex="always",
    ),
    Algorithm("kNeighbors", regression({}), lambda seed: neighbors.KNeighborsRegressor(algorithm="brute"), **NEIGHBORS),
    Algorithm(
        "decisionTree",
        regression({"maxDepth": 5}),
        lambda seed: tree.DecisionTreeRegressor(max_depth=5, random_state=seed),
        draws="theirs",
    ),
    Algorithm("randomForest", regression({}), lambda seed: ensemble.RandomForestRegressor(random_state=seed), draws="both"),
    Algorithm("extraTrees", regression({}), lambda seed: ensemble.ExtraTreesRegressor(random_state=seed), draws="both"),
    Algorithm(
        "gradientBoosting",
        regression({}),
        lambda seed: ensemble.HistGradientBoostingRegressor(early_stopping=False, random_state=seed),
        **BOOSTING,
    ),
]
