"""Tables that packages of PyPI hold, as pandas reads them: none is committed, and nothing is fetched.

Owns where each package has its files and how they are read; which of them are compared with is tables.py's and series.py's.
"""

import ast
import functools
import importlib.util
import io
import json
import tarfile
from pathlib import Path

import pandas as pd

FEWEST_WORDS = 20


def package_file(package, *path):
    """A file of an installed package, which is not imported: its other dependencies are not needed."""
    spec = importlib.util.find_spec(package)
    return Path(spec.submodule_search_locations[0]).joinpath(*path)


def plain(frame):
    """The table with names of columns that need no quoting."""
    return frame.rename(columns=lambda name: name.replace(" ", "_").replace(".", "_").replace("(", "").replace(")", ""))


def of_sklearn(load, **options):
    return plain(load(as_frame=True, **options).frame)


def of_islp(name, drop=()):
    frame = pd.read_csv(package_file("ISLP", "data", f"{name}.csv"))
    return plain(frame.drop(columns=[column for column in frame.columns if column.startswith("Unnamed") or column in drop]))


def of_vega(name):
    path = package_file("vega_datasets", "_data", name)
    return pd.DataFrame(json.loads(path.read_text())) if path.suffix == ".json" else pd.read_csv(path)


def of_statsmodels(folder, name=None):
    return pd.read_csv(package_file("statsmodels", "datasets", folder, f"{name or folder}.csv"))


@functools.cache
def files_of_pydataset():
    """The CSV files in pydataset's archive, by where they are from: car/Chile."""
    with tarfile.open(package_file("pydataset", "resources.tar.gz")) as archive:
        names = [name for name in archive.getnames() if "/csv/" in name and name.endswith(".csv")]
        return {name.split("/csv/")[1].removesuffix(".csv"): archive.extractfile(name).read() for name in names}


def of_pydataset(name, drop=()):
    frame = pd.read_csv(io.BytesIO(files_of_pydataset()[name]), index_col=0)
    return plain(frame.drop(columns=list(drop)))


def docstrings(package, parts):
    """The documentation of a package's functions, with the part of it that each is from: prose in plain English."""
    rows = []
    for part in parts:
        for path in sorted(package_file(package, part).rglob("*.py")):
            if "tests" in path.parts:
                continue
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            documented = [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
            texts = [ast.get_docstring(node) for node in documented]
            rows += [(" ".join(text.split()), part) for text in texts if text and len(text.split()) > FEWEST_WORDS]
    # The same words in two parts say nothing of either.
    return pd.DataFrame(rows, columns=["text", "part"]).drop_duplicates("text", keep=False)
