"""How long a chain of three trivial steps takes on a real node, beside the same Jobs made by a client that waits for each.

    make cluster && KUBECONFIG=... python3 tests/bench/node/chain.py [--rounds 5]

The operator must be on the cluster (make demo-cluster puts it there). Rounds of both alternate. Prints the median of each, from
apply to Ready and from the first create to the last Job's end, and then the crash course from apply to its first prediction
with the seconds that its pods spent waiting for a node, starting, and working (the API server keeps times to the second).
Run it on an idle machine; nothing else is worth quoting.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import time
import urllib.request
from datetime import datetime

ROOT = pathlib.Path(__file__).resolve().parents[3]
IMAGE = "busybox:1.35"
CHAIN = """
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {name: chain, namespace: bench}
spec:
  steps:
    - {name: a, run: {image: IMAGE, command: ["true"]}}
    - {name: b, run: {image: IMAGE, command: ["true"]}, after: [a]}
    - {name: c, run: {image: IMAGE, command: ["true"]}, after: [b]}
"""
FLOWER = b'{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}'


def kubectl(*arguments, text=None):
    done = subprocess.run(["kubectl", *arguments], input=text, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def pipeline():
    started = time.monotonic()
    kubectl("apply", "-f", "-", text=CHAIN.replace("IMAGE", IMAGE))
    kubectl("-n", "bench", "wait", "--for=condition=Ready", "mlp/chain", "--timeout=120s")
    seconds = time.monotonic() - started
    kubectl("-n", "bench", "delete", "mlp", "chain", "--wait")
    return seconds


def raw_jobs():
    started = time.monotonic()
    for name in "abc":
        kubectl("-n", "bench", "create", "job", f"raw-{name}", f"--image={IMAGE}", "--", "true")
        kubectl("-n", "bench", "wait", "--for=condition=Complete", f"job/raw-{name}", "--timeout=120s")
    seconds = time.monotonic() - started
    kubectl("-n", "bench", "delete", "jobs", "raw-a", "raw-b", "raw-c", "--wait")
    return seconds


def crash_course():
    address = kubectl("get", "nodes", "-o", 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}')
    started = time.monotonic()
    kubectl("apply", "-k", str(ROOT / "deploy/samples/crash-course"))
    while True:
        try:
            request = urllib.request.Request(f"http://{address}:30080/predict", FLOWER, {"content-type": "application/json"})
            urllib.request.urlopen(request, timeout=1).read()
            break
        except OSError:
            time.sleep(0.02)
    print(f"crash course: {time.monotonic() - started:.1f} s from apply to the first prediction; its pods:")
    for pod in json.loads(kubectl("-n", "ml-course", "get", "pods", "-l", "mlpipeline.dev/step", "-o", "json"))["items"]:
        print("  " + pod["metadata"]["name"], parts(pod))


def parts(pod):
    def at(text):
        return datetime.fromisoformat(text.replace("Z", "+00:00"))

    created = at(pod["metadata"]["creationTimestamp"])
    conditions = {one["type"]: one["lastTransitionTime"] for one in pod["status"]["conditions"]}
    scheduled = at(conditions["PodScheduled"])
    state = pod["status"]["containerStatuses"][0]["state"]
    if "terminated" in state:
        running, ended, word = at(state["terminated"]["startedAt"]), at(state["terminated"]["finishedAt"]), "worked"
    else:
        running, ended, word = at(state["running"]["startedAt"]), at(conditions["Ready"]), "became ready in"
    spent = [(scheduled - created), (running - scheduled), (ended - running)]
    waited, started, worked = (part.total_seconds() for part in spent)
    return f"waited for a node {waited:.0f} s, started in {started:.0f} s, {word} {worked:.0f} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    kubectl("apply", "-f", "-", text="{apiVersion: v1, kind: Namespace, metadata: {name: bench}}")
    times = {"MLPipeline": [], "raw Jobs": []}
    for _ in range(rounds):
        times["raw Jobs"].append(raw_jobs())
        times["MLPipeline"].append(pipeline())
    for name, seconds in times.items():
        print(f"{name}: median {statistics.median(seconds):.1f} s, from {min(seconds):.1f} to {max(seconds):.1f}")
    ratio = statistics.median(times["MLPipeline"]) / statistics.median(times["raw Jobs"])
    print(f"MLPipeline takes {ratio:.2f} of what raw Jobs take")
    crash_course()
    kubectl("delete", "namespace", "bench", "ml-course", "--wait")


if __name__ == "__main__":
    main()
