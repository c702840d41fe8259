"""Runs mlpipeline-worker as a person does at a terminal: a table in a folder, a model beside it, scored rows."""

import json
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd


def kebab(name):
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)


@dataclass(frozen=True)
class Worker:
    """The program, and a folder of its own in which it works."""

    program: Path
    folder: Path

    def run(self, *arguments):
        command = [str(argument) for argument in (self.program, *arguments)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")

    def put(self, **frames):
        """Writes tables as NAME.csv."""
        for name, frame in frames.items():
            frame.to_csv(self.folder / f"{name}.csv", index=False)

    def train(self, algorithm, parameters, target=None, prose=None, more=()):
        """Learns from train.csv."""
        flags = [flag for name, value in parameters.items() for flag in ("--parameter", f"{name}={value}")]
        flags += [flag for name, most in (prose or {}).items() for flag in ("--as", f"{name}=text:{most}")]
        flags += ["--target", target] if target else []
        self.run("train", "--data", "train.csv", "--algorithm", kebab(algorithm), *flags, *more, "--out", "model")

    def score(self, name="test"):
        """The rows of NAME.csv with what the model adds to them."""
        self.run("score", "--model", "model", "--data", f"{name}.csv", "--out", "scored.csv")
        return pd.read_csv(self.folder / "scored.csv", float_precision="round_trip")

    def predictor(self):
        """What model.json has of the predictor, without its name."""
        (predictor,) = json.loads((self.folder / "model" / "model.json").read_text())["predictor"].values()
        return predictor

    def metrics(self):
        return json.loads((self.folder / "model" / "metrics.json").read_text())


@contextmanager
def worker_of(program):
    """The program in a folder of its own, which is removed behind it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Worker(program, Path(folder))
