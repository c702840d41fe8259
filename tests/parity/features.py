"""The model's columns as docs/how-to/learn-from-texts-and-dates.md states them, fitted to the training rows by pandas.

Written from the documentation alone, so that the worker's preprocessing is part of what is compared.
"""

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

MAX_CATEGORIES = 50
DATE = r"\d{4}-\d\d-\d\d"


def words(known, values, most):
    """The weights of the words in the most rows; of equals, the first."""
    known, values = known.fillna(""), values.fillna("")
    counts = CountVectorizer(binary=True).fit(known)
    rows = counts.transform(known).sum(axis=0).A1
    ranked = sorted(zip(-rows, counts.get_feature_names_out()))[:most]
    model = TfidfVectorizer(vocabulary=sorted(word for _, word in ranked)).fit(known)
    return dict(zip(model.get_feature_names_out(), model.transform(values).toarray().T))


def numbers(known, values, keep_holes):
    """The number; where one is missing the median of the training rows, and a column that says so."""
    known, values = known.astype(float), values.astype(float)
    if keep_holes or not known.isna().any():
        return {"": values}
    return {"": values.fillna(known.median()), "missing": values.isna().astype(float)}


def dates(known, values, keep_holes):
    """Days since 1970, year, month, day and weekday; where a date is missing the (lower) median's."""
    known, values = pd.to_datetime(known), pd.to_datetime(values)
    missing = values.isna()
    if known.isna().any() and not keep_holes:
        values = values.fillna(known.dropna().sort_values().iloc[(known.notna().sum() - 1) // 2])
    days = (values - pd.Timestamp("1970-01-01")).dt.days
    parts = {"days": days, "year": values.dt.year, "month": values.dt.month, "day": values.dt.day}
    parts["weekday"] = values.dt.weekday + 1
    made = {name: part.astype(float) for name, part in parts.items()}
    if known.isna().any() and not keep_holes:
        made["missing"] = missing.astype(float)
    return made


def categories(known, values):
    """A column of 0 and 1 for each of the most frequent texts, one for all others, and one for what is missing."""
    counts = known.dropna().value_counts()
    kept = sorted(sorted(counts.index, key=lambda text: (-counts[text], text))[:MAX_CATEGORIES])
    made = {f"={text}": (values == text).astype(float) for text in kept}
    if len(counts) > MAX_CATEGORIES:
        made["other"] = (values.notna() & ~values.isin(kept)).astype(float)
    if known.isna().any():
        made["missing"] = values.isna().astype(float)
    return made


def columns(train, rows, table, keep_holes=False):
    """The model's columns of these rows. Missing numbers and dates stay missing where the algorithm takes them as they are."""
    made = {}
    for name in train.columns.drop(table.target):
        known, values = train[name], rows[name]
        if name in table.prose:
            parts = words(known, values, table.prose[name])
        elif pd.api.types.is_numeric_dtype(known) or pd.api.types.is_bool_dtype(known):
            parts = numbers(known, values, keep_holes)
        elif known.dropna().str.fullmatch(DATE).all():
            parts = dates(known, values, keep_holes)
        else:
            parts = categories(known, values)
        made |= {f"{name} {part}": np.asarray(column) for part, column in parts.items()}
    return np.column_stack(list(made.values())).astype(float)
