"""Runs models with ONNX Runtime and compares their answers with those of `mlpipeline-worker score`.

    python check.py FOLDER NAME...

FOLDER has NAME.onnx, and NAME.csv with the raw columns and the predictions of every row. Labels must be equal, and numbers but for
the rounding of 32-bit floats, which the sums of trees are. The worst difference of each model is printed, as a share of the range of
the answers.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import onnxruntime

ALLOWED = 1e-6
# What the columns of a scored table begin with, by the output; other outputs are one column of the same name.
PREDICTED = {"label": "predicted_", "prediction": "predicted_", "probabilities": "probability_", "components": "component_"}


def number(text):
    return {"": np.nan, "true": 1.0, "false": 0.0}.get(text) if text in ("", "true", "false") else float(text)


def milliseconds(text):
    return np.iinfo(np.int64).min if text == "" else np.datetime64(text.rstrip("Z"), "ms").astype(np.int64)


READERS = {
    "tensor(double)": (number, np.float64),
    "tensor(string)": (str, object),
    "tensor(int64)": (milliseconds, np.int64),
}


def feeds(session, rows):
    """The raw columns, each of shape [rows, 1]."""
    found = {}
    for column in session.get_inputs():
        assert column.shape == ["N", 1], f"input {column.name} is of shape {column.shape}"
        read, kind = READERS[column.type]
        found[column.name] = np.array([[read(row[column.name])] for row in rows], dtype=kind)
    return found


def expected(output, rows):
    """The columns of the scored table that an output has, as texts: rows × columns."""
    begin = PREDICTED.get(output)
    names = [name for name in rows[0] if (name.startswith(begin) if begin else name == output)]
    assert names, f"the scored table has no column of output {output}"
    return np.array([[row[name] for name in names] for row in rows])


def compare(name, output, answers, wanted):
    """The largest relative difference."""
    answers = answers.reshape(len(wanted), -1)
    assert answers.shape == wanted.shape, f"{name}: {output} is of shape {answers.shape}, not {wanted.shape}"
    if answers.dtype != np.float64:
        answers = np.array([[str(answer).lower() if answers.dtype == bool else str(answer) for answer in row] for row in answers])
        wrong = np.flatnonzero((answers != wanted).any(axis=1))
        assert not len(wrong), f"{name}: {output} of row {wrong[0] + 1} is {answers[wrong[0]]}, not {wanted[wrong[0]]}"
        return 0.0
    wanted = wanted.astype(np.float64)
    # Against how far the answers differ from each other: of a target far from 0, or tiny, that is what matters.
    spread = np.ptp(wanted) or np.max(np.abs(wanted)) or 1.0
    difference = np.abs(answers - wanted) / spread
    row = np.unravel_index(np.argmax(difference), difference.shape)[0]
    # What is not a number is no answer.
    assert np.max(difference) <= ALLOWED, f"{name}: {output} of row {row + 1} is {answers[row]}, not {wanted[row]}"
    return np.max(difference)


def check(folder, name):
    session = onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    with open(folder / f"{name}.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    outputs = [output.name for output in session.get_outputs()]
    answers = session.run(outputs, feeds(session, rows))
    worst = max(compare(name, output, answer, expected(output, rows)) for output, answer in zip(outputs, answers))
    # One row by itself is answered as it is among others.
    alone = session.run(outputs, feeds(session, rows[:1]))
    assert all(len(answer) == 1 for answer in alone)
    compare(name, outputs[0], alone[0], expected(outputs[0], rows[:1]))
    print(f"{name}: {len(rows)} rows, outputs {', '.join(outputs)}, worst difference {worst:.1e}")


if __name__ == "__main__":
    for model in sys.argv[2:]:
        try:
            check(Path(sys.argv[1]), model)
        except AssertionError as error:
            sys.exit(f"wrong: {error}")
