#!/usr/bin/env python3
"""Checks that Larder accepts the larder.yaml of each overlay: else each of its CronJobs ends with 78.

    configurations.py LARDER DEPLOY
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import yaml


def main(larder, deploy):
    failed = False
    for overlay in sorted(path.parent for path in (deploy / "overlays").glob("*/kustomization.yaml")):
        text = subprocess.run(["kubectl", "kustomize", overlay], check=True, capture_output=True, text=True).stdout
        configuration = next(thing["data"]["larder.yaml"] for thing in yaml.safe_load_all(text)
                             if thing["kind"] == "ConfigMap" and thing["metadata"]["name"].startswith("larder-config"))
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(configuration)
            file.flush()
            result = subprocess.run([larder, "--config", file.name, "config", "validate"], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            print(f"{overlay.name}: {result.stderr.strip()}")
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).resolve())
