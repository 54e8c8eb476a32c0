#!/usr/bin/env python3
"""Runs prepare.sh of the DaemonSet `larder-node` on directories in place of nodes.

    prepare.py DEPLOY

AppArmor's parser is stood in for by a script that refuses what version 3 refuses (seen with 3.0.8: "Could not open
'abi/4.0'"); needs root, for a device node.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PARSER = """#!/bin/sh
profile=$(cat)
case $profile in
*"abi <abi/4.0>"*) [ "$VERSION" -ge 4 ] || { echo "Could not open 'abi/4.0'" >&2; exit 1; } ;;
esac
echo "$profile" > "$LOADED"
"""
# `chroot HOST PARSER ARGUMENTS`: the stand-in does not live in the node's directory.
CHROOT = '#!/bin/sh\nshift 2\nexec "$PARSER_PROGRAM" "$@"\n'


def node(work, name, apparmor=None, tun=True):
    """Prepares a node; gives the exit code, what was said, and which profile was loaded."""
    host = work / name
    (host / "var/lib/kubelet").mkdir(parents=True)
    (host / "dev/net").mkdir(parents=True)
    if tun:
        os.mknod(host / "dev/net/tun", 0o20666, os.makedev(10, 200))
    if apparmor:
        (host / "sys/module/apparmor/parameters").mkdir(parents=True)
        (host / "sys/module/apparmor/parameters/enabled").write_text("Y\n")
    env = {"PATH": f"{work}/bin:{os.environ['PATH']}", "HOST": str(host), "PROFILES": str(work / "profiles"),
           "PARSER_PROGRAM": str(work / "parser"), "LOADED": str(host / "loaded"), "VERSION": str(apparmor or 0)}
    result = subprocess.run(["sh", work / "profiles/prepare.sh"], env=env, capture_output=True, text=True, check=False)
    profile = (host / "loaded").read_text() if (host / "loaded").exists() else ""
    return result.returncode, result.stdout + result.stderr, profile, host / "var/lib/kubelet/seccomp/ci-cache/podman.json"


def main(deploy):
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
    failed = [each for each, holds in checks.items() if not holds]
    for each in failed:
        print(f"prepare.sh: not so: {each}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
