#!/usr/bin/env python3
"""Writes seccomp.json, the profile of the Podman container, for a node's seccomp directory.

    flatten_seccomp.py            writes seccomp.json beside this script
    flatten_seccomp.py --check    exit code 1 where that file is not what would be written

The source is the profile of containers-common (Debian 12: package
golang-github-containers-common 0.50.1). Its rules depend on architecture and capabilities
through `includes` and `excludes`, which Podman resolves itself; the kubelet hands a profile to
containerd as plain OCI JSON, where those keys are ignored and a rule would apply always. So they
are resolved here: for amd64 and arm64, and for the capabilities of a Podman in a user namespace.
"""

import json
import sys
from pathlib import Path

SOURCE = Path("/usr/share/containers/seccomp.json")
TARGET = Path(__file__).resolve().with_name("seccomp.json")
ARCHES = {"amd64", "x86", "x32", "arm64", "arm"}
# What Podman may do within its own user namespace, where it has these capabilities. Not in the list, and so
# refused: SYS_ADMIN's bpf and perf_event_open, SYS_MODULE, SYS_TIME, SYS_RAWIO, SYS_PTRACE.
CAPABILITIES = {"CAP_SYS_CHROOT", "CAP_AUDIT_WRITE"}
# Of SYS_ADMIN's calls, those that reach no further than a namespace of the container's own.
NAMESPACED = ["setdomainname", "sethostname", "setns"]


def applies(rule):
    """Whether a rule holds for these architectures and capabilities."""
    includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
    if "arches" in includes and not ARCHES & set(includes["arches"]):
        return False
    if not set(includes.get("caps", [])) <= CAPABILITIES:
        return False
    return not (CAPABILITIES & set(excludes.get("caps", [])) or ARCHES & set(excludes.get("arches", [])))


def flatten(source):
    """The OCI profile: only keys of the OCI runtime specification."""
    rules = []
    for rule in source["syscalls"]:
        if applies(rule):
            rules.append({key: rule[key] for key in ("names", "action", "errnoRet", "args") if rule.get(key)})
    rules.append({"names": NAMESPACED, "action": "SCMP_ACT_ALLOW"})
    allowed = {name for rule in rules if rule["action"] == "SCMP_ACT_ALLOW" and "args" not in rule
               for name in rule["names"]}
    for rule in rules:
        # A call that one rule allows and another refuses makes libseccomp give up on the whole profile.
        if rule["action"] == "SCMP_ACT_ERRNO":
            rule["names"] = [name for name in rule["names"] if name not in allowed]
    return {
        "defaultAction": source["defaultAction"],
        "defaultErrnoRet": source["defaultErrnoRet"],
        "architectures": [
            "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM",
        ],
        "syscalls": rules,
    }


def main():
    text = json.dumps(flatten(json.loads(SOURCE.read_text())), indent=2) + "\n"
    if sys.argv[1:] == ["--check"]:
        if TARGET.read_text() != text:
            sys.exit(f"{TARGET.name} does not follow from {SOURCE}: run {Path(__file__).name}")
    else:
        TARGET.write_text(text)


if __name__ == "__main__":
    main()
