"""The crash course's service with FastAPI and scikit-learn, answering probabilities as ours does, and lists."""

import csv
import os

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel
from sklearn.linear_model import LogisticRegression

NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


class Features(BaseModel):
    sepal_length: float
    sepal_width: float
    petal_length: float
    petal_width: float


with open(os.environ["IRIS_CSV"], newline="") as file:
    rows = list(csv.DictReader(file))
model = LogisticRegression(max_iter=200).fit(
    np.array([[float(row[name]) for name in NAMES] for row in rows]), [row["species"] for row in rows]
)
labels = [str(label) for label in model.classes_]
app = FastAPI()


@app.get("/health")
def health():
    return {"status": "ok"}


def answer(features):
    table = np.array([[getattr(row, name) for name in NAMES] for row in features])
    return [
        {
            "species_index": int(shares.argmax()),
            "species_name": labels[int(shares.argmax())],
            "probabilities": dict(zip(labels, shares.tolist())),
        }
        for shares in model.predict_proba(table)
    ]


@app.post("/predict")
def predict(features: Features):
    return answer([features])[0]


@app.post("/predict_many")
def predict_many(features: list[Features]):
    return answer(features)
