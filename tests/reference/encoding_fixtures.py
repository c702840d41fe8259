"""Writes worker/tests/fixtures/encodings.json: what scikit-learn makes of texts (TfidfVectorizer) and of categories (TargetEncoder).

Run from the root of the repository, with scikit-learn 1.7.2: python tests/reference/encoding_fixtures.py
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.preprocessing import TargetEncoder

WORDS = "Balcony garden QUIET, lift kitchen (new) view lake Zürich's straße_9 naïve Ελλάδα été 3rd a I 42 2.5 x-ray. ÜBER".split()


def texts(draws, count):
    """Sentences of drawn words, frequent ones first; one is missing now and then."""
    shares = 1.0 / np.arange(1, len(WORDS) + 1)
    rows = []
    for _ in range(count):
        drawn = draws.choice(WORDS, size=draws.integers(1, 12), p=shares / shares.sum())
        rows.append(" ".join(drawn) if draws.random() > 0.1 else None)
    return rows


def tfidf(draws, limit):
    rows, new = texts(draws, 80), texts(draws, 15) + ["never seen words", ""]
    filled = [row or "" for row in rows]
    counts = CountVectorizer(binary=True).fit(filled)
    frequencies = np.asarray(counts.transform(filled).sum(axis=0)).ravel()
    # The worker keeps the words in the most rows; max_features there would keep those that occur most often.
    ranked = sorted(zip(-frequencies, counts.get_feature_names_out()))[:limit]
    model = TfidfVectorizer(vocabulary=sorted((term for _, term in ranked), key=str.encode)).fit(filled)
    return {
        "limit": limit,
        "rows": rows,
        "terms": list(model.get_feature_names_out()),
        "idf": model.idf_.tolist(),
        "new": new,
        "weights": model.transform([row or "" for row in new]).toarray().tolist(),
    }


def target_means(draws, kind, missing):
    count = 120
    # Few rows for many texts, and many rows for a few.
    drawn = (draws.random(count) ** 2 * 30).astype(int)
    rows = [None if missing and draws.random() < 0.1 else f"t{text}" for text in drawn]
    effect = drawn % 5 + draws.normal(size=count)
    if kind == "continuous":
        target = (effect * 1e3).tolist()
    else:
        classes = ["no", "yes"] if kind == "binary" else ["high", "low", "mid"]
        target = [classes[int(value > 2) + (int(value > 3) if len(classes) > 2 else 0)] for value in effect]
    new = [f"t{text}" for text in range(32)] + ([None] if missing else [])
    frame, seen = pd.DataFrame({"text": rows}, dtype=object), pd.DataFrame({"text": new}, dtype=object)
    model = TargetEncoder(target_type=kind).fit(frame, target)
    return {"kind": kind, "rows": rows, "target": target, "new": new, "means": model.transform(seen).tolist()}


def main():
    assert sklearn.__version__ == "1.7.2", sklearn.__version__
    draws = np.random.default_rng(0)
    kinds = ["continuous", "binary", "multiclass"]
    fits = {
        "texts": [tfidf(draws, limit) for limit in (8, 1000)],
        "targets": [target_means(draws, kind, missing) for kind in kinds for missing in (False, True)],
    }
    path = Path("worker/tests/fixtures/encodings.json")
    path.write_text(json.dumps(fits, ensure_ascii=False) + "\n")


main()
