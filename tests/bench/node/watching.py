"""A client of the API server that watches, with a clock of its own: what `kubectl` would add to a measurement is left out.

It talks to the server through one `kubectl proxy`, which knows how to log in with whatever KUBECONFIG says.
"""

import http.client
import json
import queue
import re
import subprocess
import threading
import time


class Server:
    """Requests to the API server, as long as the `with` block lasts."""

    def __enter__(self):
        self.proxy = subprocess.Popen(["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True)
        said = self.proxy.stdout.readline()
        address = re.search(r"127\.0\.0\.1:(\d+)", said)
        if not address:
            raise SystemExit(f"kubectl proxy does not start: {said!r}")
        self.port = int(address[1])
        return self

    def __exit__(self, *_):
        self.proxy.kill()
        self.proxy.wait()

    def connection(self, timeout):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, path, body=None):
        connection = self.connection(30)
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"content-type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {said.decode(errors='replace')}")
        return json.loads(said)

    def create(self, path, body):
        return self.request("POST", path, body)


class Watch:
    """What happens to objects of several kinds in one namespace, from now on, each event with the time at which it came."""

    def __init__(self, server, namespace, paths):
        self.events = queue.Queue()
        self.seen = []
        for path in paths:
            selector = f"fieldSelector=metadata.namespace%3D{namespace}"
            version = server.request("GET", f"{path}?{selector}&limit=1")["metadata"]["resourceVersion"]
            connection = server.connection(None)
            connection.request("GET", f"{path}?watch=1&{selector}&resourceVersion={version}")
            threading.Thread(target=self.read, args=(connection.getresponse(),), daemon=True).start()

    def read(self, answer):
        for line in answer:
            came = time.monotonic()
            event = json.loads(line)
            self.events.put((came, event["type"], event["object"]))

    def first(self, what, matches, seconds=300):
        """The time of the first event since the start that matches, waiting for it."""
        for came, kind, thing in self.seen:
            if matches(kind, thing):
                return came
        deadline = time.monotonic() + seconds
        while True:
            try:
                event = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise SystemExit(f"waited {seconds} s in vain for: {what}") from None
            self.seen.append(event)
            if matches(event[1], event[2]):
                return event[0]


def condition(thing, name):
    """Whether a condition of an object is True."""
    found = thing.get("status", {}).get("conditions") or []
    return any(one["type"] == name and one["status"] == "True" for one in found)
