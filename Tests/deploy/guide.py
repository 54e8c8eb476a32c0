#!/usr/bin/env python3
"""Checks the commands of deploy/README.md against what they name.

    guide.py DEPLOY

No cluster is asked: every path, manifest, CronJob, Deployment, Service, secret and container that a command names has
to be there in what the command would apply, as it is rendered, in each topology that the guide offers, with the exceptions
of its table. A command given again does what it did at first. The one that removes what is left of another topology finds
that and nothing else; the one that changes the namespace leaves nothing of the old one. What a command prints, and that its
pods do what they should, is run by play.py, topologies.py and runner_values.py.
"""

import functools
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import runner_values
from adapted import COMMON, identity, rendered

# What the guide offers: a topology, and components of it.
OFFERED = [("slots", []), ("slots-4", []), ("slots-8", []), ("shared", []), ("overlay-store", []), ("readonly-store", []),
           ("daemon", []), ("restricted", []), ("slots", ["watch"]), ("shared", ["watch", "watch/images"]),
           ("readonly-store", ["watch", "watch/images"]), ("restricted", ["watch", "watch/images"])]
KINDS = {"daemonset": "DaemonSet", "deployment": "Deployment", "deploy": "Deployment", "service": "Service",
         "cronjob": "CronJob", "configmap": "ConfigMap"}


def commands(guide):
    """Each command, with its `&&` taken apart; from blocks and from backticks."""
    blocks = re.findall(r"^\$ (.*)$", guide, re.MULTILINE)
    inline = [text for text in re.findall(r"`([^`\n]+)`", guide) if text.split()[0] in ("kubectl", "helm", "deploy/image/build")]
    for text in blocks + inline:
        for part in re.split(r" && |; | \| ", text):
            yield part.strip()


def render(folder):
    """The objects of a kustomization."""
    return list(yaml.safe_load_all(subprocess.run(["kubectl", "kustomize", folder], check=True, capture_output=True, text=True).stdout))


def problems(deploy):
    """What a command names and is not there."""
    guide = (deploy / "README.md").read_text()
    mine = render(deploy / "example")
    shared = render(deploy / "overlays/shared")
    daemon = render(deploy / "overlays/daemon")
    names = {(thing["kind"], thing["metadata"]["name"]) for thing in mine + shared + daemon}
    containers = {each["name"] for thing in shared if thing["kind"] == "CronJob"
                  for kind in ("containers", "initContainers")
                  for each in thing["spec"]["jobTemplate"]["spec"]["template"]["spec"].get(kind, [])}
    labels = {f"{key}={value}" for thing in mine for key, value in thing["metadata"].get("labels", {}).items()}
    made = set()
    numbered = [block for block in re.findall(r"^# (\d+)\.", guide, re.MULTILINE)]
    if numbered != [str(number) for number in range(1, 11)]:
        yield f"the guide has the commands {numbered}, and not ten"
    for command in commands(guide):
        words = command.split()
        for word in words:
            # What the reader copied is the example.
            path = re.match(r"(deploy/[\w./-]+)", word.replace("deploy/my-b", "deploy/example-pool-b").replace("deploy/my", "deploy/example"))
            if path and f"exec {word}" not in command and not (deploy.parent / path[1]).exists():
                yield f"{command}: no {path[1]}"
        if words[0] != "kubectl":
            continue
        for name in re.findall(r"--from=cronjob/([\w-]+)", command):
            if ("CronJob", name) not in names:
                yield f"{command}: no CronJob {name}"
        if created := re.search(r"create job --from=\S+ ([\w-]+)|create job ([\w-]+)", command):
            made.add(next(filter(None, created.groups())))
        for kind, name in re.findall(r"\b(daemonset|deployment|deploy|service|cronjob|configmap)[/ ]([a-z][\w-]+)", command):
            if kind == "deploy" and f"exec deploy/{name}" not in command:
                continue
            if (KINDS[kind], name) not in names and not name.endswith("-b"):
                yield f"{command}: no {real} {name}"
        for label in re.findall(r"-l ([\w./-]+=[\w-]+)", command):
            if label not in labels:
                yield f"{command}: nothing has the label {label}"
        for name in re.findall(r"logs (?:-f )?job/([\w-]+)", command):
            if name not in made:
                yield f"{command}: no command before it makes the job {name}"
        for name in re.findall(r" -c ([\w-]+)", command):
            if name not in containers:
                yield f"{command}: no container {name}"
    yield from topologies(deploy, guide)
    yield from left_over(deploy, guide)
    yield from watched(deploy)
    yield from elsewhere(deploy, guide)
    yield from repeated(guide)
    yield from doctors(deploy)
    yield from secrets(deploy, guide)
    yield from uninstalled(guide, mine)


def ten(guide):
    """The numbered commands, by their number."""
    return {int(number): re.findall(r"^\$ (.*)$", text, re.MULTILINE)
            for number, text in re.findall(r"^# (\d+)\.(.*?)(?=^# \d+\.|^```)", guide, re.MULTILINE | re.DOTALL)}


