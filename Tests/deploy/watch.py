#!/usr/bin/env python3
"""Renders each overlay with the component `watch`, as the guide tells to, and checks what comes out.

    watch.py deploy DIRECTORY      writes DIRECTORY/watch-OVERLAY.yaml

The component goes into the overlay's own list, `images` beside it where the overlay has one image store.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

CLAIM = "gitlab-podman-cache-pvc"


def render(deploy, overlay, components):
    """The objects of an overlay with more components, as text."""
    with tempfile.TemporaryDirectory() as name:
        for folder in ("base", "components", "overlays"):
            shutil.copytree(deploy / folder, Path(name) / folder)
        path = Path(name) / "overlays" / overlay / "kustomization.yaml"
        kustomization = yaml.safe_load(path.read_text())
        kustomization["components"] = kustomization.get("components", []) + [f"../../components/{each}" for each in components]
        path.write_text(yaml.safe_dump(kustomization))
        return subprocess.run(["kubectl", "kustomize", path.parent], check=True, capture_output=True, text=True).stdout


def problems(before, after, has_images):
    """What the component should not have done."""
    jobs, left = ({thing["metadata"]["name"] for thing in objects if thing["kind"] == "CronJob"} for objects in (before, after))
    daemons = [thing for thing in after if thing["kind"] == "Deployment"]
    if left != jobs - {"larder-scan", "larder-report"}:
        yield f"the CronJobs are {sorted(left)}"
    if len(daemons) != 1:
        yield f"{len(daemons)} Deployments"
        return
    pod = daemons[0]["spec"]["template"]["spec"]
    larder = pod["containers"][0]
    if len(pod["containers"]) != 1 or "initContainers" in pod:
        yield "the daemon has another container beside it"
    variables = {each["name"]: each.get("value") for each in larder["env"]}
    if [variables.get(f"LARDER_DAEMON_SCHEDULES_{name}") for name in ("PRUNE", "WARM")] != ["none", "none"]:
        yield "the daemon prunes or warms by its own schedule"
    claims = {volume["name"]: volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"]
              if "persistentVolumeClaim" in volume}
    mounts = [mount for mount in larder["volumeMounts"] if CLAIM in claims.get(mount["name"], "")]
    if [mount.get("readOnly") for mount in mounts] != [True] * has_images:
        yield f"of the images it has {mounts}"


def main(deploy, directory):
    failed = False
    for path in sorted((deploy / "overlays").iterdir()):
        # It has a daemon; or is `slots` with more of the same.
        if path.name == "daemon" or path.name.startswith("slots-"):
            continue
        before = list(yaml.safe_load_all(render(deploy, path.name, [])))
        has_images = any(thing["kind"] == "PersistentVolumeClaim" and thing["metadata"]["name"] == CLAIM for thing in before)
        text = render(deploy, path.name, ["watch", "watch/images"] if has_images else ["watch"])
        for problem in problems(before, list(yaml.safe_load_all(text)), has_images):
            print(f"{path.name} with watch: {problem}")
            failed = True
        (directory / f"watch-{path.name}.yaml").write_text(text)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
