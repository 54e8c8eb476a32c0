#!/usr/bin/env python3
"""Makes the runner's configuration of each topology, as the guide's command does, and checks what comes out.

    runner_values.py DEPLOY DIRECTORY    writes DIRECTORY/TOPOLOGY[+COMPONENT…].toml

The settings come from the ConfigMap that Kustomize renders, through values.gotmpl by kubectl, into the values of a
chart by helm. GitLab's own chart is not at hand: a stand-in takes its place that does with `runners.config` what that
one does, `tpl (toYaml .Values.runners.config) $`. Every release of the guide is made, the one of a further pool and that of
trusted jobs too: each has a secret and slots of its own. A setting that there is not is refused by its name.
"""

import json
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
                                "  secret: {{ .Values.runners.secret | quote }}\n  environment: {{ .Values.envVars | toJson | quote }}\n"
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
    ("readonly-store", ["registry-credentials", "registry-ca", "settings"], {"registryCaHost2": "second.corp.example:5000"}),
]
# A job's own settings, each by what it becomes in the runner's file; none of these values is shipped.
JOB_SETTINGS = {
    "cpuRequest": ("2", "cpu_request", "2"), "cpuLimit": ("3", "cpu_limit", "3"), "memoryRequest": ("5Gi", "memory_request", "5Gi"),
    "memoryLimit": ("6Gi", "memory_limit", "6Gi"), "storageLimit": ("7Gi", "ephemeral_storage_limit", "7Gi"),
    "serviceCpuRequest": ("8", "service_cpu_request", "8"), "serviceCpuLimit": ("9", "service_cpu_limit", "9"),
    "serviceMemoryRequest": ("11Gi", "service_memory_request", "11Gi"), "serviceMemoryLimit": ("12Gi", "service_memory_limit", "12Gi"),
    "serviceStorageLimit": ("13Gi", "service_ephemeral_storage_limit", "13Gi"),
    "helperImage": ("registry.corp.example/helper:1", "helper_image", "registry.corp.example/helper:1"),
    "jobImage": ("registry.corp.example/job:1", "image", "registry.corp.example/job:1"),
    "nodeTolerations": ("ci=jobs:NoSchedule, spot:NoExecute", "node_tolerations", {"ci=jobs": "NoSchedule", "spot": "NoExecute"}),
    "podAnnotations": ("a.example/b=c=d, e=", "pod_annotations", {"a.example/b": "c=d", "e": ""}),
}
# Settings that are refused, and the word that says why.
REFUSED = [({"nodeToleration": "a:NoSchedule"}, "no setting nodeToleration"), ({"nodeTolerations": "a:NoSchdule"}, "a:NoSchdule does not end"),
           ({"memory_limit": "8Gi", "cpulimit": "2"}, "no setting cpulimit, memory_limit")]
# Files of values that come after the settings, by what they are for.
TRUSTED = "gitlab-runner/trusted.yaml"


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


def runner(deploy, folder, objects, *more):
    """The chart's ConfigMap: address, number of jobs and the runner's file; `more` are files of values that come last."""
    settings = next(thing for thing in objects if thing["kind"] == "ConfigMap" and thing["metadata"]["name"].startswith("larder-runner"))
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    values = run("kubectl", "annotate", "--local", f"--filename={folder}/settings.yaml", "read=yes",
                 f"--output=go-template-file={deploy}/gitlab-runner/values.gotmpl")
    for name, text in CHART.items():
        path = folder / "chart" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    rendered = run("helm", "template", "runner", folder / "chart", f"--values={deploy}/gitlab-runner/values.yaml",
                   "--values=-", *(f"--values={deploy}/{name}" for name in more), text=values)
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
    account = next(thing for thing in objects if thing["kind"] == "ServiceAccount" and thing["metadata"]["name"] == pods["service_account"])
    # Those of the account count where the pod has none, and the runner gives it some (executors/kubernetes, prepareCredentials).
    if [each["name"] for each in account.get("imagePullSecrets") or []] != pods.get("image_pull_secrets", []):
        yield f"the account pulls with {account.get('imagePullSecrets')}, a job's pod with {pods.get('image_pull_secrets')}"
    trusted = {json.dumps(volume["configMap"].get("items"), sort_keys=True) for thing in objects if thing["kind"] == "CronJob"
               for volume in thing["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"] if volume["name"] == "registry-ca"}
    if trusted != {json.dumps(volume["configMap"]["items"], sort_keys=True) for volume in volumes if volume["name"] == "registry-ca"}:
        yield f"Larder trusts the registries {trusted}, and jobs others"
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