def exceptions(guide, topology, components):
    """What the guide's table tells a topology to leave out, and to write in place of something, by command."""
    left, written = set(), []
    table = guide.split("| topology, component | leave out |")[1].split("\n\n")[0]
    for row in table.splitlines()[2:]:
        which, leave, place, write = (cell.strip() for cell in row.strip("|").split("|"))
        if not {topology, *components} & set(re.findall(r"`([\w-]+)`", which)):
            continue
        left |= set(map(int, re.findall(r"\d+", leave)))
        numbers = re.search(r"\(([\d, ]+)\)", place)
        for old, new in zip(re.findall(r"`([\w-]+)`", place), re.findall(r"`([\w-]+)`", write)):
            written += [(int(number), old, new) for number in numbers[1].split(",")]
    return left, written


@functools.cache
def objects_of(deploy, topology, components, namespace="ci"):
    """What a user's file with these components renders."""
    return list(yaml.safe_load_all(rendered(
        deploy, [f"overlays/{topology}", "node", "gitlab-runner"], [*components, "settings"], {"proxy": "http://proxy:3128"}, [],
        namespace=namespace)))


def left_over(deploy, guide):
    """Objects of a topology that another one has not, and that the command with --prune does not find, or finds amiss."""
    command = next((text for text in re.findall(r"`(kubectl apply [^`]+)`", guide) if "--prune" in text), "")
    wanted = dict(pair.split("=") for pair in re.search(r" -l (\S+)", command)[1].split(","))
    kinds = {text.split("/")[2] for text in re.findall(r"--prune-allowlist=(\S+)", command)}
    groups = {(text.removeprefix("core/").rsplit("/", 1)[0], text.split("/")[2]) for text in re.findall(r"--prune-allowlist=(\S+)", command)}
    for kind in kinds & {"PersistentVolumeClaim", "Namespace", "Secret"}:
        yield f"a {kind} goes with what is left over"

    def found(thing):
        labels = thing["metadata"].get("labels", {})
        return (thing["apiVersion"], thing["kind"]) in groups and all(labels.get(key) == value for key, value in wanted.items())

    everything = tuple(each for each in COMMON if each != "settings")
    made = [{identity(thing): thing for thing in objects_of(deploy, topology, components)}
            for topology, components in [*((topology, ("job-policy", *components)) for topology, components in OFFERED),
                                         ("slots", ()), ("slots", everything), ("slots", ("openshift", "job-policy"))]]
    amiss = {}
    for old in made:
        for new in made:
            for name in set(old) - set(new):
                # A claim is for its owner to delete; OpenShift's constraint goes with OpenShift.
                if name[0] not in ("PersistentVolumeClaim", "SecurityContextConstraints") and not found(old[name]):
                    amiss[name] = old[name]
    for name in sorted(amiss, key=str):
        yield f"{name} is left, and the command does not find it: {amiss[name]['metadata'].get('labels')}"
    for thing in render(deploy / "example-pool-b"):
        if found(thing):
            yield f"{identity(thing)} is of another pool, and the command removes it"


def watched(deploy):
    """Event logs of an image store that the daemon of `watch` mounts, and that it does not."""
    for topology, components in OFFERED:
        if "watch/images" not in components:
            continue
        objects = objects_of(deploy, topology, ("job-policy", *components))
        text = next(thing for thing in objects if thing["kind"] == "ConfigMap" and thing["metadata"]["name"].startswith("larder-config"))
        larder = next(thing for thing in objects if thing["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"][0]
        mounts = [mount["mountPath"] for mount in larder["volumeMounts"]]
        for volume in yaml.safe_load(text["data"]["larder.yaml"])["volumes"]:
            for path in (volume["path"], volume.get("events", volume["path"])):
                if not any(path == mount or path.startswith(mount + "/") for mount in mounts):
                    yield f"{topology} with watch: the daemon does not see {path}"


def elsewhere(deploy, guide):
    """What is left of the namespace `ci` where the guide's command has changed it."""
    command = next((text for text in re.findall(r"`(grep [^`]+)`", guide) if "sed" in text), "false")
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name).resolve() / "deploy"
        shutil.copytree(deploy, copy)
        subprocess.run(["sh", "-e", "-c", command], cwd=name, check=True)
        everything = tuple(each for each in COMMON if each != "settings")
        objects = [*objects_of(copy, "slots", ("openshift", "job-policy"), "build"), *objects_of(copy, "readonly-store", everything, "build"),
                   *objects_of(copy, "restricted", (), "build"), *render(copy / "example-pool-b"), *render(copy / "monitoring")]
        for thing in objects:
            if thing["metadata"].get("labels", {}).pop("grafana_dashboard", None):
                continue
            text = yaml.safe_dump(thing, width=1000)
            for line in text.splitlines():
                if re.search(r"(?<![\w./-])ci(?![\w/-])", line):
                    yield f"{identity(thing)} in another namespace than ci: {line.strip()}"
        with tempfile.TemporaryDirectory() as work:
            _, chart = runner_values.runner(copy, Path(work), objects)
        if 'namespace = "build"' not in chart["config.template.toml"]:
            yield "the runner starts jobs in ci all the same"


