"""Models of others, made, converted and run by their own programs, to be compared with what the worker answers after an import.

    python peers.py make FOLDER     writes table.csv, and for each model NAME.onnx and NAME.json with ONNX Runtime's answers
    python peers.py check FOLDER    compares NAME.csv, which `mlpipeline-worker score` wrote of table.csv, with NAME.json

The table has numbers with holes, texts of which some were not there when the models were trained, and sentences. Labels must be equal, except where two
classes are as likely as each other; numbers may differ by the rounding of 32-bit floats.
"""

import csv
import json
import sys
import warnings
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import onnxmltools
import onnxruntime
import pandas as pd
import xgboost
from onnx import helper, numpy_helper
from onnxmltools.convert.common.data_types import FloatTensorType as MatrixType
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes, calculate_linear_regressor_output_shapes
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (AdaBoostClassifier, BaggingClassifier, ExtraTreesClassifier, GradientBoostingClassifier,
                              GradientBoostingRegressor, IsolationForest, RandomForestClassifier, RandomForestRegressor, StackingClassifier)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, PoissonRegressor, Ridge, RidgeClassifier, SGDClassifier
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (MaxAbsScaler, MinMaxScaler, Normalizer, OneHotEncoder, OrdinalEncoder, PolynomialFeatures, PowerTransformer,
                                   QuantileTransformer, RobustScaler, StandardScaler)
from sklearn.svm import SVC, SVR, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

ROWS = 400
NUMBERS, TEXTS, NOTE = ["n", "k", "w"], ["city", "kind"], "note"
VERSIONS = {"": 18, "ai.onnx.ml": 3}
ALLOWED = 1e-5
# A language that machines have: ONNX Runtime lowers texts by the rules of one.
WORDS_AS = {"locale": "C.UTF-8"}
# Thresholds between the values that occur: a weight of a word that equals one goes either way by the last digit of a 32-bit float.
BETWEEN = {"n_estimators": 5, "tree_method": "exact"}


def rows():
    random = np.random.default_rng(0)
    n, k, w = random.normal(size=ROWS) * 10, random.integers(0, 13, ROWS), random.normal(size=ROWS)
    city = random.choice(["Bern", "Zürich", "Genève", 'Basel, "new"'], ROWS)
    kind = random.choice(["a", "b", "c"], ROWS)
    targets = {
        "three": np.where(n + k > 8, "high", np.where(w > 0, "mid", "low")),
        "two": (n + k + 3 * w > 6).astype(int),
        "truth": n + k > 6,
        "numbered": np.where(n + k > 8, 2, np.where(w > 0, 1, 0)),
        "counts": np.floor(np.exp(w) + k / 4),
        "number": 300 + 5 * n + k * w + (city == "Bern") * 20,
        None: None,
    }
    n[::7] = np.nan
    table = pd.DataFrame({"n": n.astype(np.float32), "k": k.astype(np.float32), "w": w.astype(np.float32), "city": city, "kind": kind})
    return table, targets


def notes(table):
    """Sentences that say something of the numbers, in all kinds of writing; some are empty."""
    random = np.random.default_rng(2)
    words = {True: ["High", "tall", "GREAT", "über", "it's up", "a b"], False: ["low", "Small", "München", "don't", "x-y", "e.g. less"]}
    sentences = []
    for number in np.nan_to_num(table["n"].to_numpy()):
        chosen = [random.choice(words[bool(number > 0) != (random.random() < 0.2)]) for _ in range(random.integers(0, 7))]
        sentences.append(random.choice([" ", ", ", "\n", "#", " the "]).join(chosen) + random.choice(["", ".", "!", " "]))
    return sentences


