#!/usr/bin/env python3
"""Renders what a user's own kustomization may be, and checks that nothing of it is edited anywhere else.

    adapted.py DEPLOY DIRECTORY      writes DIRECTORY/adapted-OVERLAY.yaml

Each overlay gets every component that goes with it, other images, another pool, other sizes, a storage class and
networks of its own: then no shipped name of these may be left. So a new place for one of them cannot be forgotten.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

COMMON = ["no-apparmor", "selinux", "internal-networks", "dns-nodelocal", "dns-cloud", "registry-credentials", "registry-ca",
          "mirror", "proxy", "trusted-build-cache", "job-policy", "settings"]
OVERLAYS = {
    "shared": ["before-1.35", "overlay-store"], "slots": ["before-1.35", "overlay-store", "watch"],
    "readonly-store": ["before-1.35/readonly", "overlay-store/readonly", "watch", "watch/images"],
    "overlay-store": ["before-1.35"], "daemon": ["before-1.35", "overlay-store"],
    "restricted": ["watch", "watch/images"],
}
SETTINGS = {"pool": "large", "buildCacheSize": "41Gi", "imageCacheSize": "97Gi", "gitlabUrl": "https://git.corp.example",
            "registryCaHost": "registry.corp.example:5000", "proxy": "http://proxy.corp.example:3128", "noProxy": ".svc,10.0.0.0/8"}
DIGEST = "sha256:" + "5" * 64
# What must not be left of the shipped names, and what a comment of an example may hold all the same.
SHIPPED = ["registry.example.com", "gitlab.example.com", "192.0.2.0", "20Gi", "50Gi"]


def kustomization(root, overlay, components):
    """A user's file, with paths below `root`."""
    return {
        "resources": [f"{root}/overlays/{overlay}", f"{root}/node"],
        "components": [f"{root}/components/{name}" for name in components],
        "images": [{"name": "registry.example.com/ci/larder", "newName": "registry.corp.example/larder", "newTag": "1"},
                   {"name": "registry.example.com/ci/larder-podman", "newName": "registry.corp.example/podman", "digest": DIGEST}],
        "configMapGenerator": [{"name": "larder-runner", "namespace": "ci", "behavior": "merge",
                                "literals": [f"{key}={value}" for key, value in SETTINGS.items()]}],
        "patches": [
            {"target": {"kind": "PersistentVolumeClaim"}, "patch": "- {op: add, path: /spec/storageClassName, value: fast}"},
            {"target": {"kind": "NetworkPolicy", "name": "allow-internal"},
             "patch": "- {op: replace, path: /spec/egress/0/to, value: [{ipBlock: {cidr: 10.20.30.0/24}}]}"}],
    }


def pods(objects):
    """Each pod's specification, by what makes it."""
    for thing in objects:
        spec = thing.get("spec") or {}
        template = spec.get("jobTemplate", {}).get("spec", {}).get("template") or spec.get("template")
        if template:
            yield thing, template["spec"]


def problems(text, overlay):
    """What was not adapted."""
    objects = list(yaml.safe_load_all(text))
    for name in SHIPPED:
        if name in text:
            yield f"{name} is left"
    for thing in objects:
        name = f"{thing['kind']} {thing['metadata']['name']}"
        if thing["metadata"].get("labels", {}).get("app.kubernetes.io/part-of") != "larder":
            yield f"{name} has no label part-of: uninstalling leaves it"
        if thing["kind"] == "PersistentVolumeClaim" and thing["spec"].get("storageClassName") != "fast":
            yield f"the storage class of {name}"
    for thing, pod in pods(objects):
        name = f"{thing['kind']} {thing['metadata']['name']}"
        if thing["kind"] == "DaemonSet":
            continue
        if pod["nodeSelector"] != {"ci-cache/pool": "large"}:
            yield f"{name} runs on {pod['nodeSelector']}"
        if pod["securityContext"].get("seLinuxOptions") is None:
            yield f"{name} has a level of its own under SELinux"
        for container in pod.get("initContainers", []):
            if container["name"] != "podman":
                continue
            variables = {each["name"]: each.get("value") for each in container["env"]}
            mounts = {each["mountPath"] for each in container["volumeMounts"]}
            if "appArmorProfile" in container["securityContext"] or "procMount" in container["securityContext"]:
                yield f"{name} asks for AppArmor or an unmasked /proc"
            if variables.get("CONTAINERS_STORAGE_CONF") != "/etc/containers/storage.overlay.conf" and overlay != "restricted":
                yield f"{name} is not on the driver overlay"
            if not {"/etc/containers/certs.d", "/etc/larder-registries"} <= mounts:
                yield f"{name} has neither authority nor mirror"
            larder = {each["name"] for each in pod["containers"][0]["env"]}
            if not {"LARDER_WARM_AUTH_FILE", "LARDER_WARM_REGISTRIES_FILE"} <= larder:
                yield f"Larder of {name} has no credentials or registries"
    for account in (thing for thing in objects if thing["kind"] == "ServiceAccount" and thing["metadata"]["namespace"] == "ci"):
        if account.get("imagePullSecrets") != [{"name": "registry-credentials"}]:
            yield f"the account {account['metadata']['name']} pulls without credentials"


def main(deploy, directory):
    failed = False
    listed = {str(path.parent.relative_to(deploy / "components")) for path in (deploy / "components").rglob("kustomization.yaml")}
    example = (deploy / "example/kustomization.yaml").read_text()
    within = {"labels", "images", "podman", "serve", "daemon", "preflight"}
    for name in sorted(listed - within):
        if f"../components/{name}" not in example and f": {name})" not in example:
            print(f"the example does not name the component {name}")
            failed = True
    for overlay, extra in OVERLAYS.items():
        with tempfile.TemporaryDirectory() as work:
            user = Path(work).resolve()
            root = "../" * len(user.parts[1:]) + str(deploy)[1:]
            (user / "kustomization.yaml").write_text(yaml.safe_dump(kustomization(root, overlay, extra + COMMON)))
            result = subprocess.run(["kubectl", "kustomize", user], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            sys.exit(f"{overlay} with all components: {result.stderr}")
        (directory / f"adapted-{overlay}.yaml").write_text(result.stdout)
        for problem in problems(result.stdout, overlay):
            print(f"{overlay}, adapted: {problem}")
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
