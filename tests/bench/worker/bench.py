#!/usr/bin/env python3
"""Measures the worker beside its peers, each as a whole process, in one run, and prints times, peak memory and ratios.

Usage: bench.py WORKER [--posts PROGRAM] [--scale SHARE] [--only PART] [--algorithms NAME ...] [--plot FILE]. The peers are pandas, polars, duckdb and scikit-learn from PyPI, in a virtual
environment of its own, with LightGBM for boosting, and mawk and jq where they are installed. --scale 0.01 takes a hundredth of the rows.
"""

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cost
import training

HERE = Path(__file__).parent
ORDERS_SQL = (
    "SELECT c.region, o.product, count(*) AS orders, sum(o.amount * o.price) AS revenue, avg(o.price) AS price "
    "FROM orders o JOIN customers c ON o.customer = c.customer WHERE o.price > 5 GROUP BY c.region, o.product"
)
PARTS = ["orders", "lines", "score", "train", "cost", "post", "files"]

LISTING = (
    r"^(?<mode>\S+)\s+(?<links>\d+)\s+(?<user>\S+)\s+(?<group>\S+)\s+(?<size>\d+)\s+(?<date>\S+\s+\S+\s+\S+)\s+(?<file>.+)$"
)


def run(command, cwd, environment=None, out=os.devnull):
    """Seconds and peak memory in MiB of one process whose output goes to a file; None where it fails or is not installed."""
    if shutil.which(str(command[0])) is None:
        return None
    began = time.monotonic()
    with open(Path(cwd) / out, "wb") as output:
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
        )
    error = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        print(f"failed: {' '.join(map(str, command))[:100]}: {error.decode(errors='replace')[-300:]}", file=sys.stderr)
        return None
    return time.monotonic() - began, usage.ru_maxrss / 1024


def orders(folder, rows):
    numbers = random.Random(1)
    with open(folder / "orders.csv", "w") as out:
        out.write("id,customer,product,amount,price,day\n")
        for row in range(rows):
            out.write(
                f"{row},{numbers.randrange(50_000)},product {numbers.randrange(500)},{numbers.randrange(1, 20)},"
                f"{numbers.randrange(100, 99_999) / 100},2026-{row % 12 + 1:02}-{row % 28 + 1:02}\n"
            )
    with open(folder / "customers.csv", "w") as out:
        out.write("customer,region\n")
        out.writelines(f"{number},region {number % 25}\n" for number in range(50_000))


def listing(folder, rows):
    numbers = random.Random(2)
    with open(folder / "listing.txt", "w") as out:
        for row in range(rows):
            out.write(f"-rw-r--r--   1 root     root     {numbers.randrange(10**6):8} Mar {row % 28 + 1:2} 00:40 /data/file {row}.txt\n")


def features(folder, rows):
    numbers = random.Random(3)
    with open(folder / "rows.csv", "w") as out:
        out.write(",".join(f"f{column}" for column in range(20)) + "\n")
        for _ in range(rows):
            out.write(",".join(f"{numbers.random():.6f}" for _ in range(20)) + "\n")
    with open(folder / "train.csv", "w") as out:
        out.write(",".join(f"f{column}" for column in range(20)) + ",y\n")
        for _ in range(2000):
            values = [numbers.random() for _ in range(20)]
            out.write(",".join(f"{value:.6f}" for value in values) + f",{'yes' if sum(values) > 10 else 'no'}\n")


