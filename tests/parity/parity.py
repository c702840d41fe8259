"""Trains every algorithm through the worker and through scikit-learn on public tables, measures both alike, and writes the tables of
docs/reference/parity.md.

    python tests/parity/parity.py WORKER [--seeds N] [--write docs/reference/parity.md] [--only NAME ...]

It fails when a difference is larger than it may be, which cells.py and each comparison say. `make parity` sets everything up.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# One thread a process, before anything is imported that starts them: waiting for each other, they take longer than one alone.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import boosting
import forecasts
import page
import with_target
import without_target

COMPARISONS = [with_target, boosting, without_target, forecasts]
SEEDS = 20
ALGORITHMS = {algorithm.name for _, several in with_target.SECTIONS.values() for algorithm in several}
ALGORITHMS |= set(without_target.CHECKS) | {forecasts.SECTION}


@dataclass(frozen=True)
class Wanted:
    """Whether an algorithm or a table is among the names: all are when none of its kind is named."""

    names: tuple[str, ...]

    def __call__(self, name):
        return name in self.names or not any((other in ALGORITHMS) == (name in ALGORITHMS) for other in self.names)


def compare(place, part, program, seeds, wanted):
    """The cells of one part, in a process of its own. A module is named by its place among the comparisons."""
    return list(COMPARISONS[place].compare(part, program, seeds, wanted))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("worker", type=Path)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many are drawn by")
    parser.add_argument("--jobs", type=int, default=1, help="how many tables are compared at a time")
    parser.add_argument("--write", type=Path, help="the page to write")
    parser.add_argument("--only", nargs="*", default=[], help="algorithms and tables; all when none is named")
    arguments = parser.parse_args()
    if arguments.write and arguments.only:
        parser.error("--write is for all algorithms and tables")
    wanted, cells = Wanted(tuple(arguments.only)), []
    with ProcessPoolExecutor(arguments.jobs) as jobs:
        parts = [(place, part) for place, comparison in enumerate(COMPARISONS) for part in comparison.parts(wanted)]
        common = (arguments.worker.resolve(), arguments.seeds, wanted)
        for found in [jobs.submit(compare, *part, *common) for part in parts]:
            for cell in found.result():
                print(f"{cell.line()}{' !' if cell.is_fault else ''}", flush=True)
                cells.append(cell)
    if arguments.write:
        arguments.write.write_text(page.page(cells, arguments.seeds))
    faults = [cell.line() for cell in cells if cell.is_fault]
    if faults:
        sys.exit("beyond what is allowed:\n" + "\n".join(faults))


if __name__ == "__main__":
    main()
