#!/usr/bin/env python3
"""Makes the runner's configuration of each topology, as the guide's command does, and checks what comes out.

    runner_values.py DEPLOY DIRECTORY    writes DIRECTORY/TOPOLOGY[+COMPONENT…].toml

The settings come from the ConfigMap that Kustomize renders, through values.gotmpl by kubectl, into the values of a
chart by helm. GitLab's own chart is not at hand: a stand-in takes its place that does with `runners.config` what that
one does, `tpl (toYaml .Values.runners.config) $`.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

import pod_security

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: gitlab-runner\nversion: 0.0.0\n",
    "templates/configmap.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: runner}\ndata:\n"
                                "  url: {{ .Values.gitlabUrl | quote }}\n  concurrent: {{ .Values.concurrent | quote }}\n"
                                "  config.template.toml: {{ tpl (toYaml .Values.runners.config) $ | indent 2 }}\n",
}
# What is rendered beside each overlay as it is: components, and settings of a user's own.
VARIANTS = [
    ("shared", [], {}), ("slots", [], {}), ("slots-4", [], {}), ("slots-8", [], {}), ("readonly-store", [], {}),
    ("overlay-store", [], {}), ("daemon", [], {}),
    ("shared", ["before-1.35", "no-apparmor"], {}),
    ("readonly-store", ["before-1.35/readonly", "overlay-store/readonly", "job-policy"], {}),
    ("slots", ["selinux", "no-apparmor", "registry-credentials", "registry-ca", "mirror", "proxy", "settings"],
     {"pool": "b", "suffix": "-b", "gitlabUrl": "https://gitlab.corp.example", "registryCaHost": "registry.corp.example",
      "proxy": "http://proxy.corp.example:3128", "noProxy": ".svc,.corp.example,10.0.0.0/8"}),
]


def run(*command, text=None):
    """What a command prints; ends the check with its words where it fails."""
    result = subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {result.stderr}")
    return result.stdout


def render(deploy, folder, overlay, components, settings):
    """The objects of a user's kustomization."""
    user = folder / "user"
    user.mkdir()
    # Kustomize takes no absolute path.
    root = "../" * len(user.resolve().parts[1:]) + str(deploy)[1:]
    user.joinpath("kustomization.yaml").write_text(yaml.safe_dump({
        "resources": [f"{root}/overlays/{overlay}"],
        "components": [f"{root}/components/{name}" for name in components],
        "nameSuffix": settings.get("suffix", ""),
        "configMapGenerator": [{"name": "larder-runner", "namespace": "ci", "behavior": "merge",
                                "literals": [f"{key}={value}" for key, value in settings.items()]}],
    }))
    return list(yaml.safe_load_all(run("kubectl", "kustomize", user)))


def runner(deploy, folder, objects):
    """The chart's ConfigMap: address, number of jobs and the runner's file."""
    settings = next(thing for thing in objects if thing["kind"] == "ConfigMap" and thing["metadata"]["name"].startswith("larder-runner"))
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    values = run("kubectl", "annotate", "--local", f"--filename={folder}/settings.yaml", "read=yes",
                 f"--output=go-template-file={deploy}/gitlab-runner/values.gotmpl")
    for name, text in CHART.items():
        path = folder / "chart" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    rendered = run("helm", "template", "runner", folder / "chart", f"--values={deploy}/gitlab-runner/values.yaml",
                   "--values=-", text=values)
    return settings["data"], yaml.safe_load(rendered)["data"]


