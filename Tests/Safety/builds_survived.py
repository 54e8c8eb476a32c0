#!/usr/bin/env python3
"""Prunes beneath real builds and real containers, and counts those that live through it.

    builds_survived.py TESTBED [--seconds 75] [--idle-floor 1h] [--no-images]

TESTBED is a testbed of its own: its caches are pruned to nothing. In each round everything in the build cache
is made to look 40 days idle; then Maven and Gradle builds start, and prunes run over and over with a goal that
cannot be reached, until the builds end. So all that a build needs may go until it touches it, and nothing
after. None may fail. Beside that, containers are started by the job's Podman while the sidecar's images are
pruned and warmed; none that runs may be lost. The idle floor must be longer than a build takes: with `0s` what
a build read before a scan may go after it, and builds do fail.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import volumes

TESTBED = Path(__file__).parents[1] / "Testbed/testbed.py"
BUILDS = [("maven", "alpha"), ("maven", "beta"), ("gradle", "gamma"), ("gradle", "delta")]
DONE = {0, 3, 4}
BUSY = 75


def evicted(output):
    """How many entries a prune's JSON says it evicted."""
    try:
        return sum(len(volume["evicted"]) for volume in json.loads(output).get("volumes", []))
    except ValueError:
        return 0


class Bench:
    """A testbed, and what was seen on it."""

    def __init__(self, directory, seconds, idle_floor, seed):
        self.directory, self.idle_floor, self.dice = directory, idle_floor, random.Random(seed)
        lines = (directory / "env").read_text().splitlines()
        self.env = dict(line.split("=", 1) for line in lines if "=" in line)
        self.state = Path(tempfile.mkdtemp(prefix="larder-builds-"))
        self.end = time.monotonic() + seconds
        self.wrong, self.lock = [], threading.Lock()
        self.builds = self.prunes = self.evicted = 0
        self.containers = self.image_prunes = self.images_evicted = self.warmed = 0

    def note(self, text):
        """Notes a violation."""
        with self.lock:
            self.wrong.append(text)

    def testbed(self, command, *arguments):
        """Runs a command of the testbed."""
        argv = [sys.executable, TESTBED, command, self.directory, *arguments]
        return subprocess.run([str(a) for a in argv], capture_output=True, text=True, errors="replace")

    def larder(self, *arguments, images=False):
        """Runs Larder on the build cache, or on the store and its sidecar."""
        places = ["--build-cache", "/nonexistent", "--image-root", self.env.get("STORAGE", "/nonexistent")]
        places += ["--socket", f"unix://{self.env.get('LARDER_SOCKET', '/nonexistent')}"]
        if not images:
            places = ["--build-cache", self.env["CACHE"], "--image-root", "/nonexistent"]
        state = self.state / ("images" if images else "build")
        argv = [volumes.LARDER, *arguments, *places, "--state", state]
        result = subprocess.run([str(a) for a in argv], capture_output=True, text=True, errors="replace")
        if result.returncode not in DONE | {BUSY}:
            self.note(f"larder {' '.join(arguments)}: exit {result.returncode}: {result.stderr[-400:]}")
        return result

    # Builds.

    def build(self, tool, project):
        """One real build."""
        result = self.testbed(tool, project, *([] if tool == "maven" else ["--", "--rerun-tasks"]))
        with self.lock:
            self.builds += 1
        if result.returncode != 0:
            log = self.directory / "log" / f"{tool}-{project}.log"
            tail = log.read_text(errors="replace")[-1500:] if log.exists() else ""
            self.note(f"{tool} {project} failed: {result.stderr[-300:]}\n{tail}")

    def prune_until(self, done):
        """Prunes again and again until the builds are over."""
        goal = ["prune", "--to", "1Ki", "--force-limit", "--idle-floor", self.idle_floor, "--format", "json"]
        while not done.is_set():
            result = self.larder(*goal, *(["--purge"] if self.dice.random() < 0.5 else []))
            with self.lock:
                self.prunes += 1
                self.evicted += evicted(result.stdout)

    def build_rounds(self):
        """Rounds of builds with prunes beneath them."""
        while time.monotonic() < self.end:
            volumes.age(self.env["CACHE"], 40)
            done = threading.Event()
            pruner = threading.Thread(target=self.prune_until, args=(done,))
            chosen = [self.dice.choice(BUILDS[:2]), self.dice.choice(BUILDS[2:])]
            workers = [threading.Thread(target=self.build, args=build) for build in chosen]
            for thread in [*workers, pruner]:
                thread.start()
            for thread in workers:
                thread.join()
            done.set()
            pruner.join()

    # Containers.

    def podman(self, *arguments):
        """The Podman client against the job's service."""
        return self.testbed("podman", *arguments)

    def is_running(self, name):
        """Whether the job's Podman says that a container runs."""
        return self.podman("inspect", "--format", "{{.State.Running}}", name).stdout.strip() == "true"

    def container_rounds(self):
        """Starts containers, and looks whether they still run after prunes and pulls."""
        images = [self.env["IMAGE_REDIS"]]
        number = 0
        while time.monotonic() < self.end:
            names = []
            for image in images:
                number += 1
                name = f"survivor-{number}"
                # The image may just have been evicted: then it is pulled, as for any job.
                for _ in range(3):
                    # All share the machine's network: a socket instead of a port.
                    run = ["run", "-d", "--net", "host", "--name", name, image]
                    if self.podman(*run, "--port", "0", "--unixsocket", "/redis.sock").returncode == 0:
                        names.append(name)
                        break
                    self.podman("rm", "-f", name)
            before = self.image_prunes
            while time.monotonic() < self.end and self.image_prunes < before + 2:
                time.sleep(0.2)
            for name in names:
                self.containers += 1
                if not self.is_running(name):
                    self.note(f"container {name} was lost: {self.podman('inspect', name).stderr[-300:]}")
                self.podman("rm", "-f", name)

    def image_rounds(self):
        """Prunes and warms the images through the sidecar."""
        wanted = [self.env[name] for name in ("IMAGE_REDIS", "IMAGE_APP_A", "IMAGE_APP_B")]
        while time.monotonic() < self.end:
            goal = ["--to", "1Ki", "--force-limit", "--idle-floor", "0s", "--format", "json"]
            self.images_evicted += evicted(self.larder("prune", *goal, images=True).stdout)
            self.image_prunes += 1
            result = self.larder("warm", self.dice.choice(wanted), images=True)
            self.warmed += result.returncode == 0


