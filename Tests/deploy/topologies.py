#!/usr/bin/env python3
"""A Testcontainers job in two pods of each topology, with the files that the topology's overlay names.

    topologies.py PROGRAM PYTHON [TOPOLOGY…]     exit code 0 if everything holds

As job_pod.py has them: containers of pods on one machine, with Podman 4. `readonly-store` begins with an empty volume,
as a cluster does: Larder fills it, the jobs run on it read-only, and Larder reads from their events what they used.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

import yaml

import job_pod
from job_pod import REGISTRY, push_images
from pods import conclude, until

REDIS = f"{REGISTRY}/ci/redis:1"
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def settings(overlay):
    """What an overlay says of Podman's files, with what it is built on."""
    kustomization = yaml.safe_load((DEPLOY / overlay / "kustomization.yaml").read_text())
    found = {}
    for below in kustomization.get("resources", []) + kustomization.get("components", []):
        if (DEPLOY / overlay / below / "kustomization.yaml").exists():
            found |= settings(f"{overlay}/{below}")
    for generator in kustomization.get("configMapGenerator", []):
        if generator["name"] == "larder-runner":
            found |= dict(line.split("=", 1) for line in generator["literals"])
    return found


class Shared(job_pod.Cluster):
    """One store for all, as in the overlays `shared` and, with another driver, `overlay-store`."""

    OVERLAY = "overlays/shared"
    PODS = ["job-0", "job-1", "larder"]

    def __init__(self, work, program):
        chosen = settings(self.OVERLAY)
        self.CONTAINERS = chosen["containersConf"]
        self.STORAGE = {"job": chosen["storageConf"], "larder": self.of_larder(chosen["storageConf"])}
        super().__init__(work, program)

    @staticmethod
    def of_larder(name):
        """Larder's own Podman writes the store that jobs read."""
        return name.replace("readonly-", "").replace(".readonly", "")

    def jobs(self, python):
        """The same job in both pods at once; what each of them said."""
        running = [(pod, self.start(pod, "build", python, "-B", "/pod/testcontainers_pod.py", REDIS))
                   for pod in self.PODS[:-1]]
        for pod, process in running:
            log = self.work / f"{pod}-build.log"
            until(lambda: "}\n" in log.read_text() or process.poll() is not None, "Redis answers", 120)
        # Both run now: neither starts on what the other one left.
        for _, process in running:
            if process.poll() is None:
                process.stdin.write(b"go on\n")
                process.stdin.close()
        codes = [process.wait(timeout=120) for _, process in running]
        said = [(self.work / f"{pod}-build.log").read_text() for pod, _ in running]
        if any(codes):
            print(*said, self.logs())
        ports = [json.loads(found[0])["port"] for text in said if (found := re.search(r'\{"ready".*\}', text))]
        return codes, ports

    def check(self, python):
        """What must hold, by name."""
        for pod in self.PODS[:-1]:
            self.start_podman(pod)
        codes, ports = self.jobs(python)
        info = json.loads(self.exec("job-0", "build", "podman", "--remote", "--url=unix:///sockets/podman.sock", "info",
                                    "--format=json"))
        driver = "overlay" if "overlay" in self.STORAGE["job"] else "vfs"
        return {
            "a Testcontainers job passes in both pods": codes == [0, 0],
            "each is told a mapped port": len(ports) == 2 and 6379 not in ports,
            f"the driver {driver}": info["store"]["graphDriverName"] == driver,
            "images lie on the volume": any((self.volumes / self.store_of("job-0")).glob(f"storage/{driver}-images/images.json")),
        }

    def store_of(self, pod):
        """The volume with the images of a job's pod."""
        return "podman-data"


class OverlayStore(Shared):
    """The same with the kernel's overlay."""

    OVERLAY = "overlays/overlay-store"