def releases(deploy, directory):
    """Releases of the guide that GitLab, or Kubernetes, takes for one."""
    guide = (deploy / "README.md").read_text()
    for topology in ("slots", "slots-4", "shared", "readonly-store"):
        made = {}
        for name, further, more in (("runner", {}, []), ("runner-b", {"pool": "b", "suffix": "-b"}, []), ("runner-trusted", {}, [TRUSTED])):
            example = yaml.safe_load((deploy / ("example-pool-b" if further else "example") / "kustomization.yaml").read_text())
            literals = next(each for each in example["configMapGenerator"] if each["name"] == "larder-runner")["literals"]
            settings = dict(line.split("=", 1) for line in literals) | further
            settings.pop("concurrent")
            components = [] if further else ["trusted-build-cache"]
            with tempfile.TemporaryDirectory() as work:
                objects = render(deploy, Path(work), topology, [*components, "settings"], settings)
                _, chart = runner(deploy, Path(work), objects, *more)
            pods = tomllib.loads(chart["config.template.toml"])["runners"][0]["kubernetes"]
            single = {thing["metadata"]["name"] for thing in objects if thing["kind"] == "PersistentVolumeClaim"
                      and thing["spec"]["accessModes"] == ["ReadWriteOncePod"]}
            claims = {each["name"].replace("$CI_CONCURRENT_ID", str(slot)) for each in pods["volumes"]["pvc"] for slot in range(int(chart["concurrent"]))}
            made[name] = (chart["secret"], claims & single)
            cache = next(each for each in pods["volumes"]["pvc"] if each["mount_path"] == "/cache")
            if cache.get("read_only", False) != (bool(components) and not more):
                yield f"{topology}: the release {name} has the build cache as {cache}"
            stores = [each for each in pods["volumes"]["pvc"] if each["mount_path"] == "/podman-data" and not each.get("read_only")]
            if more and stores:
                yield f"{topology}: images that any job can have changed are run by trusted ones, from {stores}"
            if f"| `{chart['secret']}`" not in guide and f", `{chart['secret']}` |" not in guide:
                yield f"{topology}: the guide has no row for the secret {chart['secret']} of {name}"
            if more:
                write(directory, f"{topology}+trusted", chart)
        for first, (secret, slots) in made.items():
            for second, (other, others) in made.items():
                if first < second and secret == other:
                    yield f"{topology}: {first} and {second} have the secret {secret}"
                if first < second and slots & others:
                    yield f"{topology}: a job of {first} and one of {second} wait for {slots & others}"
    if TRUSTED not in guide:
        yield f"the guide does not name {TRUSTED}"


def own(deploy, directory):
    """Settings of a job that do not reach its pod, or that are no settings and are taken."""
    with tempfile.TemporaryDirectory() as work:
        objects = render(deploy, Path(work), "shared", ["settings"], {key: given for key, (given, *_) in JOB_SETTINGS.items()})
        _, chart = runner(deploy, Path(work), objects)
    write(directory, "shared+own", chart)
    pods = tomllib.loads(chart["config.template.toml"])["runners"][0]["kubernetes"]
    for key, (given, name, wanted) in JOB_SETTINGS.items():
        if pods.get(name) != wanted:
            yield f"{key}={given} gives {name} = {pods.get(name)}"
    for settings, word in REFUSED:
        with tempfile.TemporaryDirectory() as work:
            objects = render(deploy, Path(work), "shared", ["settings"], settings)
            try:
                runner(deploy, Path(work), objects)
            except SystemExit as refusal:
                if word not in str(refusal):
                    yield f"{settings} ends in other words: {refusal}"
            else:
                yield f"{settings} is taken"


def write(directory, name, chart):
    """The runner's file as it is once registered; gives its text without that."""
    text = chart["config.template.toml"].replace(
        "[[runners]]\n", f'[[runners]]\n  name = "kubernetes-podman-runner"\n  url = "{chart["url"]}"\n  token = "glrt-REPLACE"\n', 1)
    (directory / f"{name}.toml").write_text(f"concurrent = {chart['concurrent']}\n{text}")
    return text


def main(deploy, directory):
    failed = False
    for problem in [*releases(deploy, directory), *own(deploy, directory)]:
        print(f"runner: {problem}")
        failed = True
    for overlay, components, settings in VARIANTS:
        name = "+".join([overlay, *(each.replace("/", "-") for each in components)])
        with tempfile.TemporaryDirectory() as work:
            objects = render(deploy, Path(work), overlay, components, settings)
            used, chart = runner(deploy, Path(work), objects)
        for problem in problems(objects, used, chart):
            print(f"runner of {name}: {problem}")
            failed = True
        text = write(directory, name, chart)
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
