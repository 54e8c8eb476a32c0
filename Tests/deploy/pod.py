#!/usr/bin/env python3
"""Starts Podman as the sidecar's container would, with the shipped configuration and profile.

    pod.py            exit code 0 if it answers, has the whole range of user ids and keeps its records apart

A container of a pod is stood in for by mount, IPC, PID and network namespaces, uid 1001, the
capabilities SETUID and SETGID and no others, newuidmap with file capabilities, and the seccomp
filter of deploy/podman-sidecar/seccomp.json. It needs root, podman, uidmap, busybox-static,
python3-seccomp and setcap; it stays off every store but its own temporary one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

UID = 1001

# The pod's root is an overlay on this machine's, its changes in memory; a chroot would not do, since the kernel
# refuses user namespaces in one.
POD = """\
set -e
mount -t tmpfs -o mode=755 none "$POD"
mkdir "$POD/changes" "$POD/work" "$POD/root"
mount -t overlay -o "lowerdir=/,upperdir=$POD/changes,workdir=$POD/work" overlay "$POD/root"
cd "$POD/root"
mkdir -p sockets podman-data pod sys/fs/cgroup
cp "$SELF" pod/pod.py
cp "$SIDECAR/seccomp.json" pod
rm -rf etc/containers
mkdir etc/containers
cp "$SIDECAR"/containers.conf "$SIDECAR"/storage.conf "$SIDECAR"/registries.conf etc/containers
printf '{"default": [{"type": "insecureAcceptAnything"}]}' > etc/containers/policy.json
mount -t tmpfs none podman-data
mount -t tmpfs none sockets
mount -t tmpfs none tmp
chown 1001:1001 podman-data sockets tmp
mount -t proc none proc
mount --rbind /dev dev
mount -t tmpfs -o mode=1777 none dev/shm
mount -t sysfs none sys
mount -t cgroup2 none sys/fs/cgroup
pivot_root . mnt
umount -l /mnt
cd /
ip link set lo up
ulimit -n 4096
for tool in newuidmap newgidmap; do chmod u-s "/usr/bin/$tool"; done
setcap cap_setuid=ep /usr/bin/newuidmap
setcap cap_setgid=ep /usr/bin/newgidmap
sed -i '/^[^:]*:[^:]*:1001:/d' /etc/passwd
echo 'ci:x:1001:1001::/tmp:/bin/sh' >> /etc/passwd
echo "$SUBIDS" | tee /etc/subuid > /etc/subgid
# The shell stays: process 1 must reap, or Podman waits in vain for its monitors to end.
/usr/bin/python3 /pod/pod.py --inside &
wait $!
"""


def subordinate_ids(sidecar):
    """The lines of /etc/subuid that the sidecar's Containerfile writes."""
    written = (sidecar / "Containerfile").read_text().split("> /etc/subuid")[0]
    return "\n".join(re.findall(r"ci:\d+:\d+", written))


def confine():
    """Drops to the uid and capabilities of the container and installs the profile."""
    import seccomp

    profile = json.loads(Path("/pod/seccomp.json").read_text())
    actions = {"SCMP_ACT_ALLOW": seccomp.ALLOW}
    compare = {"SCMP_CMP_EQ": seccomp.EQ, "SCMP_CMP_NE": seccomp.NE}
    program = seccomp.SyscallFilter(seccomp.ERRNO(profile["defaultErrnoRet"]))
    program.set_attr(seccomp.Attr.CTL_NNP, 0)
    for rule in profile["syscalls"]:
        action = actions.get(rule["action"]) or seccomp.ERRNO(rule["errnoRet"])
        arguments = [seccomp.Arg(a["index"], compare[a["op"]], a["value"]) for a in rule.get("args", [])]
        for name in rule["names"]:
            if seccomp.resolve_syscall(seccomp.Arch(), name) >= 0:
                program.add_rule(action, name, *arguments)
    program.load()


DROP = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups",
        "--bounding-set=-all,+setuid,+setgid", "--inh-caps=-all"]


def become(command):
    """Goes on as the container's process: uid 1001 with what newuidmap needs, and no more."""
    os.execvp(DROP[0], [*DROP, *command])


def inside():
    """Process 1 of the pod: loads the profile as root, then runs the checks as uid 1001."""
    confine()
    drop = DROP
    env = {"HOME": "/tmp", "PATH": os.environ["PATH"], "TMPDIR": "/tmp"}
    env |= {f"CONTAINERS_{key}": f"/etc/containers/{key.removesuffix('_CONF').lower()}.conf"
            for key in ("STORAGE_CONF", "REGISTRIES_CONF")}
    env["CONTAINERS_CONF"] = "/etc/containers/containers.conf"

    def run(*command):
        result = subprocess.run([*drop, *command], env=env, cwd="/", capture_output=True, text=True, check=False)
        if result.returncode != 0:
            sys.exit(f"{' '.join(command)} failed ({result.returncode}):\n{result.stderr}")
        return result.stdout

    info = json.loads(run("podman", "info", "--format=json"))
    checks = {
        "driver vfs": info["store"]["graphDriverName"] == "vfs",
        "store on the volume": info["store"]["graphRoot"] == "/podman-data/storage",
        "a whole range of ids": sum(entry["size"] for entry in info["host"]["idMappings"]["uidmap"]) == 65535,
        "events to a file": info["host"]["eventLogger"] == "file",
        "seccomp for containers": info["host"]["security"]["seccompEnabled"],
    }
    root = Path("/tmp/image")
    (root / "bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin" / "busybox")
    (root / "bin" / "sh").symlink_to("busybox")
    (root / "data").mkdir(mode=0o700)
    os.chown(root / "data", 70, 70)
    subprocess.run(["tar", "-C", root, "-cf", "/tmp/image.tar", "."], check=True)
    run("podman", "import", "-q", "/tmp/image.tar", "localhost/pg:1")
    checks["an image with a second user"] = "localhost/pg:1" in run("podman", "images", "--format={{.Repository}}:{{.Tag}}")
    said = run("podman", "run", "--rm", "--net=none", "--user=70:70", "localhost/pg:1", "/bin/sh", "-c", "echo as-70")
    checks["a container of a second user"] = said == "as-70\n"
    checks["events on the volume"] = "container" in Path("/podman-data/events/events.log").read_text()
    checks["records in the pod"] = [*Path("/tmp/podman/static").glob("*.db")] != []
    for name, holds in checks.items():
        print(("ok   " if holds else "FAIL ") + name)
    sys.exit(0 if all(checks.values()) else 1)


def main():
    if sys.argv[1:] == ["--inside"]:
        inside()
    sidecar = Path(__file__).resolve().parents[2] / "deploy" / "podman-sidecar"
    pod = tempfile.mkdtemp(prefix="larder-pod-", dir="/var/tmp")
    os.chmod(pod, 0o755)
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "POD": pod, "SIDECAR": str(sidecar), "SUBIDS": subordinate_ids(sidecar),
           "SELF": str(Path(__file__).resolve())}
    try:
        script = ["unshare", "--mount", "--ipc", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", POD]
        sys.exit(subprocess.run(script, env=env, cwd="/", check=False).returncode)
    finally:
        subprocess.run(["rm", "-rf", pod], check=False)


if __name__ == "__main__":
    main()