def check_lock(bench):
    """A second process is turned away while one has the volume; the lock goes with a killed owner."""
    root = bench.env["CACHE"]
    wrap = ["strace", "-f", "-qq", "-o", "/dev/null", "--inject=getdents64:delay_enter=3000000"]
    # An index each: what the other had scanned already, the holder would not list, and so not be slowed.
    scan, other = (
        [str(volumes.LARDER), "scan", "--build-cache", root, "--image-root", "/nonexistent",
         "--state", str(bench.state / name)] for name in ("holder", "other"))

    def hold():
        return subprocess.Popen(
            [*wrap, *scan], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0)

    holder = hold()
    end = time.monotonic() + 30
    code = None
    while time.monotonic() < end and code != BUSY:
        if holder.poll() == BUSY:
            # The other one had the volume just then.
            holder = hold()
        second = subprocess.run(other, capture_output=True, text=True)
        code = second.returncode
    if code != BUSY:
        bench.note(f"two scans at once: exit {code}, not {BUSY}: {second.stderr}")
    if holder.poll() is None:
        os.killpg(holder.pid, signal.SIGKILL)
    holder.wait()
    # The tracer is gone at once, the traced process a moment later.
    end = time.monotonic() + 30
    while code == BUSY and time.monotonic() < end:
        code = subprocess.run(other, capture_output=True).returncode
    if code != 0:
        bench.note(f"after the owner was killed: exit {code}")


def main():
    """Runs builds, containers and prunes until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("testbed", type=Path)
    parser.add_argument("--seconds", type=float, default=75)
    parser.add_argument("--idle-floor", default="1h")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-images", dest="images", action="store_false")
    options = parser.parse_args()
    bench = Bench(options.testbed, options.seconds, options.idle_floor, options.seed)
    check_lock(bench)
    rounds = [bench.build_rounds] + ([bench.container_rounds, bench.image_rounds] if options.images else [])
    threads = [threading.Thread(target=r) for r in rounds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shutil.rmtree(bench.state)
    if options.images and not bench.containers:
        bench.note("no container was started")
    if not bench.evicted:
        bench.note("nothing was evicted beneath the builds")
    for line in bench.wrong[:20]:
        print(f"VIOLATION {line}")
    print(f"{bench.builds} builds under {bench.prunes} prunes of {bench.evicted} entries, {bench.containers} "
          f"containers under {bench.image_prunes} prunes of {bench.images_evicted} images and {bench.warmed} pulls, "
          f"{len(bench.wrong)} violations")
    sys.exit(1 if bench.wrong else 0)


if __name__ == "__main__":
    main()
