"""Serving beside FastAPI + uvicorn + scikit-learn: the same model, the same requests, both on loopback, one after the other.

    python3 tests/bench/serve/compare.py --worker target/release/mlpipeline-worker [--seconds 10] [--connections 32]

Needs python3 with venv and wrk (Debian: apt-get install wrk). The first run makes a virtual environment in --venv. Prints
requests a second and latency of each server for one row and for a hundred rows a request, checks first that both answer
alike, and ends with the ratios. Run it on an idle machine and with a release build; nothing else is worth quoting.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv

HERE = pathlib.Path(__file__).resolve().parent
IRIS = HERE.parents[2] / "deploy/samples/crash-course/data/iris.csv"
PACKAGES = ["fastapi==0.115.*", "uvicorn[standard]==0.34.*", "scikit-learn==1.6.*"]
ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


def make_venv(folder):
    python = folder / "bin/python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def wait(url, process):
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            if process.poll() is not None:
                sys.exit(f"{url}: the server ended with {process.returncode}")
            time.sleep(0.1)
    sys.exit(f"{url} does not answer")


def ask(base, path, body):
    request = urllib.request.Request(base + path, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def load(base, path, body, args, folder):
    script = folder / "request.lua"
    script.write_text(
        'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n'
        f"wrk.body = [==[{json.dumps(body)}]==]\n"
    )
    command = ["wrk", "--latency", "-t1", f"-c{args.connections}", "-s", script, base + path]
    subprocess.run([*command, "-d2"], check=True, capture_output=True)
    text = subprocess.run([*command, f"-d{args.seconds}"], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(text)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return rate, re.search(r"\n +50% +(\S+)", text)[1], re.search(r"\n +99% +(\S+)", text)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", required=True, type=pathlib.Path)
    parser.add_argument("--venv", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "mlpipeline-bench-serve")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=32)
    args = parser.parse_args()
    python = make_venv(args.venv)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        train = [args.worker, "train", "--data", IRIS, "--target", "species", "--out", folder / "model"]
        subprocess.run(train, check=True, capture_output=True)
        servers = {
            "mlpipeline": ("http://127.0.0.1:8201", [args.worker, "serve", "--model", folder / "model", "--listen", "127.0.0.1:8201"]),
            # One process, as the crash course runs it.
            "fastapi": ("http://127.0.0.1:8202", [python, "-m", "uvicorn", "fastapi_app:app", "--port", "8202", "--log-level", "error", "--no-access-log"]),
        }
        cases = {"1 row": ("/predict", ROW), "100 rows": ("/predict_many", [ROW] * 100)}
        rates, answers = {}, {}
        for server, (base, command) in servers.items():
            environment = {**os.environ, "IRIS_CSV": str(IRIS)}
            process = subprocess.Popen(command, cwd=HERE, env=environment, stderr=subprocess.DEVNULL)
            try:
                wait(base + "/health", process)
                for case, (path, body) in cases.items():
                    path = "/predict" if server == "mlpipeline" else path
                    answer = ask(base, path, body)
                    names = [row["species_name"] for row in (answer if isinstance(answer, list) else [answer])]
                    if answers.setdefault(case, names) != names:
                        sys.exit(f"{case}: the servers answer differently")
                    rates[server, case], median, tail = load(base, path, body, args, folder)
                    print(f"{server:12} {case:9} {rates[server, case]:10.0f} requests/s   median {median:>8}   p99 {tail:>8}", flush=True)
            finally:
                process.terminate()
                process.wait()
    for case in cases:
        print(f"{case}: {rates['mlpipeline', case] / rates['fastapi', case]:.1f} times the requests of FastAPI")


if __name__ == "__main__":
    main()