class Receiver:
    """The compiled receiver of posts as a process, for one sender at a time; it ends when this does."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "receive", "900"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self.process.stdout.readline().strip()

    def count(self):
        """Ends it, and says what came."""
        said, _ = self.process.communicate()
        return json.loads(said) if self.process.returncode == 0 else None


class Bench:
    def __init__(self, worker, posts, python, folder, scale, algorithms, plot):
        self.worker, self.posts, self.python, self.folder, self.scale = worker, posts, python, folder, scale
        self.algorithms, self.plot, self.costs = algorithms, plot, {}
        self.rows = []

    def peer(self, name, *arguments):
        return run([self.python, HERE / "peers.py", name, *arguments], self.folder)

    def add(self, what, ours, **peers):
        self.rows.append((what, ours, {name: found for name, found in peers.items() if found}))

    def orders(self):
        orders(self.folder, int(5_000_000 * self.scale))
        base = [self.worker, "prepare", "--input", "orders=orders.csv", "--input", "customers=customers.csv", "--sql", ORDERS_SQL]
        for out in ("result.parquet", "result.csv"):
            peers = {name: self.peer("orders", name, out) for name in ("polars", "duckdb", "pandas")}
            self.add(f"orders to {out}", run([*base, "--out", out], self.folder), **peers)
        self.add("orders, 64 MiB allowed", run([*base, "--memory-limit", "64MiB", "--out", "small.parquet"], self.folder))

    def lines(self):
        listing(self.folder, int(1_000_000 * self.scale))
        ours = run([self.worker, "prepare", "--input", "l=listing.txt", "--pattern", f"l={LISTING}", "--out", "listing.csv"], self.folder)
        program = 'BEGIN{OFS=","} {f=$9; for(i=10;i<=NF;i++) f=f " " $i; print $1,$2,$3,$4,$5,$6 " " $7 " " $8,f}'
        peers = {name: run([name, program, "listing.txt"], self.folder, out="peer.csv") for name in ("mawk", "gawk")}
        self.add("lines to CSV", ours, **peers)
        ours = run([self.worker, "prepare", "--input", "l=listing.csv", "--out", "listing.ndjson"], self.folder)
        program = '{gsub(/"/,"\\\\\\""); printf "{\\"mode\\":\\"%s\\",\\"links\\":%s,\\"user\\":\\"%s\\",\\"group\\":\\"%s\\",\\"size\\":%s,\\"date\\":\\"%s\\",\\"file\\":\\"%s\\"}\\n",$1,$2,$3,$4,$5,$6,$7}'
        peers = {name: run([name, "-F,", program, "listing.csv"], self.folder, out="peer.ndjson") for name in ("mawk", "gawk")}
        self.add("CSV to NDJSON", ours, **peers)

    def score(self):
        features(self.folder, int(1_000_000 * self.scale))
        run([self.worker, "train", "--data", "train.csv", "--target", "y", "--out", "model"], self.folder)
        ours = run([self.worker, "score", "--model", "model", "--data", "rows.csv", "--out", "scored.csv"], self.folder)
        peers = {name: self.peer("score", name, "scored-peer.csv") for name in ("pandas", "polars")}
        self.add("scoring, 20 features", ours, **peers)

    def post(self):
        if self.posts is None:
            print("posts are left out: --posts names the program bench-posts", file=sys.stderr)
            return
        rows = int(100_000 * self.scale)
        (self.folder / "post.csv").write_text("id,x\n" + "".join(f"{row},0.5\n" for row in range(rows)))
        for what, per_request, at_once in (("by 1000", 1000, None), ("singly", None, None), ("singly, 16 at once", None, 16)):
            ours = self.posted(rows, lambda url: run(self.deliver(url, per_request, at_once), self.folder, {"RUST_LOG": "warn"}))
            peers = {} if at_once else {"python": self.posted(rows, lambda url: self.peer("post", url, str(per_request or 1)))}
            if what == "singly":
                # What the machine's sockets allow, with as many requests over a connection as the worker sends, and over a single one.
                for name, over_one in (("socket", 16), ("socket, one connection", rows)):
                    sender = [self.posts, "send", "URL", str(rows), str(over_one)]
                    peers[name] = self.posted(rows, lambda url: run([url if part == "URL" else part for part in sender], self.folder))
            self.add(f"POST of {rows} rows, {what}", ours, **peers)

    def posted(self, rows, send):
        """What `send` took with a receiver of its own; None where other rows came than were sent."""
        receiver = Receiver(self.posts)
        taken = send(receiver.url)
        came = receiver.count()
        if came is None or came["rows"] != rows:
            print(f"of {rows} rows, there came {came}", file=sys.stderr)
            return None
        return taken

    def deliver(self, url, per_request, at_once):
        """The worker's command that posts the rows of post.csv."""
        limits = {"rowsPerRequest": per_request, "concurrentRequests": at_once}
        delivery = {"uri": url, **{name: limit for name, limit in limits.items() if limit}}
        source = {"name": "t", "source": {"uri": {"uri": "file:post.csv"}}}
        spec = {
            "version": 3, "namespace": "n", "pipeline": "p", "step": "post", "revision": {"fixed": f"{len(self.rows):012x}"},
            "action": {"prepare": {"inputs": [source], "format": "csv", "delivery": delivery}},
        }
        return [self.worker, "step", "--storage", self.folder, "--allow-address", "127.0.0.0/8", "--report", "/dev/null", json.dumps(spec)]

    def files(self):
        folder = self.folder / "tiny"
        folder.mkdir()
        for number in range(1000):
            (folder / f"{number}.csv").write_text("a,b\n1,2\n")
        ours = run([self.worker, "prepare", "--input", "t=tiny/*.csv", "--out", "tiny.csv"], self.folder)
        self.add("a thousand tiny files", ours, duckdb=self.peer("files", "duckdb", "tiny-peer.csv"))

    def train(self):
        run([self.python, "-c", f"import sys; sys.path.insert(0, {str(HERE)!r}); import pathlib, training; training.write_tables(pathlib.Path(), {int(1_000_000 * self.scale)})"], self.folder)
        for algorithm in self.algorithms:
            share = training.ALGORITHMS[algorithm][2]
            ours = run([self.worker, *training.flags(algorithm)], self.folder)
            names = ["sklearn", "lightgbm"] if algorithm == "gradient-boosting" else ["sklearn"]
            script = [self.python, HERE / "training.py"]
            peers = {name: run([*script, name, algorithm, "model.pickle"], self.folder) for name in names}
            self.add(f"{algorithm}, {int(1_000_000 * self.scale * share)} rows", ours, **peers)

    def cost(self):
        self.costs = cost.measure(run, self.python, self.worker, self.folder, self.scale, self.algorithms)
        if self.plot and self.costs:
            run([self.python, HERE / "cost.py", "plot", self.plot.absolute(), json.dumps(self.costs)], self.folder)

    def report(self):
        if self.costs:
            print(*cost.table(self.costs), "", sep="\n")
        if not self.rows:
            return
        print("| What | worker | peers: seconds, MiB (times the worker's time) |\n|---|---|---|")
        for what, ours, peers in self.rows:
            if ours is None:
                print(f"| {what} | failed | |")
                continue
            others = ", ".join(
                f"{name} {time:.2f} s, {memory:.0f} MiB ({time / ours[0]:.2f})" for name, (time, memory) in peers.items()
            )
            print(f"| {what} | {ours[0]:.2f} s, {ours[1]:.0f} MiB | {others} |")


def environment(cache):
    """A Python with the peers, made once."""
    folder = cache / "bench-peers"
    python = folder / "bin/python"
    packages = ["pandas", "pyarrow", "polars", "duckdb", "scikit-learn", "lightgbm", "matplotlib"]
    made_of = folder / "packages.txt"
    if not made_of.exists() or made_of.read_text() != "\n".join(packages):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", *packages], check=True)
        made_of.write_text("\n".join(packages))
    return python


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("worker", type=Path)
    parser.add_argument("--posts", type=Path, help="the program bench-posts, which receives what is posted")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--plot", type=Path, help="where to write the plot of what training costs, as SVG")
    parser.add_argument("--algorithms", nargs="+", default=list(training.ALGORITHMS), choices=list(training.ALGORITHMS))
    options = parser.parse_args()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mlpipeline"
    python = environment(cache)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options.worker.absolute(), options.posts and options.posts.absolute(), python, Path(folder), options.scale, options.algorithms, options.plot)
        for part in PARTS:
            if options.only in (None, part):
                getattr(bench, part)()
        bench.report()
    print(f"\n{os.cpu_count()} cores, scale {options.scale}; largest child {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