class Slots(Shared):
    """A store for each pod."""

    OVERLAY = "overlays/slots"
    VOLUMES = ["podman-data-0", "podman-data-1", "cache", "state"]

    def store_of(self, pod):
        return f"podman-data-{pod[-1]}"

    def mounts(self, pod, role):
        return [(self.store_of(pod), target) if volume == "podman-data" else (volume, target, *rest)
                for volume, target, *rest in super().mounts(pod, role)]


class ReadonlyStore(Shared):
    """Larder's store, read-only for jobs; their own goes with the pod; events on a volume that only Podman has."""

    OVERLAY = "overlays/readonly-store"
    VOLUMES = ["podman-data", "cache", "state", "image-events", "job-data-0", "job-data-1"]

    def mounts(self, pod, role):
        mounts = super().mounts(pod, role)
        if pod != "larder":
            mounts = [(*mount, "ro") if mount[0] == "podman-data" else mount for mount in mounts]
            mounts.append((f"job-data-{pod[-1]}", "/job-data"))
        if role != "build":
            mounts.append(("image-events", "/podman-events"))
        return mounts

    def larder(self, *command, codes=(0,)):
        """Larder's answer, as an object."""
        words = ["/pod/larder", "--config=/cache/larder.yaml", *command, "--format=json"]
        return json.loads(self.exec("larder", "larder", *words, codes=codes))

    def check(self, python):
        config = (DEPLOY / "overlays/readonly-store/store/larder.yaml").read_text()
        config = config.replace("/var/lib/larder", "/state") + f'warm:\n  images: [{{reference: "{REDIS}"}}]\n'
        (self.volumes / "cache/larder.yaml").write_text(config)
        # The bootstrap: nothing is there yet, and a list is asked for.
        self.start_podman("larder")
        warmed = self.larder("warm")["images"]
        self.larder("scan")
        store = self.volumes / "podman-data"
        before = {path: path.stat().st_mtime_ns for path in store.rglob("*.json")}
        checks = {"Larder fills an empty store": [each["result"] for each in warmed] == ["pulled"]}
        checks |= super().check(python)
        checks["the jobs pull nothing that is there"] = self.pulls() == 1
        checks["nothing in Larder's store was changed by them"] = before == {
            path: path.stat().st_mtime_ns for path in store.rglob("*.json")}
        self.larder("scan")
        images = [each for each in self.larder("list", "--pool=images")["entries"] if each["key"] == REDIS]
        checks["Larder reads the jobs' uses from their events"] = [each["evidence"] for each in images] == ["podman-events"] \
            and images[0]["uses"] >= 1
        # As it was: the file that all other topologies take has the events beside the store.
        self.CONTAINERS = "containers.conf"
        words, env = self.container("job-0", "podman", "podman", "run", "--rm", "--net=none", REDIS, "true")
        old = subprocess.run(words, env=env, cwd="/", capture_output=True, text=True, check=False)
        checks["with events beside the store Podman gives up"] = old.returncode != 0 and "read-only" in old.stderr
        checks["a build container does not see the events"] = "/podman-events" not in [
            mount[1] for mount in self.mounts("job-0", "build")]
        return checks

    def pulls(self):
        """How often an image was pulled, by the events of all pods: Podman 4 notes a question that found it too."""
        events = map(json.loads, (self.volumes / "image-events/events.log").read_text().splitlines())
        return sum(event["Type"] == "image" and event["Status"] == "pull" for event in events)

    def store_of(self, pod):
        return "podman-data"


TOPOLOGIES = {"shared": Shared, "overlay-store": OverlayStore, "slots": Slots, "readonly-store": ReadonlyStore}


def main():
    program, python = (Path(word).absolute() for word in sys.argv[1:3])
    name = sys.argv[3]
    with tempfile.TemporaryDirectory(prefix="larder-topology-", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        work = Path(folder)
        work.chmod(0o755)
        cluster = TOPOLOGIES[name](work, program)
        try:
            push_images(work, names=["redis"])
            checks = cluster.check(python)
        finally:
            cluster.pods.end()
    sys.exit(conclude({f"{name}: {each}": holds for each, holds in checks.items()}))


if __name__ == "__main__":
    main()
