"""The public tables that algorithms with a target are compared on, and how their rows are divided.

Texts, dates and holes are left as they are: learning from them is part of the comparison.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd
from sklearn import datasets

from packages import docstrings, of_islp, of_pydataset, of_sklearn, of_vega, package_file

# Of a larger table, as many rows are drawn: what is compared is what is learned, and not how fast.
MOST_ROWS = 4000


@dataclass(frozen=True)
class Table:
    """A table with its target, the package it is from, and how many words are taken of each of its columns of prose."""

    package: str
    load: Callable[[], pd.DataFrame]
    target: str
    prose: dict[str, int] = field(default_factory=dict)


def cars():
    frame = of_vega("cars.json")
    frame["Year"] = pd.to_datetime(frame["Year"]).dt.year
    return frame.drop(columns=["Name"])


def weather():
    frame = of_vega("seattle-weather.csv")
    return frame.assign(date=frame["date"].str.replace("/", "-"))


def penguins():
    return pd.read_csv(package_file("palmerpenguins", "data", "penguins.csv"))


def airports():
    # A name alone says little of where it is, its state much.
    return of_vega("airports.csv").drop(columns=["iata", "city", "country", "longitude"])


CLASSES = {
    "iris": Table("scikit-learn", lambda: of_sklearn(datasets.load_iris), "target"),
    "wine": Table("scikit-learn", lambda: of_sklearn(datasets.load_wine), "target"),
    "breast_cancer": Table("scikit-learn", lambda: of_sklearn(datasets.load_breast_cancer), "target"),
    "digits": Table("scikit-learn", lambda: of_sklearn(datasets.load_digits), "target"),
    "Default": Table("ISLP", lambda: of_islp("Default"), "default"),
    "OJ": Table("ISLP", lambda: of_islp("OJ"), "Purchase"),
    "College": Table("ISLP", lambda: of_islp("College"), "Private"),
    "cars origin": Table("vega_datasets", cars, "Origin"),
    "weather": Table("vega_datasets", weather, "weather"),
    "penguins": Table("palmerpenguins", penguins, "species"),
    "Chile": Table("pydataset", lambda: of_pydataset("car/Chile"), "vote"),
    "biopsy": Table("pydataset", lambda: of_pydataset("MASS/biopsy", ["ID"]), "class"),
}

PARTS_OF_SKLEARN = ["cluster", "ensemble", "linear_model", "metrics", "preprocessing"]
PARTS_OF_STATSMODELS = ["discrete", "graphics", "regression", "stats", "tsa"]
PROSE = {
    "scikit-learn's": Table("scikit-learn", lambda: docstrings("sklearn", PARTS_OF_SKLEARN), "part", {"text": 500}),
    "statsmodels'": Table("statsmodels", lambda: docstrings("statsmodels", PARTS_OF_STATSMODELS), "part", {"text": 500}),
}

NUMBERS = {
    "diabetes": Table("scikit-learn", lambda: of_sklearn(datasets.load_diabetes, scaled=False), "target"),
    "Wage": Table("ISLP", lambda: of_islp("Wage", ["logwage", "region"]), "wage"),
    "Bikeshare": Table("ISLP", lambda: of_islp("Bikeshare", ["casual", "registered"]), "bikers"),
    "Hitters": Table("ISLP", lambda: of_islp("Hitters"), "Salary"),
    "Carseats": Table("ISLP", lambda: of_islp("Carseats"), "Sales"),
    "Credit": Table("ISLP", lambda: of_islp("Credit", ["ID"]), "Balance"),
    "cars mpg": Table("vega_datasets", cars, "Miles_per_Gallon"),
    "temperature": Table("vega_datasets", weather, "temp_max"),
    "airports": Table("vega_datasets", airports, "latitude", {"name": 40}),
    "penguins mass": Table("palmerpenguins", penguins, "body_mass_g"),
    "SLID": Table("pydataset", lambda: of_pydataset("car/SLID"), "wages"),
    "Salaries": Table("pydataset", lambda: of_pydataset("car/Salaries"), "salary"),
}


def split(table, seed=1):
    """Three tenths to measure with, the same for both sides; without rows with a hole where the others have none."""
    frame = table.load().dropna(subset=[table.target])
    shuffled = frame.sample(n=min(len(frame), MOST_ROWS), random_state=seed)
    # What the worker reads is what pandas reads: a CSV's texts.
    shuffled = pd.read_csv(io.StringIO(shuffled.to_csv(index=False)), float_precision="round_trip")
    cut = len(shuffled) * 7 // 10
    train, test = shuffled.iloc[:cut], shuffled.iloc[cut:]
    whole = [column for column in train.columns if column == table.target or not train[column].isna().any()]
    return train.reset_index(drop=True), test.dropna(subset=whole).reset_index(drop=True)
