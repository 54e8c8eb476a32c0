#!/usr/bin/env python3
"""Builds the sidecar's image from its Containerfile and runs it as job pods and Larder's pods do.

    sidecar_image.py ROOT      a tar archive to build it on; exit code 0 if everything holds

ROOT stands in for quay.io/podman/stable: Podman 5, with its tools, of Debian. The containers are started by an
OCI runtime with what the manifests ask for: uid 1001, SETUID and SETGID in the bounding set and no capability
held, the shipped seccomp profile, /proc unmasked, /dev/net/tun, and for `hostUsers: false` a user namespace of
65,536 ids, which is what the kubelet gives a pod. Two of them share a store, as a job and Larder do. It needs
root, namespaces of its own, and what tools.py installs.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True

import job_pod
import job_template
from pods import conclude, run, until

SIDECAR = Path(__file__).resolve().parents[2] / "deploy/podman-sidecar"
IMAGE = "localhost/larder-podman:test"
REGISTRY = "127.0.0.1:5000"
# Where the ids of a pod with `hostUsers: false` begin on the node, and how many it has.
FIRST, COUNT = 300000, 65536
WEB = 18080


class Machine:
    """The node: an image store, volumes, a registry."""

    def __init__(self, work):
        self.work = work
        self.processes = []
        flags = [f"--root={work}/store", f"--runroot={work}/run", "--storage-driver=overlay"]
        self.buildah = ["buildah", *flags]
        self.podman = ["podman", *flags, "--cgroup-manager=cgroupfs", "--events-backend=none"]
        self.volume("podman-data")
        # A node's own is open to all.
        run("mknod", "--mode=666", work / "tun", "c", "10", "200")

    def volume(self, name):
        """A volume that belongs to the pods' uid 1001."""
        path = self.work / name
        path.mkdir()
        os.chown(path, FIRST + 1001, FIRST + 1001)
        return path

    def build(self, root):
        """Builds the shipped Containerfile on the stand-in for its base."""
        container = run(*self.buildah, "from", "scratch").strip()
        run(*self.buildah, "add", "--quiet", container, root, "/")
        run(*self.buildah, "commit", "--quiet", "--rm", container, "localhost/base:test")
        run(*self.buildah, "build", "--isolation=chroot", f"--tag={IMAGE}", "--build-arg=BASE=localhost/base:test", SIDECAR)
        return json.loads(run(*self.podman, "image", "inspect", IMAGE))[0]

    def serve_image(self):
        """An image whose layer belongs to a second user, in a registry on loopback."""
        (self.work / "registry.yml").write_text(
            f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {self.work}/registry}}}}\nhttp: {{addr: {REGISTRY}}}\n")
        log = open(self.work / "registry.log", "wb")
        self.processes.append(subprocess.Popen(["docker-registry", "serve", self.work / "registry.yml"],
                                               stdout=log, stderr=log))
        tree = self.work / "pg"
        for folder in ("bin", "etc", "data"):
            (tree / folder).mkdir(parents=True)
        shutil.copy("/bin/busybox", tree / "bin/busybox")
        (tree / "bin/sh").symlink_to("busybox")
        (tree / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\npg:x:70:70::/:/bin/sh\nfar:x:60000:60000::/:/bin/sh\n")
        (self.work / "pg.Containerfile").write_text(
            "FROM scratch\nCOPY . /\nRUN [\"/bin/busybox\", \"chown\", \"70:70\", \"/data\"]\n"
            "RUN [\"/bin/busybox\", \"chmod\", \"700\", \"/data\"]\nUSER 70:70\n")
        run(*self.buildah, "build", "--isolation=chroot", "--tag=localhost/pg:1",
            f"--file={self.work}/pg.Containerfile", tree)
        run(*self.buildah, "push", "--quiet", "--tls-verify=false", "localhost/pg:1", f"docker://{REGISTRY}/ci/pg:1")
        return f"{REGISTRY}/ci/pg:1"

    def start(self, name, *options, read_only_store=False):
        """Starts a sidecar with the image's own command, and waits for its socket."""
        sockets = self.volume(f"sockets-{name}")
        # Kubernetes puts added capabilities into the bounding set only; this Podman makes them ambient too.
        bare = ["setpriv", "--ambient-caps=-all", "--inh-caps=-all"]
        command = json.loads(run(*self.podman, "image", "inspect", "--format={{json .Config.Cmd}}", IMAGE))
        run(*self.podman, "run", "--detach", f"--name={name}", "--cgroups=disabled", "--network=host",
            f"--uidmap=0:{FIRST}:{COUNT}", f"--gidmap=0:{FIRST}:{COUNT}", "--cap-drop=all", "--cap-add=setuid,setgid",
            f"--security-opt=seccomp={SIDECAR}/seccomp.json", "--security-opt=unmask=ALL",
            f"--volume={self.work}/podman-data:/podman-data{':ro' if read_only_store else ''}", f"--volume={sockets}:/sockets", "--tmpfs=/tmp:mode=1777",
            f"--volume={self.work}/tun:/dev/net/tun", "--volume=/sys/fs/cgroup:/sys/fs/cgroup:ro",
            f"--entrypoint={json.dumps(bare)}", *options, IMAGE, *command)
        until((sockets / "podman.sock").exists, lambda: f"{name} listens\n{self.logs(name)}", 180)

    def logs(self, name):
        """What a sidecar has said."""
        both = subprocess.run([*self.podman, "logs", name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return both.stdout.decode(errors="replace")

    def inside(self, name, *command, codes=(0,)):
        """Runs a command in a sidecar, as a client of its socket does; gives what it printed."""
        words = [*map(str, self.podman), "exec", name, *command]
        result = subprocess.run(words, capture_output=True, text=True, check=False)
        if result.returncode not in codes:
            sys.exit(f"FAIL {name}: {' '.join(command)} ({result.returncode}):\n"
                     f"{result.stdout}{result.stderr}{self.logs(name)}")
        return result.stdout + (result.stderr if result.returncode else "")

    def remote(self, name, *command, codes=(0,)):
        """The Podman client against a sidecar's socket."""
        return self.inside(name, "podman", "--remote", "--url=unix:///sockets/podman.sock", *command, codes=codes)

    def status(self, name):
        """What the kernel says of a sidecar's process."""
        process = run(*self.podman, "inspect", "--format={{.State.Pid}}", name).strip()
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    def end(self):
        """Ends what was started."""
        subprocess.run([*map(str, self.podman), "rm", "--all", "--force"], capture_output=True, check=False)
        for process in self.processes:
            process.kill()
            process.wait()
        # The store mounts its own directory, which could not be removed then.
        subprocess.run(["umount", "--lazy", "--recursive", self.work / "store/overlay"], capture_output=True, check=False)


def answers(port):
    """Whether somebody speaks HTTP there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def job(machine):
    """The exit code of a Testcontainers job against the job's sidecar, and the port that it was told."""
    job_pod.push_images(machine.work, REGISTRY, ["redis"])
    reference = f"{REGISTRY}/ci/redis:1"
    # The shipped registries.conf speaks TLS to every registry; what is there is not pulled again.
    machine.remote("job", "pull", "--quiet", "--tls-verify=false", reference)
    # A job's own variables, but for where this machine has the socket.
    env = job_template.environment(0) | {
        "PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{machine.work}/sockets-job/podman.sock"}
    script = Path(__file__).with_name("testcontainers_pod.py")
    result = subprocess.run([sys.executable, "-B", script, reference], env=env, input="go on\n",
                            capture_output=True, text=True, check=False)
    ready = re.search(r'\{"ready".*\}', result.stdout)
    if result.returncode != 0 or not ready:
        print(result.stdout, result.stderr, machine.logs("job"))
    return result.returncode, json.loads(ready[0])["port"] if ready else None


def check(machine, root):
    """What must hold, by name."""
    image = machine.build(root)
    machine.start("job")
    status = machine.status("job")
    capabilities = [int(status[key], 16) for key in ("CapEff", "CapPrm", "CapInh", "CapAmb")]
    info = json.loads(machine.remote("job", "info", "--format=json"))
    version = info["version"]["Version"]
    print(f"     Podman {version}; {image['Size'] / 1e6:.0f} MB, "
          f"of which {own_size(machine, image) / 1e3:.0f} kB above the base")
    checks = {
        "the image: user 1001 by number, no setuid newuidmap": image["Config"]["User"] == "1001:1001"
        and "s" not in machine.inside("job", "stat", "--format=%A", "/usr/bin/newuidmap", "/usr/bin/newgidmap"),
        "uid 1001 in a user namespace of 65,536 ids": int(status["Uid"].split()[0]) == FIRST + 1001
        and machine.inside("job", "cat", "/proc/self/uid_map").split() == ["0", str(FIRST), str(COUNT)],
        "it holds no capability, and may have SETUID and SETGID": capabilities == [0] * 4
        and int(status["CapBnd"], 16) == 0xC0,
        "the shipped seccomp profile": status["Seccomp"].strip() == "2",
        "Podman 5": int(version.split(".")[0]) >= 5,
        "driver vfs, store on the volume": info["store"]["graphDriverName"] == "vfs"
        and info["store"]["graphRoot"] == "/podman-data/storage",
        # One id of its own and all of the others but 0, whose owner is the pod's root.
        "the whole range of ids": sum(each["size"] for each in info["host"]["idMappings"]["uidmap"]) == COUNT - 1,
    }
    reference = machine.serve_image()
    machine.remote("job", "pull", "--quiet", "--tls-verify=false", reference)
    said = machine.remote("job", "run", "--rm", reference, "/bin/sh", "-c", "busybox id -u; busybox ls -ldn /data")
    checks["pulls and runs an image with a second user"] = re.match(r"70\ndrwx------ +2 70 +70 ", said) is not None
    said = machine.remote("job", "run", "--rm", "--user=60000:60000", reference, "/bin/sh", "-c", "busybox id -u")
    checks["a container of a user with a high number"] = said == "60000\n"
    machine.remote("job", "run", "--detach", "--name=web", f"--publish={WEB}:8080", reference,
                   "/bin/busybox", "httpd", "-f", "-p", "8080")
    checks["a mapped port"] = machine.remote("job", "port", "web").strip().endswith(f":{WEB}") and until(
        lambda: answers(WEB), lambda: f"the container answers\n{machine.logs('job')}")

    code, port = job(machine)
    checks["a Testcontainers job passes"] = code == 0 and port not in (None, 6379)

    # As deploy/components/podman has it: nothing of the image can be written.
    machine.start("larder", "--read-only", "--tmpfs=/var/tmp:mode=1777")
    seen = machine.remote("larder", "ps", "--all", "--external", "--format={{.Names}} {{.Status}}")
    refused = machine.remote("larder", "rmi", reference, codes=(2,))
    machine.remote("larder", "image", "prune", "--all", "--force")
    checks["a second Podman, on a read-only root, sees the job's container"] = "web Storage" in seen
    checks["and is refused its image"] = "in use" in refused
    states = machine.remote("job", "ps", "--format={{.Names}} {{.State}}")
    checks["and leaves it running"] = answers(WEB) and states == "web running\n"
    checks["events of both on the volume"] = "pull" in (machine.work / "podman-data/events/events.log").read_text()
    checks["records in the pod"] = all(
        machine.inside(name, "find", "/tmp/podman/static", "-name", "*.sql").strip() != "" for name in ("job", "larder"))
    return checks | readonly_store(machine, reference)


def readonly_store(machine, reference):
    """As in the overlay `readonly-store`: the store from above, read-only, and the files that the overlay names."""
    store = machine.work / "podman-data"
    volumes = [f"--volume={machine.volume('job-data')}:/job-data", f"--volume={machine.volume('image-events')}:/podman-events"]
    machine.start("untrusted", *volumes, "--env=CONTAINERS_CONF=/etc/containers/containers.readonly.conf",
                  "--env=CONTAINERS_STORAGE_CONF=/etc/containers/storage.readonly.conf", read_only_store=True)
    listed = json.loads(machine.remote("untrusted", "images", "--format=json"))
    before = {path: path.stat().st_mtime_ns for path in (store / "storage").rglob("*.json")}
    said = machine.remote("untrusted", "run", "--rm", "--pull=never", reference, "/bin/sh", "-c", "busybox id -u")
    refused = machine.remote("untrusted", "rmi", reference, codes=(1, 2, 125))
    events = (machine.work / "image-events/events.log").read_text()
    return {
        "a read-only store: its image is listed so, and runs": said == "70\n"
        and [each.get("ReadOnly") for each in listed if reference in (each.get("Names") or [])] == [True],
        "and cannot be removed": "read-only" in refused or "read only" in refused,
        "nothing was written to it": before == {path: path.stat().st_mtime_ns for path in (store / "storage").rglob("*.json")},
        "the use is among the events elsewhere": '"Status":"create"' in events and reference in events,
    }


def own_size(machine, image):
    """The bytes of the image above its base."""
    base = json.loads(run(*machine.podman, "image", "inspect", "localhost/base:test"))[0]
    return image["Size"] - base["Size"]


def main():
    run("mount", "--make-rprivate", "/")
    if run("stat", "--file-system", "--format=%T", "/sys/fs/cgroup").strip() != "cgroup2fs":
        # A runtime refuses a hierarchy that is half of the first version; a node has the second.
        run("umount", "--recursive", "--lazy", "/sys/fs/cgroup")
        run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
    run("ip", "link", "set", "lo", "up")
    with tempfile.TemporaryDirectory(prefix="larder-sidecar-", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        work = Path(name)
        work.chmod(0o755)
        machine = Machine(work)
        try:
            checks = check(machine, Path(sys.argv[1]))
        finally:
            machine.end()
    sys.exit(conclude(checks))


if __name__ == "__main__":
    main()
