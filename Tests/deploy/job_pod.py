#!/usr/bin/env python3
"""The document's job pod, as far as one machine goes, and Larder's pod beside it.

    job_pod.py PROGRAM PYTHON     PYTHON has Testcontainers and redis; exit code 0 if everything holds

Three containers in two pods: `build` and `podman` of a job, `larder` and its `podman`. A pod has a
network and an IPC namespace; a container has a mount and a PID namespace, a root of its own, uid 1001
and no capabilities; a Podman has SETUID, SETGID and the shipped seccomp profile. They share the volumes
and, within a pod, the sockets, and nothing else. The pods reach a registry over a bridge, as they would
reach one in a cluster. Podman has its own network, over /dev/net/tun, so that Testcontainers sees mapped
ports. Needs root and what tools.py installs; everything lies on a file system that goes with the test.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

from pod import subordinate_ids
from pods import BRIDGE, OWN_ROOT, Pods, conclude, run, until

HERE = Path(__file__).resolve().parent
SIDECAR = HERE.parents[1] / "deploy/podman-sidecar"
REGISTRY = f"{BRIDGE}:5000"

# $ROLE: build, podman or larder.
CONTAINER = OWN_ROOT + """\
mkdir -p pod
# Docker's mark, where this machine is one of its containers: a cluster's pods do not have it.
rm -f .dockerenv
cp "$HERE/pod.py" "$HERE/../../deploy/podman-sidecar/seccomp.json" "$HERE/testcontainers_pod.py" pod
rm -rf etc/containers
mkdir etc/containers
cp "$SIDECAR"/containers*.conf "$SIDECAR"/storage*.conf etc/containers
{ cat "$SIDECAR/registries.conf"; printf '[[registry]]\\nlocation = "%s"\\ninsecure = true\\n' "$REGISTRY"; } \\
    > etc/containers/registries.conf
printf '{"default": [{"type": "insecureAcceptAnything"}]}' > etc/containers/policy.json
# A volume, where the container sees it, and `ro` where it is read-only.
echo "$MOUNTS" | while read -r volume target options; do
    mkdir -p ".$target"
    mount --bind "$VOLUMES/$volume" ".$target"
    [ -z "$options" ] || mount -o "remount,bind,$options" ".$target"
done
touch pod/larder
mount --bind "$PROGRAM" pod/larder
mount -t tmpfs -o mode=1777 none tmp
mount -t proc none proc
mount --rbind /dev dev
# A node's own is open to all.
mknod -m 666 pod/tun c 10 200
mount --bind pod/tun dev/net/tun
mount -t tmpfs -o mode=1777 none dev/shm
mount -t sysfs none sys
mount -t cgroup2 none sys/fs/cgroup
mkdir old
pivot_root . old
umount -l /old
cd /
ulimit -n 4096
for tool in newuidmap newgidmap; do chmod u-s "/usr/bin/$tool"; done
setcap cap_setuid=ep /usr/bin/newuidmap
setcap cap_setgid=ep /usr/bin/newgidmap
sed -i '/^[^:]*:[^:]*:1001:/d' /etc/passwd
echo 'ci:x:1001:1001::/tmp:/bin/sh' >> /etc/passwd
echo "$SUBIDS" | tee /etc/subuid > /etc/subgid
export HOME=/tmp
export CONTAINERS_REGISTRIES_CONF=/etc/containers/registries.conf
# A shell gives what it starts in the background no input of its own accord.
exec 3<&0
if [ "$ROLE" = podman ]; then
    /usr/bin/python3 -B -c 'import sys; sys.path.insert(0, "/pod"); import pod; pod.confine(); pod.become(sys.argv[1:])' "$@" <&3 &
else
    setpriv --reuid=1001 --regid=1001 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@" <&3 &
