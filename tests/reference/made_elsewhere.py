"""Makes deploy/samples/made-elsewhere: a scikit-learn pipeline as ONNX, and rows to predict for.

    pip install scikit-learn==1.7.2 skl2onnx==1.20.0 pandas==3.1.1
    python tests/reference/made_elsewhere.py

The script of docs/how-to/serve-a-model-made-elsewhere.md is the middle of it.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FOLDER = Path(__file__).resolve().parents[2] / "deploy/samples/made-elsewhere"

random = np.random.default_rng(0)
months = random.integers(1, 60, 300).astype(float)
fee = random.choice([10.0, 20.0, 35.0, 50.0], 300)
plan = random.choice(["basic", "family", "plus"], 300)
score = 0.06 * fee - 0.05 * months + (plan == "basic") + random.normal(size=300)
months[::11] = np.nan
table = pd.DataFrame({"months": months, "fee": fee, "plan": plan})
churned = np.where(score > 0.6, "yes", "no")

columns = ColumnTransformer([
    ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["months", "fee"]),
    ("texts", OneHotEncoder(handle_unknown="ignore"), ["plan"]),
])
model = make_pipeline(columns, LogisticRegression()).fit(table, churned)
inputs = [(name, StringTensorType([None, 1]) if name == "plan" else FloatTensorType([None, 1])) for name in table.columns]
file = to_onnx(model, initial_types=inputs, target_opset={"": 18, "ai.onnx.ml": 3})

FOLDER.mkdir(exist_ok=True)
(FOLDER / "churn.onnx").write_bytes(file.SerializeToString())
new = pd.DataFrame({"customer": ["c1", "c2", "c3", "c4"], "months": [3, 48, np.nan, 20], "fee": [50, 10, 20, 35],
                    "plan": ["basic", "family", "plus", "student"]})
new.to_csv(FOLDER / "customers.csv", index=False)
print(model.predict(new), model.predict_proba(new).round(4))
