"""What training costs as rows grow: seconds from Parquet to a model, from 10^3 rows on, as a table and as a plot.

As a program, with the peers' Python: `cost.py write TABLE ROWS ...` writes the tables, and `cost.py plot FILE COSTS` draws costs in JSON.
"""

import json
import sys
from pathlib import Path

from training import flags, write_table

ROWS = [10**power for power in range(3, 8)]
# One of each way of learning: one pass, a pass for each iteration, bins, trees, neighbours.
SHOWN = [
    "linear-regression",
    "gaussian-naive-bayes",
    "logistic-regression",
    "k-means",
    "gradient-boosting",
    "decision-tree",
    "random-forest",
    "k-neighbors",
]
# What would take longer than this is not tried, by how much longer the last number of rows took than the one before.
LONGEST_SECONDS = 90


def measure(run, python, worker, folder, scale, algorithms):
    """Seconds and peak memory of each algorithm for each number of rows, until it takes too long."""
    costs = {}
    sizes = [max(int(rows * scale), 100) for rows in ROWS]
    run([python, __file__, "write", "cost.parquet", *sizes], folder)
    for name in [name for name in SHOWN if name in algorithms]:
        for rows in sizes:
            cost = run([worker, *flags(name, f"cost-{rows}.parquet")], folder)
            if cost is None:
                break
            measured = costs.setdefault(name, [])
            before = measured[-1][1] if measured else cost[0]
            measured.append((rows, *cost))
            if cost[0] * cost[0] / before > LONGEST_SECONDS:
                break
    return costs


def table(costs):
    """The costs as lines of Markdown."""
    sizes = sorted({rows for measured in costs.values() for rows, _, _ in measured})
    yield "| Rows | " + " | ".join(f"{rows:,}" for rows in sizes) + " |"
    yield "|---" * (len(sizes) + 1) + "|"
    for name, measured in costs.items():
        cells = {rows: f"{seconds:.2f} s, {memory:.0f} MiB" for rows, seconds, memory in measured}
        yield f"| `{name}` | " + " | ".join(cells.get(rows, "") for rows in sizes) + " |"


def plot(costs, file):
    """Seconds over rows, both by powers of ten."""
    import matplotlib

    matplotlib.use("svg")
    # The same figures give the same file.
    matplotlib.rcParams["svg.hashsalt"] = "training-cost"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5))
    for name, measured in costs.items():
        axes.plot([cost[0] for cost in measured], [cost[1] for cost in measured], marker="o", markersize=4, label=name)
    axes.set(xscale="log", yscale="log", xlabel="rows of 20 numbers", ylabel="seconds, from Parquet to a model")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(file, metadata={"Date": None}, bbox_inches="tight")


if __name__ == "__main__":
    if sys.argv[1] == "write":
        sizes = [int(rows) for rows in sys.argv[3:]]
        write_table(Path(sys.argv[2]), max(sizes), sizes)
    else:
        plot(json.loads(sys.argv[3]), sys.argv[2])
