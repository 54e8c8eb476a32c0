#!/usr/bin/env python3
"""Replays Pod Security's own rules, of each Kubernetes from 1.33 to 1.36, on all pods of the deployment.

    pod_security.py RENDERED…               pods of rendered manifests, against what their namespace enforces
    pod_security.py --jobs DIRECTORY TOML…  pods that the runner makes of its files; writes them as DIRECTORY/NAME.yaml

The rules are written down here from the sources (staging/src/k8s.io/pod-security-admission/policy, 1.36): a pod that
passes here and is refused by a cluster is a fault of this file. That they can refuse is checked each time on pods
that must be.
"""

import copy
import sys
import tomllib
from pathlib import Path

import yaml

VERSIONS = [33, 34, 35, 36]
CAPABILITIES = {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
                "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
SELINUX = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"}
SYSCTLS = {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
           "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
           "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
           "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}


def containers(pod):
    """Each container with its security context."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(kind) or []:
            yield container["name"], container, container.get("securityContext") or {}


def baseline(pod, version):
    """What the level "baseline" of 1.VERSION refuses."""
    whole = pod.get("securityContext") or {}
    own_users = pod.get("hostUsers") is False
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            yield key
    for volume in pod.get("volumes") or []:
        if "hostPath" in volume:
            yield f"hostPath {volume['name']}"
    for each in whole.get("sysctls") or []:
        if each["name"] not in SYSCTLS:
            yield f"sysctl {each['name']}"
    for name, context in [("the pod", whole), *((name, context) for name, _, context in containers(pod))]:
        if (context.get("seccompProfile") or {}).get("type") == "Unconfined":
            yield f"seccomp of {name}"
        if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
            yield f"AppArmor of {name}"
        options = context.get("seLinuxOptions") or {}
        if options.get("type") not in SELINUX or options.get("user") or options.get("role"):
            yield f"SELinux of {name}"
    for name, container, context in containers(pod):
        if context.get("privileged"):
            yield f"privileged {name}"
        added = set((context.get("capabilities") or {}).get("add") or [])
        if not added <= CAPABILITIES:
            yield f"capabilities of {name}: {added - CAPABILITIES}"
        if any(port.get("hostPort") for port in container.get("ports") or []):
            yield f"host port of {name}"
        # check_procMount_baseline.go: the exception for user namespaces is the policy's of 1.35.
        if context.get("procMount") not in (None, "Default") and not (own_users and version >= 35):
            yield f"procMount of {name}"
        probes = [container.get(key) or {} for key in ("livenessProbe", "readinessProbe", "startupProbe")]
        if version >= 34 and any((probe.get(kind) or {}).get("host") for probe in probes for kind in ("httpGet", "tcpSocket")):
            yield f"host of a probe of {name}"


def restricted(pod, version):
    """What the level "restricted" of 1.VERSION refuses."""
    yield from baseline(pod, version)
    whole = pod.get("securityContext") or {}
    relaxed = version >= 35 and pod.get("hostUsers") is False
    for volume in pod.get("volumes") or []:
        if not VOLUMES & set(volume):
            yield f"volume {volume['name']}"
    if whole.get("runAsUser") == 0 and not relaxed:
        yield "runAsUser of the pod"
    for name, _, context in containers(pod):
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"privilege escalation of {name}"
        if not relaxed and not context.get("runAsNonRoot", whole.get("runAsNonRoot")):
            yield f"runAsNonRoot of {name}"
        if not relaxed and context.get("runAsUser") == 0:
            yield f"runAsUser of {name}"
        if (context.get("seccompProfile") or whole.get("seccompProfile") or {}).get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"seccomp of {name}"
        capabilities = context.get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or []) or not set(capabilities.get("add") or []) <= {"NET_BIND_SERVICE"}:
            yield f"capabilities of {name}"
        # check_procMount_restricted.go: no exception at this level.
        if context.get("procMount") not in (None, "Default"):
            yield f"procMount of {name}"


LEVELS = {"baseline": baseline, "restricted": restricted, "privileged": lambda pod, version: ()}
KEYS = {"containers": "name", "initContainers": "name", "volumes": "name", "volumeMounts": "mountPath", "env": "name"}


def merge(value, patch, key=None):
    """Kubernetes' strategic merge, as far as a pod's patches here go."""
    if isinstance(patch, dict) and isinstance(value, dict):
        for name, change in patch.items():
            if change is None:
                value.pop(name, None)
            else:
                value[name] = merge(value.get(name), change, name)
        return value
    if isinstance(patch, list) and isinstance(value, list) and key in KEYS:
        for change in patch:
            same = next((each for each in value if each[KEYS[key]] == change[KEYS[key]]), None)
            if same is None:
                value.append(copy.deepcopy(change))
            else:
                merge(same, change)
        return value
    return copy.deepcopy(patch)


def camel(name):
    """`run_as_user` as `runAsUser`."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def context(table):
    """A security context of the runner's file as the runner writes it into the pod."""
    made = {}
    for key, value in table.items():
        if key == "selinux_type":
            made["seLinuxOptions"] = {"type": value}
        elif key in ("seccomp_profile", "app_armor_profile"):
            made["seccompProfile" if key[0] == "s" else "appArmorProfile"] = {camel(name): each for name, each in value.items()}
        elif key == "proc_mount":
            made["procMount"] = value.title()
        else:
            made[camel(key)] = value
    return made


def job_pod(runner, slot=0):
    """The pod of a job, from the runner's file (executors/kubernetes/kubernetes.go, 19.3), patches included."""
    table = runner["kubernetes"]
    volumes, mounts = [], []
    for kind, list_ in table["volumes"].items():
        for each in list_:
            name = each["name"].replace("$CI_CONCURRENT_ID", str(slot))
            volume = {"name": name}
            if kind == "pvc":
                volume["persistentVolumeClaim"] = {"claimName": name}
            elif kind == "empty_dir":
                volume["emptyDir"] = {key: each[old] for key, old in (("medium", "medium"), ("sizeLimit", "size_limit")) if old in each}
            else:
                volume["configMap"] = {"name": name, "items": [{"key": key, "path": path} for key, path in each.get("items", {}).items()]}
            volumes.append(volume)
            mounts.append({"name": name, "mountPath": each["mount_path"], "readOnly": each.get("read_only", False)})
    service = table["services"][0]

    def container(name, image, kind, prefix, **more):
        made = context(table.get(f"{kind}_container_security_context", {}))
        made.setdefault("allowPrivilegeEscalation", table["allow_privilege_escalation"])
        made.setdefault("privileged", table["privileged"])
        sizes = {part: {resource.replace("_", "-"): table[f"{prefix}{resource}_{part[:-1]}"]
                        for resource in ("cpu", "memory", "ephemeral_storage") if f"{prefix}{resource}_{part[:-1]}" in table}
                 for part in ("requests", "limits")}
        return {"name": name, "image": image, "securityContext": made, "resources": sizes, "volumeMounts": copy.deepcopy(mounts), **more}

    environment = [dict(zip(("name", "value"), line.split("=", 1))) for line in service["environment"]]
    pod = {
        "automountServiceAccountToken": table["automount_service_account_token"],
        "serviceAccountName": table["service_account"], "priorityClassName": table["priority_class_name"],
        "nodeSelector": table["node_selector"], "restartPolicy": "Never",
        "securityContext": context(table["pod_security_context"]), "volumes": volumes,
        "containers": [
            container("build", table["image"], "build", ""), container("helper", "helper", "helper", "helper_"),
            container(service["alias"], service["name"], "service", "service_", env=environment,
                      command=service["entrypoint"], args=service["command"])],
    }
    for patch in table["pod_spec"]:
        pod = merge(pod, yaml.safe_load(patch["patch"]))
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "job", "namespace": table["namespace"], "labels": table["pod_labels"]},
            "spec": pod}