fi
# The shell stays: process 1 must reap.
trap 'kill -TERM $!' TERM
wait $!
"""


class Cluster:
    """Two pods on one bridge, a registry on it, and the volumes they share. Topologies change what is mounted where."""

    PODS = ["job", "larder"]
    VOLUMES = ["podman-data", "cache", "state"]
    # Podman's files, of job pods and of Larder's.
    STORAGE, CONTAINERS = {"job": "storage.conf", "larder": "storage.conf"}, "containers.conf"

    def __init__(self, work, program):
        self.work = work
        self.program = program
        self.volumes = work / "volumes"
        for name in (*self.VOLUMES, *(f"sockets-{pod}" for pod in self.PODS)):
            (self.volumes / name).mkdir(parents=True)
            os.chown(self.volumes / name, 1001, 1001)
        self.pods = Pods(self.PODS)
        self.processes = self.pods.processes
        self.start_registry()

    def start_registry(self):
        """A registry that listens on the bridge only."""
        (self.work / "registry.yml").write_text(
            f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {self.work}/registry}}}}\nhttp: {{addr: {REGISTRY}}}\n")
        log = open(self.work / "registry.log", "wb")
        self.processes.append(subprocess.Popen(["docker-registry", "serve", self.work / "registry.yml"],
                                               stdout=log, stderr=log))

    def mounts(self, pod, role):
        """The volumes of a container: the runner mounts every one in every container of a job."""
        mounts = [(f"sockets-{pod}", "/sockets"), ("podman-data", "/podman-data"), ("cache", "/cache")]
        return mounts + ([("state", "/state")] if role == "larder" else [])

    def container(self, pod, role, *command):
        """The command line of a container; it starts in the pod's namespaces and makes its own."""
        kind = "larder" if pod == "larder" else "job"
        env = {"ROLE": role, "VOLUMES": self.volumes, "SIDECAR": SIDECAR, "HERE": HERE, "REGISTRY": REGISTRY,
               "MOUNTS": "\n".join(" ".join(mount) for mount in self.mounts(pod, role)),
               "CONTAINERS_CONF": f"/etc/containers/{self.CONTAINERS}",
               "CONTAINERS_STORAGE_CONF": f"/etc/containers/{self.STORAGE[kind]}",
               "SUBIDS": subordinate_ids(SIDECAR), "PROGRAM": self.program,
               "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DOCKER_HOST": "unix:///sockets/podman.sock",
               "TESTCONTAINERS_RYUK_DISABLED": "true", "TESTCONTAINERS_HOST_OVERRIDE": "localhost"}
        words = [*self.pods.enter(pod), "sh", "-c", CONTAINER, "sh", *command]
        return [str(word) for word in words], {key: str(value) for key, value in env.items()}

    def start(self, pod, role, *command):
        """Starts a container that stays; its output goes to a file."""
        words, env = self.container(pod, role, *command)
        log = open(self.work / f"{pod}-{role}.log", "wb")
        process = subprocess.Popen(words, env=env, cwd="/", stdin=subprocess.PIPE, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def start_podman(self, pod):
        """Starts a pod's Podman as the shipped image and the manifests do, and waits for its socket."""
        self.start(pod, "podman", "podman", "system", "service", "--time=0", "unix:///sockets/podman.sock")
        socket = self.volumes / f"sockets-{pod}" / "podman.sock"
        until(socket.exists, f"the Podman of the pod {pod} listens\n{self.logs()}", 90)

    def exec(self, pod, role, *command, codes=(0,)):
        """Runs a container to its end; gives what it printed."""
        words, env = self.container(pod, role, *command)
        result = subprocess.run(words, env=env, cwd="/", capture_output=True, text=True, check=False)
        if result.returncode not in codes:
            sys.exit(f"FAIL {pod}/{role}: {' '.join(map(str, command))} ({result.returncode}):\n"
                     f"{result.stdout}{result.stderr}{self.logs()}")
        return result.stdout

    def logs(self):
        """The ends of all logs."""
        return "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}\n" for path in self.work.glob("*.log"))