def word_models():
    """Name, steps before the model, the model and its target: of the sentences alone, as the converter writes them."""
    logistic = LogisticRegression(max_iter=500)
    yield "tfidf", TfidfVectorizer(), logistic, "three", {}
    yield "count", CountVectorizer(), MultinomialNB(), "three", {}
    yield "pairs", TfidfVectorizer(ngram_range=(1, 2)), logistic, "two", {}
    yield "pairs-alone", CountVectorizer(ngram_range=(2, 2), lowercase=False), logistic, "three", {}
    yield "triples", TfidfVectorizer(ngram_range=(1, 3), norm="l1"), ComplementNB(), "three", {}
    yield "signs", TfidfVectorizer(analyzer="char", ngram_range=(1, 3)), logistic, "three", {}
    yield "sublinear", TfidfVectorizer(sublinear_tf=True, norm=None), logistic, "three", {}
    yield "no-idf", TfidfVectorizer(use_idf=False, smooth_idf=False), logistic, "three", {}
    yield "binary", CountVectorizer(binary=True), BernoulliNB(), "three", {}
    yield "stop-words", CountVectorizer(stop_words="english"), logistic, "three", {}
    yield "own-stop-words", TfidfVectorizer(stop_words=["the", "low"], max_features=8, min_df=2), logistic, "three", {}
    yield "own-expression", TfidfVectorizer(token_pattern=r"[a-z]{3,}|[a-z']+"), logistic, "three", {}
    yield "separators", TfidfVectorizer(), logistic, "three", {"separators": [" ", "[.]", "\\?", ",", ";", ":", "\\!", "\\n"]}
    yield "kept-empty", TfidfVectorizer(), logistic, "three", {"keep_empty_string": True}
    yield "number", TfidfVectorizer(), Ridge(), "number", {}
    yield "forest", CountVectorizer(), RandomForestClassifier(10, random_state=0), "three", {}
    yield "boosting", TfidfVectorizer(), xgboost.XGBClassifier(**BETWEEN), "two", {}


def pipeline(model, *steps, texts=None):
    numbers = make_pipeline(SimpleImputer(), *(steps or (StandardScaler(),)))
    texts = texts or OneHotEncoder(handle_unknown="ignore")
    return Pipeline([("columns", ColumnTransformer([("numbers", numbers, NUMBERS), ("texts", texts, TEXTS)])), ("model", model)])


