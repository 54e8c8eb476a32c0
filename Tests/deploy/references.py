#!/usr/bin/env python3
"""Checks what no schema sees in rendered manifests: that each name a pod uses exists among them, and is given once; that
nothing is left to whoever replaces `${…}` before a cluster sees it.

    references.py FILE
    references.py --known-kinds FILE    prints the objects that Kubernetes itself knows
"""

import sys

import yaml

# What whoever takes a component makes by hand, as the component says.
BY_HAND = {("ConfigMap", "registry-ca")}


def texts(value):
    """Every text in an object."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def replaced(thing):
    """Whether Flux's post-build substitution (fluxcd/pkg/envsubst) would change an object, which nobody has told it to leave."""
    marks = {**thing["metadata"].get("labels", {}), **thing["metadata"].get("annotations", {})}
    return marks.get("kustomize.toolkit.fluxcd.io/substitute") != "disabled" and any(
        "${" in text or "$$" in text for text in texts(thing))


def main(path):
    with open(path) as file:
        objects = list(yaml.safe_load_all(file))
    names = {(thing["kind"], thing["metadata"]["name"]) for thing in objects}
    missing = [(thing["metadata"]["name"], "annotation for Flux, which replaces ${…}, and", thing["kind"]) for thing in objects if replaced(thing)]
    for job in (thing for thing in objects if thing["kind"] in ("CronJob", "Deployment")):
        template = job["spec"].get("jobTemplate", {"spec": job["spec"]})["spec"]["template"]
        pod = template["spec"]
        used = [("ServiceAccount", pod["serviceAccountName"]), ("PriorityClass", pod["priorityClassName"])]
        used += [("ConfigMap", source["configMapRef"]["name"])
                 for container in pod["containers"] + pod.get("initContainers", [])
                 for source in container.get("envFrom", [])]
        for volume in pod["volumes"]:
            if "persistentVolumeClaim" in volume:
                used.append(("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]))
            if "configMap" in volume:
                used.append(("ConfigMap", volume["configMap"]["name"]))
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"] + pod.get("initContainers", []):
            given = [each["name"] for each in container.get("env", [])]
            missing += [(job["metadata"]["name"], "second variable", name) for name in given if given.count(name) > 1]
        for container in pod["containers"] + pod.get("initContainers", []):
            used += [("volume", mount["name"]) for mount in container["volumeMounts"] if mount["name"] not in volumes]
        missing += [(job["metadata"]["name"], *use) for use in used if use not in names | BY_HAND]
    for job, kind, name in missing:
        print(f"{job}: {'a' if kind.startswith('second') else 'no'} {kind} is called {name}")
    sys.exit(1 if missing else 0)


def print_known(path):
    """Prints what is not of a custom kind."""
    with open(path) as file:
        objects = [thing for thing in yaml.safe_load_all(file) if ".coreos.com" not in thing["apiVersion"] and ".openshift.io" not in thing["apiVersion"]]
    yaml.safe_dump_all(objects, sys.stdout)


if __name__ == "__main__":
    if sys.argv[1] == "--known-kinds":
        print_known(sys.argv[2])
    else:
        main(sys.argv[1])
