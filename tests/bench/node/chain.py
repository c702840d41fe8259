"""How long a chain of three trivial steps takes on a real node, beside the same Jobs made by a client that watches.

    make demo-cluster && KUBECONFIG=... make bench-node

The operator must be on the cluster, which `make demo-cluster` does. The namespaces bench and ml-course are DELETED before and after.
Prints:

1. the median time from create to Ready of the chain, and from the first create to the last Job's end of raw Jobs, of which a client
   creates the next one when its watch says that the one before is complete. Rounds of both alternate, and neither starts a kubectl;
2. the crash course, from `kubectl apply` to its first prediction, with the seconds that its pods spent waiting for a node, starting
   and working (the API server keeps times to the second), and the operator's own share of it in milliseconds: for each step the
   time from its cause (the pipeline is created; the status of the pod before says that its container has ended) to the creation
   of its Job or Deployment, both as one client's watches see them.

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

from watching import Server, Watch, condition

ROOT = pathlib.Path(__file__).resolve().parents[3]
IMAGE = "busybox:1.35"
PIPELINES = "/apis/mlpipeline.dev/v1alpha1/mlpipelines"
JOBS, PODS, DEPLOYMENTS = "/apis/batch/v1/jobs", "/api/v1/pods", "/apis/apps/v1/deployments"
FLOWER = b'{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}'


def kubectl(*arguments, text=None):
    done = subprocess.run(["kubectl", *arguments], input=text, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def chain():
    run = {"image": IMAGE, "command": ["true"]}
    steps = [{"name": "a", "run": run}, {"name": "b", "run": run, "after": ["a"]}, {"name": "c", "run": run, "after": ["b"]}]
    metadata = {"name": "chain", "namespace": "bench"}
    return {"apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": metadata, "spec": {"steps": steps}}


def job(name):
    container = {"name": "main", "image": IMAGE, "command": ["true"]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": template}}


def pipeline(server):
    watch = Watch(server, "bench", [PIPELINES])
    started = time.monotonic()
    server.create("/apis/mlpipeline.dev/v1alpha1/namespaces/bench/mlpipelines", chain())
    ready = watch.first("the chain is Ready", lambda kind, thing: condition(thing, "Ready"))
    kubectl("-n", "bench", "delete", "mlp", "chain", "--wait", "--cascade=foreground")
    return ready - started


def raw_jobs(server):
    watch = Watch(server, "bench", [JOBS])
    started = ended = time.monotonic()
    names = ["raw-a", "raw-b", "raw-c"]
    for name in names:
        server.create("/apis/batch/v1/namespaces/bench/jobs", job(name))

        def is_complete(_, thing, name=name):
            return thing["metadata"]["name"] == name and condition(thing, "Complete")

        ended = watch.first(f"{name} is complete", is_complete)
    kubectl("-n", "bench", "delete", "jobs", *names, "--wait", "--cascade=foreground")
    return ended - started


def crash_course(server, address):
    kubectl("delete", "namespace", "ml-course", "--ignore-not-found", "--wait")
    watch = Watch(server, "ml-course", [PIPELINES, JOBS, PODS, DEPLOYMENTS])
    started = time.monotonic()
    kubectl("apply", "-k", str(ROOT / "deploy/samples/crash-course"))
    while True:
        try:
            request = urllib.request.Request(f"http://{address}:30080/predict", FLOWER, {"content-type": "application/json"})
            urllib.request.urlopen(request, timeout=1).read()
            break
        except OSError:
            time.sleep(0.02)
    seconds = time.monotonic() - started
    print(f"crash course: {seconds:.1f} s from apply to the first prediction; its pods:")
    for pod in json.loads(kubectl("-n", "ml-course", "get", "pods", "-l", "mlpipeline.dev/step", "-o", "json"))["items"]:
        print("  " + pod["metadata"]["name"], parts(pod))
    own = own_share(watch)
    said = ", ".join(f"{step} {milliseconds:.0f} ms" for step, milliseconds in own.items())
    print(f"  the operator's own share: {said}; {sum(own.values()):.0f} ms in all")
    return seconds, sum(own.values())


def own_share(watch):
    """Milliseconds from each step's cause to its child, for the steps up to the one that serves."""

    def step(thing):
        return thing["metadata"].get("labels", {}).get("mlpipeline.dev/step")

    def created(wanted, name):
        return watch.first(
            f"{wanted} {name} is created",
            lambda kind, thing: kind == "ADDED" and thing["kind"] == wanted and name in (step(thing), thing["metadata"]["name"]),
        )

    def ended(name):
        def is_ended(_, thing):
            statuses = thing.get("status", {}).get("containerStatuses") or []
            ends = [status["state"].get("terminated") for status in statuses]
            return thing["kind"] == "Pod" and step(thing) == name and bool(ends) and all(end and end["exitCode"] == 0 for end in ends)

        return watch.first(f"the pod of {name} has ended", is_ended)

    causes = {"data": created("MLPipeline", "iris"), "train": ended("data"), "api": ended("train")}
    children = {"data": created("Job", "data"), "train": created("Job", "train"), "api": created("Deployment", "api")}
    return {name: (children[name] - causes[name]) * 1000 for name in causes}


def parts(pod):
    def at(text):
        return datetime.fromisoformat(text.replace("Z", "+00:00"))

    created = at(pod["metadata"]["creationTimestamp"])
    conditions = {one["type"]: one["lastTransitionTime"] for one in pod["status"]["conditions"]}
    state = pod["status"]["containerStatuses"][0]["state"]
    if "terminated" in state:
        running, ended, word = at(state["terminated"]["startedAt"]), at(state["terminated"]["finishedAt"]), "worked"
    elif "running" in state:
        running, ended, word = at(state["running"]["startedAt"]), at(conditions["Ready"]), "became ready in"
    else:
        return "has not started yet"
    scheduled = at(conditions["PodScheduled"])
    spent = [(scheduled - created), (running - scheduled), (ended - running)]
    waited, started, worked = (part.total_seconds() for part in spent)
    return f"waited for a node {waited:.0f} s, started in {started:.0f} s, {word} {max(worked, 0):.0f} s"


def spread(values, unit, digits):
    return f"median {statistics.median(values):.{digits}f} {unit}, from {min(values):.{digits}f} to {max(values):.{digits}f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    query = 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}'
    address = kubectl("get", "nodes", "-o", query)
    kubectl("delete", "namespace", "bench", "ml-course", "--ignore-not-found", "--wait")
    kubectl("create", "namespace", "bench")
    with Server() as server:
        times = {"MLPipeline": [], "raw Jobs": []}
        for _ in range(rounds):
            times["raw Jobs"].append(raw_jobs(server))
            times["MLPipeline"].append(pipeline(server))
        for name, seconds in times.items():
            print(f"{name}: {spread(seconds, 's', 2)}")
        ratio = statistics.median(times["MLPipeline"]) / statistics.median(times["raw Jobs"])
        print(f"MLPipeline takes {ratio:.2f} of what raw Jobs take")
        courses = [crash_course(server, address) for _ in range(rounds)]
    print(f"from apply to the first prediction: {spread([seconds for seconds, _ in courses], 's', 1)}")
    print(f"the operator's own share of it: {spread([own for _, own in courses], 'ms', 0)}")
    kubectl("delete", "namespace", "bench", "ml-course", "--wait")


if __name__ == "__main__":
    main()
