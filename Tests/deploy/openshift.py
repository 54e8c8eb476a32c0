#!/usr/bin/env python3
"""Replays what OpenShift's security context constraint of the component `openshift` admits, on all pods of its accounts.

    openshift.py DEPLOY

In the first pool and in a further one, whose accounts have its suffix.

The rules are those of openshift/apiserver-library-go (securitycontextconstraints): each field of SELinux is the same
in the pod and in every container, a user namespace where the level asks for it, volumes, capabilities, seccomp
profiles, users and groups by their lists. That they can refuse is checked each time on pods that must be.
"""

import copy
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

import pod_security
import runner_values
from adapted import pods, rendered, user_file

OVERLAYS = ["shared", "slots", "readonly-store", "daemon", "overlay-store"]
NAMES = {"RuntimeDefault": "runtime/default", "Unconfined": "unconfined"}


def profile(context):
    """A seccomp profile as a constraint writes it."""
    found = context.get("seccompProfile") or {}
    return "localhost/" + found["localhostProfile"] if found.get("type") == "Localhost" else NAMES.get(found.get("type"))


def refusals(scc, pod):
    """Why a pod is not admitted."""
    whole = pod.get("securityContext") or {}
    if scc["userNamespaceLevel"] == "RequirePodLevel" and pod.get("hostUsers") is not False:
        yield "hostUsers is not false"
    for volume in pod.get("volumes") or []:
        kinds = set(volume) - {"name"}
        if not kinds <= set(scc["volumes"]):
            yield f"a volume of the kind {kinds}"
    if whole.get("fsGroup") != scc["fsGroup"]["ranges"][0]["min"]:
        yield f"fsGroup {whole.get('fsGroup')}"
    for name, _, context in pod_security.containers(pod):
        options = context.get("seLinuxOptions") or whole.get("seLinuxOptions") or {}
        if options != scc["seLinuxContext"]["seLinuxOptions"]:
            yield f"SELinux of {name}: {options}"
        if context.get("runAsUser", whole.get("runAsUser")) != scc["runAsUser"]["uid"]:
            yield f"the user of {name}"
        if not set((context.get("capabilities") or {}).get("add") or []) <= set(scc["allowedCapabilities"]):
            yield f"capabilities of {name}"
        if (profile(context) or profile(whole)) not in scc["seccompProfiles"]:
            yield f"seccomp of {name}"
        if context.get("privileged"):
            yield f"privileged {name}"


def job_pod(deploy, objects, folder):
    """A pod that the runner makes with these settings."""
    _, chart = runner_values.runner(deploy, folder, objects)
    return pod_security.job_pod(tomllib.loads(chart["config.template.toml"])["runners"][0])["spec"]


def main(deploy):
    failed = False

    def wrong(words):
        nonlocal failed
        print(words)
        failed = True

    for overlay in [*OVERLAYS, "example-pool-b"]:
        if overlay in OVERLAYS:
            objects = list(yaml.safe_load_all(rendered(deploy, [f"overlays/{overlay}", "node"], ["openshift", "settings"], {}, [])))
            # The constraint is one for all pools.
            scc = next(thing for thing in objects if thing["kind"] == "SecurityContextConstraints")
        else:
            objects = user_file(deploy, overlay, ["openshift"])
        kinds = {(thing["kind"], thing["metadata"]["name"]): thing for thing in objects}
        prepared = [scc, *(thing for thing in objects if thing["kind"] in ("RoleBinding", "Role") and "larder" in thing["metadata"]["name"])]
        for thing in prepared + ([kinds["DaemonSet", "larder-node"], kinds["RoleBinding", "larder-node"]] if overlay in OVERLAYS else []):
            if thing["metadata"].get("labels", {}).get("ci-cache/step") != "prepare":
                wrong(f"{overlay}: the {thing['kind']} comes after the preflight")
        if ("DaemonSet", "larder-tun") in kinds:
            wrong(f"{overlay}: a device plugin beside CRI-O's own tun")
        uses = {thing["metadata"]["name"] for thing in objects if thing["kind"] == "Role" and thing["metadata"]["namespace"] == "ci"
                and {"apiGroups": ["security.openshift.io"], "resources": ["securitycontextconstraints"],
                     "resourceNames": [scc["metadata"]["name"]], "verbs": ["use"]} in thing["rules"]}
        admitted = {subject["name"] for thing in objects if thing["kind"] == "RoleBinding" and thing["roleRef"]["name"] in uses
                    for subject in thing["subjects"] if subject["namespace"] == "ci"}
        for thing, pod in pods(objects):
            if thing["metadata"]["namespace"] != "ci":
                continue
            if pod["serviceAccountName"] not in admitted:
                wrong(f"{overlay}: no constraint for {pod['serviceAccountName']}")
            for reason in refusals(scc, pod):
                wrong(f"{overlay}: OpenShift refuses {thing['kind']} {thing['metadata']['name']}: {reason}")
        with tempfile.TemporaryDirectory() as work:
            job = job_pod(deploy, objects, Path(work))
        if job["serviceAccountName"] not in admitted:
            wrong(f"{overlay}: no constraint for the jobs' {job['serviceAccountName']}")
        for reason in refusals(scc, job):
            wrong(f"{overlay}: OpenShift refuses a job's pod: {reason}")
        for key, value in (("hostUsers", True), ("volumes", [{"name": "a", "hostPath": {}}]), ("securityContext", {})):
            if not list(refusals(scc, {**copy.deepcopy(job), key: value})):
                wrong(f"a pod with {key} {value} is admitted: this check cannot refuse")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