def models():
    """Name, pipeline, target, and options of the converter."""
    shuffled = {"random_state": 0}
    yield "logistic", pipeline(LogisticRegression()), "three", {}
    yield "logistic-two", pipeline(LogisticRegression()), "two", {}
    yield "logistic-truth", pipeline(LogisticRegression()), "truth", {}
    yield "logistic-matrix", pipeline(LogisticRegression()), "three", {"zipmap": False}
    yield "sgd", pipeline(SGDClassifier(loss="log_loss", **shuffled)), "three", {}
    yield "ridge-classes", pipeline(RidgeClassifier()), "three", {}
    yield "tree", pipeline(DecisionTreeClassifier(max_depth=6)), "three", {}
    yield "forest", pipeline(RandomForestClassifier(20, **shuffled)), "three", {}
    yield "forest-two", pipeline(RandomForestClassifier(20, **shuffled)), "two", {}
    yield "extra", pipeline(ExtraTreesClassifier(20, **shuffled)), "three", {}
    yield "boosting", pipeline(GradientBoostingClassifier(n_estimators=20)), "three", {}
    yield "boosting-two", pipeline(GradientBoostingClassifier(n_estimators=20)), "two", {}
    yield "ada", pipeline(AdaBoostClassifier(n_estimators=10)), "three", {}
    yield "bagging", pipeline(BaggingClassifier(n_estimators=5, **shuffled)), "three", {}
    yield "svc", pipeline(SVC()), "three", {}
    yield "svc-two", pipeline(SVC()), "two", {}
    yield "svc-shares", pipeline(SVC(probability=True, **shuffled)), "three", {}
    yield "svc-two-shares", pipeline(SVC(probability=True, **shuffled)), "two", {}
    yield "svc-poly", pipeline(SVC(kernel="poly")), "three", {}
    yield "gaussian", pipeline(GaussianNB()), "three", {}
    yield "bernoulli", pipeline(BernoulliNB()), "three", {}
    yield "multinomial", pipeline(MultinomialNB(), MinMaxScaler()), "three", {}
    yield "mlp", pipeline(MLPClassifier(max_iter=50, **shuffled)), "three", {}
    yield "mlp-two", pipeline(MLPClassifier(max_iter=50, **shuffled)), "two", {}
    yield "neighbors", pipeline(KNeighborsClassifier()), "three", {"optim": "cdist"}
    yield "neighbors-plain", pipeline(KNeighborsClassifier()), "three", {}
    yield "neighbors-far", pipeline(KNeighborsClassifier(weights="distance")), "three", {}
    yield "neighbors-blocks", pipeline(KNeighborsClassifier(metric="manhattan")), "two", {}
    yield "neighbors-three", pipeline(KNeighborsClassifier(p=3)), "three", {}
    yield "neighbors-number", pipeline(KNeighborsRegressor(weights="distance")), "number", {}
    yield "neighbors-radius", pipeline(RadiusNeighborsClassifier(20.0)), "three", {}
    # XGBoost numbers its classes from 0.
    small = {"n_estimators": 10, "max_depth": 4, "random_state": 0}
    yield "xgboost", pipeline(xgboost.XGBClassifier(**small)), "numbered", {}
    yield "xgboost-two", pipeline(xgboost.XGBClassifier(**small)), "two", {}
    yield "xgboost-number", pipeline(xgboost.XGBRegressor(**small)), "number", {}
    yield "lightgbm", pipeline(lightgbm.LGBMClassifier(n_estimators=10, verbose=-1)), "three", {}
    yield "lightgbm-number", pipeline(lightgbm.LGBMRegressor(n_estimators=10, verbose=-1)), "number", {}
    yield "one-by-one", pipeline(OneVsRestClassifier(LogisticRegression())), "three", {}
    yield "lda", pipeline(LinearDiscriminantAnalysis()), "three", {}
    yield "qda", pipeline(QuadraticDiscriminantAnalysis(reg_param=0.1)), "three", {}
    yield "calibrated", pipeline(CalibratedClassifierCV(LogisticRegression(), cv=3)), "three", {}
    stack = StackingClassifier([("a", LogisticRegression()), ("b", DecisionTreeClassifier(max_depth=3))])
    yield "stacking", pipeline(stack), "three", {}
    yield "linear", pipeline(LinearRegression()), "number", {}
    yield "ridge", pipeline(Ridge()), "number", {}
    yield "elastic", pipeline(ElasticNet()), "number", {}
    yield "poisson", pipeline(PoissonRegressor()), "number", {}
    yield "tree-number", pipeline(DecisionTreeRegressor(max_depth=6)), "number", {}
    yield "forest-number", pipeline(RandomForestRegressor(20, **shuffled)), "number", {}
    yield "boosting-number", pipeline(GradientBoostingRegressor(n_estimators=20)), "number", {}
    yield "svr", pipeline(SVR()), "number", {}
    yield "linear-svr", pipeline(LinearSVR()), "number", {}
    yield "mlp-number", pipeline(MLPRegressor(max_iter=50, **shuffled)), "number", {}
    yield "k-means", pipeline(KMeans(3, n_init=1, **shuffled)), None, {}
    yield "mixture", pipeline(GaussianMixture(3, **shuffled)), None, {}
    yield "isolation", pipeline(IsolationForest(n_estimators=20, **shuffled)), None, {}
    for name, step in [("polynomial", PolynomialFeatures(2)), ("quantile", QuantileTransformer(n_quantiles=10)), ("power", PowerTransformer()),
                       ("normalizer", Normalizer()), ("robust", RobustScaler()), ("max-abs", MaxAbsScaler()), ("pca", PCA(2))]:
        yield name, pipeline(LogisticRegression(max_iter=500), step), "three", {}
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    yield "ordinal", pipeline(RandomForestClassifier(10, **shuffled), texts=ordinal), "three", {}


def save(folder, name, file, feeds):
    file = file.SerializeToString()
    (folder / f"{name}.onnx").write_bytes(file)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    answers = []
    for answer in session.run(None, feeds):
        if isinstance(answer, list):
            answer = np.array([list(row.values()) for row in answer])
        answers.append(answer.tolist())
    (folder / f"{name}.json").write_text(json.dumps(answers))
    print(name)


def network(activation, final):
    """What PyTorch's exporters write of two dense layers."""
    random = np.random.default_rng(1)
    weights = {"w1": random.normal(size=(8, 3)), "b1": random.normal(size=8), "w2": random.normal(size=(3, 8)), "b2": random.normal(size=3)}
    nodes = [helper.make_node("Gemm", ["x", "w1", "b1"], ["h"], transB=1), helper.make_node(activation, ["h"], ["a"]),
             helper.make_node("Gemm", ["a", "w2", "b2"], ["s"], transB=1), helper.make_node(final, ["s"], ["y"])]
    shapes = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", 3]) for name in ("x", "y")]
    constants = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "network", shapes[:1], shapes[1:], constants)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])