def topologies(deploy, guide):
    """What the ten commands name and a topology has not, with the exceptions that the guide makes for it."""
    for topology, components in OFFERED:
        names = {(thing["kind"], thing["metadata"]["name"]) for thing in objects_of(deploy, topology, ("job-policy", *components))}
        left, written = exceptions(guide, topology, components)
        for number, lines in ten(guide).items():
            if number in left:
                continue
            for line in lines:
                for place, old, new in written:
                    line = line.replace(old, new) if place == number else line
                for kind, name in re.findall(r"\b(daemonset|deployment|deploy|service|cronjob|configmap)[/ ]([a-z][\w-]+)", line):
                    # `deploy/…` is a directory, but for `exec`.
                    if kind == "deploy" and f"exec deploy/{name}" not in line:
                        continue
                    if (KINDS[kind], name) not in names:
                        yield f"command {number} for {' with '.join([topology, *components[:1]])}: no {KINDS[kind]} {name}"


def repeated(guide):
    """A command that makes a job, and fails or shows the old one when it is given again."""
    lines = [*re.findall(r"^\$ (.*)$", guide, re.MULTILINE), *re.findall(r"`(kubectl [^`\n]+)`", guide)]
    for line in lines:
        made = re.search(r"create job --from=\S+ ([\w-]+)", line)
        if made and f"delete job {made[1]} --ignore-not-found && kubectl -n ci create job" not in line:
            yield f"given a second time, this finds its job there: {line}"


def doctors(deploy):
    """Volumes of a topology at which no doctor looks, or of which its pod has no mount or no Podman."""
    for topology, components in OFFERED:
        objects = objects_of(deploy, topology, ("job-policy", *components))
        text = next(thing for thing in objects if thing["kind"] == "ConfigMap" and thing["metadata"]["name"].startswith("larder-config"))
        volumes = {each["name"]: each for each in yaml.safe_load(text["data"]["larder.yaml"])["volumes"]}
        # `restricted` has no Podman, and says so; the daemon is asked itself.
        seen = {"images"} if topology == "restricted" else set()
        for thing in objects:
            is_daemon = thing["kind"] == "Deployment" and topology == "daemon"
            if not is_daemon and not (thing["kind"] == "CronJob" and "doctor" in thing["metadata"]["name"]):
                continue
            pod = (thing["spec"].get("jobTemplate") or thing)["spec"]["template"]["spec"]
            larder = pod["containers"][0]
            chosen = [word.removeprefix("--volume=") for word in larder["args"] if word.startswith("--volume=")] or list(volumes)
            mounts = [mount["mountPath"] for mount in larder["volumeMounts"]]
            for name in chosen:
                volume = volumes[name]
                needed = [volume["path"], volume.get("events", volume["path"])]
                if "socket" in volume:
                    needed.append(volume["socket"].removeprefix("unix://"))
                    if "podman" not in [each["name"] for each in pod.get("initContainers", [])]:
                        yield f"{topology}: {thing['metadata']['name']} looks at {name} and has no Podman"
                for path in needed:
                    if not any(path == mount or path.startswith(mount + "/") for mount in mounts):
                        yield f"{topology}: {thing['metadata']['name']} looks at {name} and does not mount {path}"
                seen.add(name)
        if seen != set(volumes):
            yield f"{topology}: no doctor looks at {sorted(set(volumes) - seen)}"


def secrets(deploy, guide):
    """Each secret that something mounts has a row with its keys."""
    values = yaml.safe_load((deploy / "gitlab-runner/values.yaml").read_text())
    wanted = {values["runners"]["secret"]: ["runner-token", "runner-registration-token"],
              "registry-credentials": [".dockerconfigjson"], "registry-ca": ["ca.crt"], "gitlab-ca": [".crt"]}
    for name, keys in wanted.items():
        row = next((line for line in guide.splitlines() if line.startswith(f"| `{name}`")), "")
        for key in keys:
            if key not in row:
                yield f"the guide does not say that {name} has the key {key}"


def uninstalled(guide, objects):
    """The one command that removes everything but the caches names every kind that there is."""
    command = next(text for text in re.findall(r"`(kubectl delete [^`]+)`", guide) if "part-of" in text)
    kinds = set(command.split()[2].split(","))
    kept = {"Namespace", "PersistentVolumeClaim"}
    for kind in sorted({thing["kind"] for thing in objects} - kept):
        if kind.lower() not in kinds:
            yield f"uninstalling leaves the {kind}"


def main(deploy):
    found = list(problems(deploy))
    for problem in found:
        print(f"guide: {problem}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
