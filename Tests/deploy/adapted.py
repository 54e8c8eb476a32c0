#!/usr/bin/env python3
"""Renders what a user's own kustomization may be, and checks that nothing of it is edited anywhere else.

    adapted.py DEPLOY DIRECTORY      writes DIRECTORY/adapted-OVERLAY.yaml

Each overlay gets every component that goes with it, other images, another pool, other sizes, a storage class and
networks of its own: then no shipped name of these may be left. So a new place for one of them cannot be forgotten. The
order of the components changes nothing, and no object is of two pools.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

COMMON = ["no-apparmor", "selinux", "internal-networks", "dns-nodelocal", "dns-cloud", "registry-credentials", "registry-ca",
          "mirror", "proxy", "trusted-build-cache", "job-policy", "settings"]
OVERLAYS = {
    "shared": ["before-1.35", "overlay-store"], "slots": ["before-1.35", "overlay-store", "watch"], "slots-8": ["before-1.35", "overlay-store"],
    "readonly-store": ["before-1.35/readonly", "overlay-store/readonly", "watch", "watch/images"],
    "overlay-store": ["before-1.35"], "daemon": ["before-1.35", "overlay-store"],
    "restricted": ["watch", "watch/images"],
}
SETTINGS = {"pool": "large", "buildCacheSize": "41Gi", "imageCacheSize": "97Gi", "gitlabUrl": "https://git.corp.example",
            "registryCaHost": "registry.corp.example:5000", "registryCaHost2": "mirror.corp.example", "registryCaHost3": "third.corp.example",
            "proxy": "http://proxy.corp.example:3128", "noProxy": ".svc,10.0.0.0/8", "runnerSecret": "token-large",
            "nodeLocalDns": "169.254.25.10/32", "clusterDns": "10.233.0.3/32", "serviceStorageLimit": "33Gi"}
DIGEST = "sha256:" + "5" * 64
OWN_SETTINGS = "state: /var/lib/larder\nvolumes: []\n"
# What must not be left of the shipped names, and what a comment of an example may hold all the same.
SHIPPED = ["registry.example.com", "gitlab.example.com", "192.0.2.", "20Gi", "50Gi", ".invalid", "169.254.20.10", "gitlab-runner-token"]


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


def rendered(deploy, resources, components, settings, patches, more=(), namespace="ci"):
    """What Kustomize makes of a user's file that names parts of `deploy`, with settings, patches and generators."""
    with tempfile.TemporaryDirectory() as work:
        user = Path(work).resolve()
        # Kustomize takes no absolute path.
        root = "../" * len(user.parts[1:]) + str(deploy)[1:]
        (user / "larder.yaml").write_text(OWN_SETTINGS)
        (user / "kustomization.yaml").write_text(yaml.safe_dump({
            "resources": [f"{root}/{name}" for name in resources],
            "components": [f"{root}/components/{name}" for name in components],
            "configMapGenerator": [{"name": "larder-runner", "namespace": namespace, "behavior": "merge",
                                    "literals": [f"{key}={value}" for key, value in settings.items()] or ["suffix="]}, *more],
            "patches": patches}))
        result = subprocess.run(["kubectl", "kustomize", user], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{resources} with {components}: {result.stderr}")
    return result.stdout


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
        hosts = [[item["path"] for item in volume["configMap"]["items"]] for volume in pod["volumes"] if volume["name"] == "registry-ca"]
        if hosts != [[f"{SETTINGS[key]}/ca.crt" for key in ("registryCaHost", "registryCaHost2", "registryCaHost3")]]:
            yield f"{name} has the authority for {hosts}"
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


def identity(thing):
    """What Kubernetes tells objects apart by."""
    return thing["kind"], thing["metadata"].get("namespace"), thing["metadata"]["name"]


def own_settings(deploy):
    """Where a user's own larder.yaml, or the list of images, does not reach Larder."""
    generator = {"name": "larder-config", "namespace": "ci", "behavior": "replace", "files": ["larder.yaml"]}
    example = yaml.safe_load((deploy / "example/kustomization.yaml").read_text())
    for overlay in OVERLAYS:
        objects = list(yaml.safe_load_all(rendered(deploy, [f"overlays/{overlay}"], ["settings"], {}, [], [generator])))
        configurations = [thing for thing in objects if thing["kind"] == "ConfigMap" and thing["metadata"]["name"].startswith("larder-config")]
        if [thing["data"]["larder.yaml"] for thing in configurations] != [OWN_SETTINGS]:
            yield f"{overlay}: a larder.yaml of one's own is not the configuration"
        if overlay == "restricted":
            continue
        text = rendered(deploy, [f"overlays/{overlay}"], ["settings"], {}, example["patches"])
        words = [word for thing, pod in pods(yaml.safe_load_all(text)) for word in pod["containers"][0].get("args", [])]
        maps = [thing for thing in yaml.safe_load_all(text) if thing["kind"] == "ConfigMap"]
        listed = [image["reference"] for thing in maps for image in (yaml.safe_load(thing["data"].get("larder.yaml", "{}")).get("warm") or {}).get("images", [])]
        if "docker.io/library/postgres:16" not in words + listed:
            yield f"{overlay}: nobody warms the example's image"


def user_file(deploy, name, components):
    """What a shipped example renders with components before its last one, in its place."""
    with tempfile.TemporaryDirectory() as work:
        user = Path(work).resolve()
        root = "../" * len(user.parts[1:]) + str(deploy)[1:]
        text = yaml.safe_load((deploy / name / "kustomization.yaml").read_text())
        kept = [each for each in text["components"] if each.split("/")[-1] not in components]
        text["components"] = [*kept[:-1], *(f"../components/{each}" for each in components), kept[-1]]
        for key in ("resources", "components"):
            text[key] = [each.replace("..", root, 1) for each in text[key]]
        next(each for each in text["configMapGenerator"] if each["name"] == "larder-runner")["literals"].append("proxy=http://proxy:3128")
        (user / "kustomization.yaml").write_text(yaml.safe_dump(text))
        result = subprocess.run(["kubectl", "kustomize", user], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{name} with {components}: {result.stderr}")
    return list(yaml.safe_load_all(result.stdout))


def pools(deploy):
    """What the second pool's kustomization would take from the first one when it is deleted, and what it has of its names."""
    components = [each for each in COMMON if each != "settings"]
    openshift = ["openshift", *(each for each in components if each not in ("no-apparmor", "selinux"))]
    for chosen in ([], [*components, "before-1.35", "overlay-store", "watch"], openshift, openshift[::-1]):
        first, second = (user_file(deploy, name, chosen) for name in ("example", "example-pool-b"))
        words = ", ".join(chosen) or "no component"
        for shared in sorted({identity(thing) for thing in first} & {identity(thing) for thing in second}, key=str):
            yield f"with {words} both pools have {shared}: deleting one takes it from the other"
        for thing in second:
            kind, namespace, name = identity(thing)
            if kind in ("DaemonSet", "Namespace") or namespace not in (None, "ci"):
                yield f"with {words} a further pool has the {kind} {name}, which is one for all"
            if "-b" not in name:
                yield f"with {words} the {kind} {name} of a further pool has no suffix"
        for objects in (first, second):
            accounts = {identity(thing) for thing in objects if thing["kind"] == "ServiceAccount"}
            for thing in objects:
                for subject in thing.get("subjects") or []:
                    if (subject["kind"], subject["namespace"], subject["name"]) not in accounts:
                        yield f"with {words} the rights of {thing['metadata']['name']} are those of {subject['name']}, which is not there"
        labels = [{thing["metadata"].get("labels", {}).get("ci-cache/pool") for thing in objects} for objects in (first, second)]
        if labels != [{"a"}, {"b"}]:
            yield f"with {words} the objects of the pools are labelled {labels}"
    # Ended by a job: Larder, and no pod of other people, which have the priority 0 unless told otherwise.
    values = {thing["metadata"]["name"]: thing["value"] for thing in first if thing["kind"] == "PriorityClass"}
    if not values["ci-cache-maintenance"] < values["ci-job"] <= 0:
        yield f"the priorities are {values}"


def unordered(value):
    """An object without the order of its lists of objects, in which components are told apart."""
    if isinstance(value, dict):
        return {key: unordered(each) for key, each in value.items()}
    if isinstance(value, list):
        made = [unordered(each) for each in value]
        return sorted(made, key=lambda each: json.dumps(each, sort_keys=True)) if made and isinstance(made[0], dict) else made
    return value


def orders(deploy):
    """Components whose place in the list changes what comes out."""
    patches = [{"target": {"kind": "NetworkPolicy", "name": "allow-internal"}, "patch": "- {op: add, path: /metadata/annotations, value: {a: b}}"}]
    for overlay in ("slots", "readonly-store"):
        common = [each for each in [*COMMON, *OVERLAYS[overlay]] if each != "settings"]
        openshift = ["openshift", *(each for each in common if each not in ("no-apparmor", "selinux") and "before" not in each)]
        for chosen in (common, openshift):
            last = [each for each in chosen if "watch" in each]
            others = [each for each in chosen if "watch" not in each]
            wanted = None
            for order in (last + others, others + last[::-1], chosen[::-1]):
                text = rendered(deploy, [f"overlays/{overlay}", "node"], [*order, "settings"], SETTINGS, patches)
                made = {identity(thing): unordered(thing) for thing in yaml.safe_load_all(text)}
                wanted = wanted or made
                for name in sorted(set(made) | set(wanted), key=str):
                    if made.get(name) != wanted.get(name):
                        yield f"{overlay}: {name} is another where the components come as {', '.join(order)}"


def chosen_all(deploy):
    """The example with its choices taken, none of which is tried otherwise: what does not render, and what does not agree."""
    text = (deploy / "example/kustomization.yaml").read_text()
    # Prose has one space after its #, and no dash; what goes into another file has a bracket or a place.
    text = re.sub(r"^( *)# (- |  (?!\[\[|location))", r"\1\2", text, flags=re.MULTILINE)
    file = yaml.safe_load(text)
    file["components"] = [each for each in file["components"] if each.split("components/")[1] not in ("openshift", "watch/images")]
    with tempfile.TemporaryDirectory() as work:
        user = Path(work).resolve()
        root = "../" * len(user.parts[1:]) + str(deploy)[1:]
        for key in ("resources", "components"):
            file[key] = [each.replace("..", root, 1) for each in file[key]]
        (user / "larder.yaml").write_text(OWN_SETTINGS)
        (user / "registries.conf").write_text("# mine\n")
        (user / "kustomization.yaml").write_text(yaml.safe_dump(file))
        result = subprocess.run(["kubectl", "kustomize", user], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        yield f"the example with all of its choices: {result.stderr}"
        return
    objects = list(yaml.safe_load_all(result.stdout))
    for name, wanted in (("larder-config", OWN_SETTINGS), ("larder-registries", "# mine\n")):
        found = [value for thing in objects if thing["kind"] == "ConfigMap" and thing["metadata"]["name"].startswith(name)
                 for value in thing["data"].values()]
        if found != [wanted]:
            yield f"of the user's {name} comes {found}"
    settings = next(thing["data"] for thing in objects if thing["kind"] == "ConfigMap" and thing["metadata"]["name"] == "larder-runner")
    taints = []
    for each in settings["nodeTolerations"].split(","):
        taint, effect = each.split(":")
        key, value = taint.split("=")
        taints.append({"key": key, "value": value, "effect": effect})
    for thing, pod in pods(objects):
        if pod.get("tolerations") not in (taints, [{"operator": "Exists"}]):
            yield f"{thing['kind']} {thing['metadata']['name']} tolerates {pod.get('tolerations')}, and jobs {taints}"


def unset_proxy(deploy):
    """Without its setting, the component's words name it."""
    try:
        rendered(deploy, ["overlays/shared"], ["proxy", "settings"], {}, [])
    except SystemExit as refusal:
        if "needs the setting proxy of larder-runner" not in str(refusal):
            yield f"without a proxy: {refusal}"
    else:
        yield "the component proxy renders without a proxy"


def main(deploy, directory):
    failed = False
    listed = {str(path.parent.relative_to(deploy / "components")) for path in (deploy / "components").rglob("kustomization.yaml")}
    example = (deploy / "example/kustomization.yaml").read_text()
    within = {"labels", "images", "podman", "serve", "daemon", "preflight", "further-pool"}
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
    # Each driver's component on an overlay that has it already: no variable twice (references.py).
    (directory / "store-twice.yaml").write_text(
        rendered(deploy, ["overlays/overlay-store"], ["overlay-store", "settings"], {}, []))
    for problem in [*own_settings(deploy), *pools(deploy), *orders(deploy), *chosen_all(deploy), *unset_proxy(deploy)]:
        print(f"adapted: {problem}")
        failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