def add_words(folder, table, asked, targets):
    """Models of sentences, by themselves and beside the other columns."""
    table, asked = table.assign(note=notes(table)), asked.assign(note=notes(asked)[::-1])
    asked.loc[asked.index[3::31], NOTE] = ["", "nothing known", "#", "über über über", "x" * 300, "Î Σ", "high\ttall", "  ", "HIGH!low", "a", "ß", "ALL LOW", "."]
    asked.to_csv(folder / "notes.csv", index=False)
    types = [(name, (FloatTensorType if name in NUMBERS else StringTensorType)([None, 1])) for name in table.columns]
    feeds = {name: asked[[name]].to_numpy(dtype=np.float32 if name in NUMBERS else object) for name in asked.columns}
    for name, words, model, target, options in word_models():
        model = make_pipeline(words, model).fit(table[NOTE], targets[target])
        options = {id(words): {**WORDS_AS, **options}}
        file = to_onnx(model, initial_types=types[-1:], options=options, target_opset=VERSIONS)
        save(folder, f"words-{name}", file, {NOTE: feeds[NOTE]})
    for name, model in [("logistic", LogisticRegression(max_iter=500)), ("forest", RandomForestClassifier(10, random_state=0)), ("xgboost", xgboost.XGBClassifier(**BETWEEN))]:
        words = TfidfVectorizer(ngram_range=(1, 2), max_features=30)
        columns = [("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS), ("texts", OneHotEncoder(handle_unknown="ignore"), TEXTS), ("words", words, NOTE)]
        target = targets["numbered" if name == "xgboost" else "three"]
        model = make_pipeline(ColumnTransformer(columns), model).fit(table, target)
        save(folder, f"words-beside-{name}", to_onnx(model, initial_types=types, options={TfidfVectorizer: WORDS_AS}, target_opset=VERSIONS), feeds)


def sets():
    """Trees of the newest operator, with sets of categories, as no pinned converter writes them yet."""
    def tensor(name, kind, values):
        return helper.make_tensor(name, kind, [len(values)], values)
    trees = helper.make_node(
        "TreeEnsemble", ["x"], ["scores"], domain="ai.onnx.ml", n_targets=3, aggregate_function=1, post_transform=0, tree_roots=[0, 2],
        nodes_modes=tensor("m", onnx.TensorProto.UINT8, [6, 0, 6, 1]), nodes_featureids=[1, 0, 1, 2], nodes_missing_value_tracks_true=[0, 1, 0, 0],
        nodes_splits=tensor("s", onnx.TensorProto.FLOAT, [0, 0.5, 0, 0.1]), membership_values=tensor("v", onnx.TensorProto.FLOAT, [1, 3, 7, np.nan, 0, 9, 12, np.nan]),
        nodes_truenodeids=[0, 1, 3, 4], nodes_trueleafs=[1, 1, 0, 1], nodes_falsenodeids=[1, 2, 3, 5], nodes_falseleafs=[0, 1, 1, 1],
        leaf_targetids=[0, 1, 2, 0, 1, 2], leaf_weights=tensor("w", onnx.TensorProto.FLOAT, [1.5, 0.25, -1.0, 0.7, 0.3, 2.0]))
    shapes = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", 3]) for name in ("x", "y")]
    sets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    return helper.make_model(helper.make_graph([trees, helper.make_node("Softmax", ["scores"], ["y"])], "sets", shapes[:1], shapes[1:]), ir_version=10, opset_imports=sets)


def make(folder):
    for model, convert, shapes, options in [
            (xgboost.XGBClassifier, convert_xgboost, calculate_linear_classifier_output_shapes, {"nocl": [True, False], "zipmap": [True, False, "columns"]}),
            (xgboost.XGBRegressor, convert_xgboost, calculate_linear_regressor_output_shapes, {}),
            (lightgbm.LGBMClassifier, convert_lightgbm, calculate_linear_classifier_output_shapes, {"nocl": [True, False], "zipmap": [True, False, "columns"]}),
            (lightgbm.LGBMRegressor, convert_lightgbm, calculate_linear_regressor_output_shapes, {"split": None})]:
        update_registered_converter(model, f"Other{model.__name__}", shapes, convert, options=options)
    table, targets = rows()
    asked = table.copy()
    asked.loc[asked.index[5::29], "city"] = "Nowhere"
    asked.to_csv(folder / "table.csv", index=False)
    feeds = {name: asked[[name]].to_numpy(dtype=np.float32 if name in NUMBERS else object) for name in asked.columns}
    types = [(name, (FloatTensorType if name in NUMBERS else StringTensorType)([None, 1])) for name in table.columns]
    for name, model, target, options in models():
        model.fit(table, targets[target])
        options = {id(model.steps[-1][1]): options} if options else None
        save(folder, name, to_onnx(model, initial_types=types, options=options, target_opset=VERSIONS), feeds)
    matrix, wanted = table[NUMBERS].to_numpy(dtype=np.float32), asked[NUMBERS].to_numpy(dtype=np.float32)
    for name, model, target in [("matrix-lightgbm", lightgbm.LGBMClassifier, "three"), ("matrix-lightgbm-two", lightgbm.LGBMClassifier, "two"),
                                ("matrix-lightgbm-number", lightgbm.LGBMRegressor, "number")]:
        model = model(n_estimators=20, verbose=-1).fit(matrix, targets[target])
        file = onnxmltools.convert_lightgbm(model, initial_types=[("X", MatrixType([None, 3]))], target_opset=15)
        save(folder, name, file, {"X": wanted})
    small = {"n_estimators": 20, "max_depth": 4}
    for name, model, target in [("", xgboost.XGBClassifier(**small), "numbered"), ("-two", xgboost.XGBClassifier(**small), "two"),
                                ("-base", xgboost.XGBClassifier(base_score=0.3, **small), "two"), ("-number", xgboost.XGBRegressor(**small), "number"),
                                ("-base-number", xgboost.XGBRegressor(base_score=7.5, **small), "number"), ("-absolute", xgboost.XGBRegressor(objective="reg:absoluteerror", **small), "number"),
                                ("-poisson", xgboost.XGBRegressor(objective="count:poisson", **small), "counts"), ("-tweedie", xgboost.XGBRegressor(objective="reg:tweedie", **small), "counts"),
                                ("-forest", xgboost.XGBRFRegressor(n_estimators=10), "number")]:
        model.fit(matrix, targets[target])
        file = onnxmltools.convert_xgboost(model, initial_types=[("X", MatrixType([None, 3]))], target_opset=15)
        save(folder, f"matrix-xgboost{name}", file, {"X": wanted})
    whole = RandomForestClassifier(10, random_state=0).fit(np.nan_to_num(matrix).astype(np.float64), targets["three"])
    file = to_onnx(whole, initial_types=[("X", DoubleTensorType([None, 3]))], target_opset=VERSIONS)
    save(folder, "matrix-doubles", file, {"X": wanted.astype(np.float64)})
    filled = np.nan_to_num(wanted)
    asked.assign(**dict(zip(NUMBERS, filled.T))).to_csv(folder / "filled.csv", index=False)
    save(folder, "network-sets", sets(), {"x": filled})
    add_words(folder, table, asked, targets)
    for activation in ["Relu", "Tanh", "Elu"]:
        save(folder, f"network-{activation.lower()}", network(activation, "Softmax"), {"x": filled})


def compare(name, answers, found):
    """How far numbers are apart at most."""
    first = np.array(answers[0]).reshape(-1)
    labels = [row["predicted_y"] for row in found]
    columns = [column for column in found[0] if column.startswith("probability_")]
    shares = np.array([[float(row[column]) for column in columns] for row in found]) if columns else None
    if name.startswith("network"):
        return np.abs(shares - np.array(answers[0])).max()
    if first.dtype.kind == "f":
        wanted = first
        return (np.abs(np.array(labels, dtype=float) - wanted) / (np.abs(wanted) + np.ptp(wanted) * 1e-3)).max()
    wanted = [str(label).lower() if first.dtype.kind == "b" else str(label) for label in first.tolist()]
    for row, (label, expected) in enumerate(zip(labels, wanted)):
        same = float(label) == float(expected) if first.dtype.kind in "iu" else label == expected
        tie = shares is not None and np.ptp(np.sort(shares[row])[-2:]) < 1e-6
        assert same or tie, f"{name}: row {row + 1} is {label}, not {expected}"
    if shares is None or len(answers) < 2:
        return 0.0
    scores = np.array(answers[1]).reshape(len(found), -1)
    is_shares = scores.shape == shares.shape and np.allclose(scores.sum(axis=1), 1, atol=1e-3) and scores.min() >= -1e-3
    return np.abs(scores - shares).max() if is_shares else 0.0


def check(folder):
    for path in sorted(folder.glob("*.json")):
        answers = json.loads(path.read_text())
        with open(path.with_suffix(".csv"), newline="", encoding="utf-8") as file:
            worst = compare(path.stem, answers, list(csv.DictReader(file)))
        assert worst <= ALLOWED, f"{path.stem}: numbers differ by {worst}"
        print(f"{path.stem}: {worst:.1e}")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    {"make": make, "check": check}[sys.argv[1]](Path(sys.argv[2]))
