#!/usr/bin/env python3
"""Checks the commands of deploy/README.md against what they name.

    guide.py DEPLOY

No cluster is asked: every path, manifest, CronJob, Deployment, Service, secret and container that a command names has
to be there in what the command would apply, as it is rendered, and every `larder` command line has to be one. What a
command prints, and that its pods do what they should, is run by play.py, topologies.py and runner_values.py.
"""

import re
import subprocess
import sys
from pathlib import Path

import yaml



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
    names = {(thing["kind"], thing["metadata"]["name"]) for thing in mine + shared}
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
            path = re.match(r"(deploy/[\w./-]+)", word)
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
            real = {"daemonset": "DaemonSet", "deployment": "Deployment", "deploy": "Deployment", "service": "Service",
                    "cronjob": "CronJob", "configmap": "ConfigMap"}[kind]
            if kind == "deploy" and f"exec deploy/{name}" not in command:
                continue
            if (real, name) not in names and not name.endswith("-b"):
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
    yield from secrets(deploy, guide)
    yield from uninstalled(guide, mine)


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
