"""Writes deploy/samples/crash-course/data/iris.csv from scikit-learn's copy of Fisher's Iris data.

Run from the root of the repository: python tests/reference/iris_csv.py
"""

from pathlib import Path

from sklearn.datasets import load_iris

iris = load_iris()
lines = ["sepal_length,sepal_width,petal_length,petal_width,species"]
for row, target in zip(iris.data, iris.target):
    lines.append(",".join(f"{value:.1f}" for value in row) + f",{iris.target_names[target]}")
Path("deploy/samples/crash-course/data/iris.csv").write_text("\n".join(lines) + "\n", newline="\n")
