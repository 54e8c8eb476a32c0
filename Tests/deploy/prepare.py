#!/usr/bin/env python3
"""Runs prepare.sh of the DaemonSet `larder-node` on directories in place of nodes.

    prepare.py DEPLOY

AppArmor's parser is stood in for by a script that refuses what version 3 refuses (seen with 3.0.8: "Could not open
'abi/4.0'"). The DaemonSet's mounts are made as a runtime makes them, on a tree with file systems of its own in it: what can
be written there is what prepare.yaml says. Needs root, for a device node and mounts.
"""

import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

PARSER = """#!/bin/sh
profile=$(cat)
case $profile in
*"abi <abi/4.0>"*) [ "$VERSION" -ge 4 ] || { echo "Could not open 'abi/4.0'" >&2; exit 1; } ;;
esac
echo "$profile" > "$LOADED"
"""
# `chroot HOST PARSER ARGUMENTS`: the stand-in does not live in the node's directory.
CHROOT = '#!/bin/sh\nshift 2\nexec "$PARSER_PROGRAM" "$@"\n'


def node(work, name, apparmor=None, tun=True, host=None):
    """Prepares a node, which a container may see elsewhere; gives the exit code, what was said, and which profile was loaded."""
    place = work / name
    host = host or place
    for path in ("var/lib/kubelet", "dev/net", "sys/module/apparmor/parameters", "sys/kernel/security"):
        (place / path).mkdir(parents=True, exist_ok=True)
    if tun:
        os.mknod(place / "dev/net/tun", 0o20666, os.makedev(10, 200))
    if apparmor:
        (place / "sys/module/apparmor/parameters/enabled").write_text("Y\n")
    # Where the kernel takes profiles.
    loaded = host / "sys/kernel/security/.replace"
    env = {"PATH": f"{work}/bin:{os.environ['PATH']}", "HOST": str(host), "PROFILES": str(work / "profiles"),
           "PARSER_PROGRAM": str(work / "parser"), "LOADED": str(loaded), "VERSION": str(apparmor or 0)}
    result = subprocess.run(["sh", work / "profiles/prepare.sh"], env=env, capture_output=True, text=True, check=False)
    profile = loaded.read_text() if loaded.exists() else ""
    return result.returncode, result.stdout + result.stderr, profile, host / "var/lib/kubelet/seccomp/ci-cache/podman.json"


LIBRARY = ctypes.CDLL(None, use_errno=True)
# linux/sched.h, linux/mount.h; the number of mount_setattr is the same on all processors.
CLONE_NEWNS, MOUNT_SETATTR, MOUNT_ATTR_RDONLY, AT_RECURSIVE, AT_FDCWD = 0x20000, 442, 1, 0x8000, -100


def read_only(path, recursive):
    """Makes a mount read-only, as runc and crun do: with or without what is mounted below it."""
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY, 0, 0, 0)
    if LIBRARY.syscall(MOUNT_SETATTR, AT_FDCWD, str(path).encode(), AT_RECURSIVE if recursive else 0, attributes, 32) != 0:
        raise OSError(ctypes.get_errno(), f"mount_setattr of {path}")


def mounted(work, name, deploy, knows_recursive):
    """A container's /host of a node whose /var, /home and /sys/kernel/security are file systems of their own."""
    node, container = work / name, work / f"{name}-container"
    for path in ("", "var", "home", "sys/kernel/security"):
        (node / path).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", node / path], check=True)
    (node / "var/lib/kubelet").mkdir(parents=True)
    pod = next(yaml.safe_load_all((deploy / "node/prepare.yaml").read_text()))["spec"]["template"]["spec"]
    sources = {volume["name"]: volume["hostPath"] for volume in pod["volumes"] if "hostPath" in volume}
    for mount in sorted(pod["initContainers"][0]["volumeMounts"], key=lambda each: len(each["mountPath"])):
        if mount["name"] not in sources:
            continue
        source, target = node / sources[mount["name"]]["path"][1:], container / mount["mountPath"][1:]
        if sources[mount["name"]]["type"] == "DirectoryOrCreate":
            source.mkdir(exist_ok=True)
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--rbind", source, target], check=True)
        if mount.get("readOnly"):
            read_only(target, knows_recursive and mount.get("recursiveReadOnly") == "IfPossible")
    return node, container / "host"


def writable(host):
    """The directories of that node which can be written."""
    return {path for path in ("", "var", "home", "sys/kernel/security", "var/lib/kubelet/seccomp") if os.access(host / path, os.W_OK)}


def main(deploy):
    if LIBRARY.unshare(CLONE_NEWNS) != 0:
        sys.exit("prepare.py: no mount namespace: needs root")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "profiles").mkdir()
        (work / "bin").mkdir()
        sidecar = deploy / "podman-sidecar"
        for source, target in (("seccomp.json", "podman.json"), ("apparmor.profile", "apparmor.profile"),
                               ("apparmor3.profile", "apparmor3.profile"), ("prepare.sh", "prepare.sh")):
            (work / "profiles" / target).write_text((sidecar / source).read_text())
        for path, text in ((work / "parser", PARSER), (work / "bin/chroot", CHROOT)):
            path.write_text(text)
            path.chmod(0o755)
        code, said, profile, seccomp = node(work, "plain")
        checks = {"a node without AppArmor": code == 0 and "take the component no-apparmor" in said and profile == "",
                  "the seccomp profile is there": seccomp.read_text() == (sidecar / "seccomp.json").read_text()}
        code, _, profile, _ = node(work, "new", apparmor=4)
        checks["AppArmor 4 takes the newer profile"] = code == 0 and "userns," in profile
        code, _, profile, _ = node(work, "old", apparmor=3)
        checks["AppArmor 3 takes the older one"] = code == 0 and "userns," not in profile and "profile ci-cache-podman" in profile
        code, said, _, _ = node(work, "bare", tun=False)
        checks["a node without tun is not ready, and says so"] = code != 0 and "modprobe tun" in said
        own = {"sys/kernel/security", "var/lib/kubelet/seccomp"}
        _, host = mounted(work, "whole", deploy, True)
        checks["what the DaemonSet mounts can be written in two places"] = writable(host) == own
        code, said, profile, seccomp = node(work, "whole", apparmor=4, host=host)
        checks["they are those that it needs"] = code == 0 and "userns," in profile and seccomp.exists()
        _, host = mounted(work, "older", deploy, False)
        checks["a runtime that knows no recursion leaves what is mounted below"] = writable(host) == own | {"var", "home"}
        subprocess.run(["umount", "--recursive", work / "whole-container/host", work / "whole", work / "older-container/host", work / "older"], check=True)
    failed = [each for each, holds in checks.items() if not holds]
    for each in failed:
        print(f"prepare.sh: not so: {each}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
