"""Pods on one machine: a bridge, and for each pod the namespaces that its containers share."""

import os
import subprocess
import sys
import time

BRIDGE = "10.213.7.1"
# How a container begins: in a root of its own, an overlay on this machine's with its changes in memory.
OWN_ROOT = """\
set -e
mount --make-rprivate /
root=$(mktemp -d /mnt/XXXXXX)
mount -t tmpfs -o mode=755 none "$root"
mkdir "$root/changes" "$root/work" "$root/root"
mount -t overlay -o "lowerdir=/,upperdir=$root/changes,workdir=$root/work" overlay "$root/root"
cd "$root/root"
"""


def run(*command, **options):
    """Runs a command, gives what it prints, and ends the test with all of its words if it fails."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if result.returncode != 0:
        sys.exit(f"FAIL {' '.join(map(str, command))} ({result.returncode}):\n{result.stdout}{result.stderr}")
    return result.stdout


def until(condition, subject, seconds=60):
    """Waits for something to become true, and gives it."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            sys.exit(f"FAIL {subject() if callable(subject) else subject}: not so after {seconds} s")
        time.sleep(0.05)
    return result


def conclude(checks):
    """Prints each check, by its name; gives the exit code."""
    for name, holds in checks.items():
        print(("ok   " if holds else "FAIL ") + name, flush=True)
    return 0 if all(checks.values()) else 1


class Pods:
    """Pods with a network each, on one bridge; needs a network namespace of the caller's own."""

    def __init__(self, names):
        self.pause = {}
        self.processes = []
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "bridge0", "type", "bridge")
        run("ip", "address", "add", f"{BRIDGE}/24", "dev", "bridge0")
        run("ip", "link", "set", "bridge0", "up")
        for number, pod in enumerate(names, 2):
            # What the pause container is: the process that holds a pod's namespaces.
            pause = subprocess.Popen(["unshare", "--net", "--ipc", "sleep", "infinity"])
            self.processes.append(pause)
            own = os.readlink("/proc/self/ns/net")
            until(lambda: os.readlink(f"/proc/{pause.pid}/ns/net") != own, "the pod has a network of its own")
            self.pause[pod] = pause.pid
            inside = ["nsenter", f"--net=/proc/{pause.pid}/ns/net", "ip"]
            run("ip", "link", "add", f"veth-{pod}", "type", "veth", "peer", "name", "eth0", "netns", pause.pid)
            run("ip", "link", "set", f"veth-{pod}", "master", "bridge0", "up")
            run(*inside, "address", "add", f"10.213.7.{number}/24", "dev", "eth0")
            run(*inside, "link", "set", "eth0", "up")
            run(*inside, "link", "set", "lo", "up")

    def enter(self, pod):
        """The beginning of a command line that starts in a pod's namespaces, with mounts and processes of its own."""
        pause = self.pause[pod]
        return ["nsenter", f"--net=/proc/{pause}/ns/net", f"--ipc=/proc/{pause}/ns/ipc", "unshare", "--mount", "--pid",
                "--fork", "--kill-child", "--mount-proc"]

    def end(self):
        """Ends every process, newest first."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()
