#!/usr/bin/env python3
"""Checks that the runner gets the rights it needs, in the namespace of its jobs, and no others.

    runner_rights.py RENDERED deploy/gitlab-runner

What it needs is written down here a second time, from GitLab's documentation of the Kubernetes executor ("Configure
runner API permissions", 19.3): with no condition, or with one that config.toml fulfils.
"""

import sys
import tomllib
from pathlib import Path

import yaml

NEEDED = {
    "pods": "create delete get list watch", "pods/attach": "create delete get patch", "pods/exec": "create delete get patch",
    "pods/log": "get list", "secrets": "create delete get update", "serviceaccounts": "get", "services": "create get",
    "events": "list watch",
}


def problems(objects, values, runner):
    """Where rights, account and configuration disagree."""
    names = {(thing["kind"], thing["metadata"].get("namespace"), thing["metadata"]["name"]): thing for thing in objects}
    for kind, *_ in names:
        if kind.startswith("Cluster"):
            yield f"a {kind}"
    jobs = runner["kubernetes"]["namespace"]
    account = values["serviceAccount"]
    if values["rbac"]["create"] or account["create"]:
        yield "the chart makes rights of its own"
    place = next((space for kind, space, name in names if kind == "ServiceAccount" and name == account["name"]), None)
    role = names.get(("Role", jobs, "gitlab-runner"))
    binding = names.get(("RoleBinding", jobs, "gitlab-runner"))
    if not place or not role or not binding:
        yield f"no account, Role or RoleBinding in {jobs}"
        return
    if binding["subjects"] != [{"kind": "ServiceAccount", "name": account["name"], "namespace": place}]:
        yield f"the rights are those of {binding['subjects']}"
    given = {resource: " ".join(sorted(rule["verbs"])) for rule in role["rules"] for resource in rule["resources"]}
    if given != NEEDED or any(rule["apiGroups"] != [""] for rule in role["rules"]):
        yield f"the rights are {given}"


def main(rendered, folder):
    objects = list(yaml.safe_load_all(Path(rendered).read_text()))
    values = yaml.safe_load((Path(folder) / "values.yaml").read_text())
    runner = tomllib.loads((Path(folder) / "config.toml").read_text())["runners"][0]
    found = list(problems(objects, values, runner))
    for problem in found:
        print(f"runner: {problem}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