def problems(objects, settings, chart):
    """Where the runner and the manifests disagree."""
    names = {(thing["kind"], thing["metadata"]["name"]) for thing in objects}
    config = tomllib.loads(chart["config.template.toml"])["runners"][0]
    pods = config["kubernetes"]
    if chart["url"] != settings["gitlabUrl"] or chart["concurrent"] != settings["concurrent"]:
        yield f"address and number of jobs are {chart['url']}, {chart['concurrent']}"
    patches = [yaml.safe_load(patch["patch"]) for patch in pods["pod_spec"]]
    volumes = [volume for patch in patches for volume in patch.get("volumes", [])]
    claims = [volume["name"] for volume in pods["volumes"]["pvc"]]
    claims += [each["persistentVolumeClaim"]["claimName"] for each in volumes if "persistentVolumeClaim" in each]
    for claim in claims:
        # Each slot's claim is there.
        for slot in range(int(chart["concurrent"])):
            if ("PersistentVolumeClaim", claim.replace("$CI_CONCURRENT_ID", str(slot))) not in names:
                yield f"no claim is called {claim} in slot {slot}"
    for kind, name in (("ServiceAccount", pods["service_account"]), ("PriorityClass", pods["priority_class_name"]),
                       *(("ConfigMap", each["name"]) for each in pods["volumes"].get("config_map", []))):
        if (kind, name) not in names and name != "registry-ca":
            yield f"no {kind} is called {name}"
    selectors = [thing["spec"]["jobTemplate"]["spec"]["template"]["spec"]["nodeSelector"]
                 for thing in objects if thing["kind"] == "CronJob"]
    if any(each != pods["node_selector"] for each in selectors):
        yield f"jobs run on {pods['node_selector']}, Larder on {selectors}"
    service = pods["services"][0]
    if pods["allowed_services"] != [service["name"]] or service["name"] != settings["podmanImage"]:
        yield f"of {service['name']} jobs may name {pods['allowed_services']}"
    files = {line.split("=", 1)[1].removeprefix("/etc/containers/") for line in service["environment"] if "CONF=/etc/containers/" in line}
    for name in files:
        if not (Path(sys.argv[1]) / "podman-sidecar" / name).exists():
            yield f"the sidecar's image has no {name}"
    pod = pod_security.job_pod(config)["spec"]
    levels = {(each.get("securityContext") or {}).get("seLinuxOptions", pod["securityContext"].get("seLinuxOptions", {})).get("level", "")
              for each in pod["containers"]}
    # A container's options take the place of the pod's: one without a level gets one of its own.
    if levels != {settings["seLinuxLevel"]}:
        yield f"under SELinux the containers of a job have the levels {levels}"
    if patches[0]["hostUsers"] is not False or config["feature_flags"]["FF_USE_ADVANCED_POD_SPEC_CONFIGURATION"] is not True:
        yield "job pods have the node's users"


def main(deploy, directory):
    failed = False
    for overlay, components, settings in VARIANTS:
        name = "+".join([overlay, *(each.replace("/", "-") for each in components)])
        with tempfile.TemporaryDirectory() as work:
            objects = render(deploy, Path(work), overlay, components, settings)
            used, chart = runner(deploy, Path(work), objects)
        for problem in problems(objects, used, chart):
            print(f"runner of {name}: {problem}")
            failed = True
        text = chart["config.template.toml"].replace(
            "[[runners]]\n", f'[[runners]]\n  name = "kubernetes-podman-runner"\n  url = "{chart["url"]}"\n  token = "glrt-REPLACE"\n', 1)
        (directory / f"{name}.toml").write_text(f"concurrent = {chart['concurrent']}\n{text}")
        if name == "shared":
            shipped = tomllib.loads((deploy / "gitlab-runner/config.toml").read_text())["runners"][0]
            made = tomllib.loads(text)["runners"][0]
            # Where the text stands in another file, its lines have another indent.
            for config in (shipped, made):
                config["pre_build_script"] = [line.strip() for line in config["pre_build_script"].splitlines()]
                config["kubernetes"]["pod_spec"] = [yaml.safe_load(patch["patch"]) for patch in config["kubernetes"]["pod_spec"]]
                config["name"] = config["token"] = config["url"] = ""
            if shipped != made:
                differing = [key for key in {**shipped["kubernetes"], **made["kubernetes"]}
                             if shipped["kubernetes"].get(key) != made["kubernetes"].get(key)]
                print(f"values.yaml and config.toml differ: {differing or [key for key in {**shipped, **made} if shipped.get(key) != made.get(key)]}")
                failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