def enforced(objects):
    """What each namespace enforces. That of a further pool is in the first one's manifests."""
    return {"ci": "baseline"} | {thing["metadata"]["name"]: thing["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce", "privileged")
            for thing in objects if thing["kind"] == "Namespace"}


def pods(objects):
    """Each pod of the manifests, by the name of what makes it."""
    for thing in objects:
        spec = thing.get("spec") or {}
        template = spec.get("jobTemplate", {}).get("spec", {}).get("template") or spec.get("template")
        if template:
            yield f"{thing['kind']} {thing['metadata']['name']}", thing["metadata"].get("namespace"), template["spec"]


def self_test(pod):
    """That each rule can refuse: pods that differ from a good one in one point."""
    bad = {
        "hostPath": {"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}, "hostNetwork": {"hostNetwork": True},
        "procMount": {"containers": [{"name": "build", "securityContext": {"procMount": "Unmasked"}}], "hostUsers": True},
        "privileged": {"containers": [{"name": "build", "securityContext": {"privileged": True}}]},
        "capabilities": {"containers": [{"name": "build", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]},
        "seccomp": {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
        "SELinux": {"securityContext": {"seLinuxOptions": {"type": "spc_t"}}},
    }
    return [name for name, patch in bad.items()
            if not any(name in refusal for refusal in baseline(merge(copy.deepcopy(pod), patch), 36))]


def check_manifests(files):
    for file in files:
        objects = [thing for thing in yaml.safe_load_all(Path(file).read_text()) if thing]
        levels = enforced(objects)
        for name, namespace, pod in pods(objects):
            for version in VERSIONS:
                refused = list(LEVELS[levels.get(namespace, "privileged")](pod, version))
                # The preflight's pod is refused where a job's would be: that is what it is for.
                is_preflight = "larder-preflight" in name and not Path(file).stem.startswith("adapted")
                expected = ["procMount of podman"] if is_preflight and version < 35 else []
                if refused != expected:
                    yield f"{Path(file).stem}: {name} on 1.{version}: {refused}, not {expected}"


def check_jobs(folder, files):
    for file in files:
        name = Path(file).stem
        pod = job_pod(tomllib.loads(Path(file).read_text())["runners"][0])
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(pod))
        for rule in self_test(pod["spec"]):
            yield f"the rule on {rule} refuses nothing"
        # An unmasked /proc is why job pods are refused before 1.35, and the component why they are not.
        for version in VERSIONS:
            refused = list(baseline(pod["spec"], version))
            expected = ["procMount of podman"] if version < 35 and "before-1.35" not in name else []
            if refused != expected:
                yield f"job pod of {name} on 1.{version}: {refused}, not {expected}"


def main():
    words = sys.argv[1:]
    found = list(check_jobs(Path(words[1]), words[2:]) if words[0] == "--jobs" else check_manifests(words))
    for problem in found:
        print(problem)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
