#!/usr/bin/env python3
"""Adds the packages of base.txt, which images hold beside the program, to what Cargo lists of a program in CycloneDX.

    deploy/images/add_base.py images/mlpipeline-worker.cdx.json ...
"""
import json
import sys
from pathlib import Path
from urllib.parse import quote


def components():
    for line in Path(__file__).with_name("base.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        architecture, digest, path = line.split()
        name, version, _ = Path(path).name.split("_")
        purl = f"pkg:deb/debian/{name}@{quote(version)}?arch={architecture}&distro=debian-13"
        yield {
            "type": "library",
            "bom-ref": purl,
            "name": name,
            "version": version,
            "purl": purl,
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }


for argument in sys.argv[1:]:
    file = Path(argument)
    bom = json.loads(file.read_text())
    known = {component.get("bom-ref") for component in bom.get("components", [])}
    bom.setdefault("components", []).extend(c for c in components() if c["bom-ref"] not in known)
    file.write_text(json.dumps(bom, indent=2) + "\n")