def push_images(work, registry=REGISTRY, names=("redis", "old", "wanted")):
    """Redis with all it is linked with, and two small images, pushed to a registry."""
    flags = [f"--root={work}/build", f"--runroot={work}/build-run", "--storage-driver=vfs"]
    for name in names:
        tree = work / f"context-{name}"
        tree.mkdir()
        programs = ["/bin/busybox"] + ([shutil.which("redis-server")] if name == "redis" else [])
        for program in programs:
            needed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
            for path in [program, *re.findall(r"(/\S+) \(0x", needed)]:
                target = tree / path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        (tree / "noise").write_bytes(os.urandom(3_000_000))
        (tree / "etc").mkdir(exist_ok=True)
        (tree / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nredis:x:70:70::/:/bin/sh\n")
        (tree / "data").mkdir()
        start = 'USER 70:70\nEXPOSE 6379\nENTRYPOINT ["/usr/bin/redis-server", "--save", "", "--protected-mode", "no"]\n'
        (work / "Containerfile").write_text("FROM scratch\nCOPY . /\n" + (start if name == "redis" else ""))
        run("buildah", *flags, "build", "--isolation=chroot", f"--tag=localhost/{name}", f"--file={work}/Containerfile", tree)
        run("buildah", *flags, "push", "--quiet", "--tls-verify=false", f"localhost/{name}", f"docker://{registry}/ci/{name}:1")


def configuration(work):
    """Larder's configuration with the paths of the pods; a small quota, so that there is something to prune."""
    (work / "volumes/cache/larder.yaml").write_text(f"""\
state: /state
volumes:
  - name: images
    kind: image-store
    path: /podman-data/storage
    socket: unix:///sockets/podman.sock
warm:
  images: [{{reference: "{REGISTRY}/ci/wanted:1"}}]
""")


def check(cluster, python):
    """The story: a job runs, Larder prunes and warms beside it, the job goes on and passes."""
    cluster.start_podman("job")
    remote = ["podman", "--remote", "--url=unix:///sockets/podman.sock"]
    cluster.exec("job", "build", *remote, "pull", "--quiet", f"{REGISTRY}/ci/old:1")

    job = cluster.start("job", "build", python, "-B", "/pod/testcontainers_pod.py", f"{REGISTRY}/ci/redis:1")
    log = cluster.work / "job-build.log"
    until(lambda: "}\n" in log.read_text() or job.poll() is not None, "Redis answers", 120)
    words = re.search(r'\{"ready".*\}\n', log.read_text())
    if not words:
        sys.exit(f"FAIL the job did not start\n{log.read_text()}{cluster.logs()}")
    ready = json.loads(words[0])

    # Now, and not before: a Podman that starts on a store is what could take a running job for dead.
    cluster.start_podman("larder")
    larder = ["/pod/larder", "--config=/cache/larder.yaml"]
    asked = [*larder, "prune", "--volume=images", "--to=1Mi", "--idle-floor=0s", "--force-limit", "--format=json"]
    # 3: Redis is in use, so the quota cannot be reached.
    pruned = json.loads(cluster.exec("larder", "larder", *asked, codes=(0, 3, 4)))["volumes"][0]
    warmed = json.loads(cluster.exec("larder", "larder", *larder, "warm", "--format=json"))["images"]
    states = cluster.exec("job", "build", *remote, "ps", "--all", "--format={{.State}}").split()
    job.stdin.write(b"go on\n")
    job.stdin.close()
    code = job.wait(timeout=120)
    after = log.read_text()
    if code != 0:
        print(after, cluster.logs())
    names = cluster.exec("job", "build", *remote, "images", "--format={{.Repository}}:{{.Tag}}").split()
    context = ready["context"]
    return {
        "the build container: uid 1001, no capabilities, no new privileges":
            context["Uid"] == "1001" and context["CapBnd"] == "0" * 16 and context["NoNewPrivs"] == "1",
        "it sees its own processes only": ready["processes"] <= 4,
        "Testcontainers is told a mapped port": ready["port"] not in (None, 6379),
        "its container still runs beside a second Podman": states[:1] == ["Up"],
        "the job passes": code == 0 and "passed" in after,
        "Larder's prune removed the image that nothing uses": [each["key"] for each in pruned["evicted"]]
            == [f"{REGISTRY}/ci/old:1"] and f"{REGISTRY}/ci/old:1" not in names,
        "and left the one in use": f"{REGISTRY}/ci/redis:1" in names,
        "what Larder warmed is there for the job": [each["result"] for each in warmed] == ["pulled"]
            and f"{REGISTRY}/ci/wanted:1" in names,
        "events of both on the volume": "pull" in (cluster.volumes / "podman-data/events/events.log").read_text(),
    }


def main():
    program, python = (Path(word).absolute() for word in sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="larder-job-", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        work = Path(name)
        work.chmod(0o755)
        cluster = Cluster(work, program)
        try:
            push_images(work)
            configuration(work)
            checks = check(cluster, python)
        finally:
            cluster.pods.end()
    sys.exit(conclude(checks))


if __name__ == "__main__":
    main()
