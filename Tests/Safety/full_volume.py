#!/usr/bin/env python3
"""A build volume as full as the fullest that people report, brought under its quota by one prune, and built on again.

    full_volume.py TESTBED [--gib 2] [--maven HOME]

On it are the homes of four slots, filled by real builds; one of them has a split Maven repository where --maven names a
Maven 3.9; logs of Gradle's daemon of that many GiB, half as much of local build cache, and builds that `mvn install` left
as SNAPSHOT, which nothing can fetch again. All of it looks idle for 40 days. One prune must bring the volume below its
low watermark, by du; what was installed must be there byte for byte; and every slot's builds must pass afterwards,
those that need the installed SNAPSHOT among them.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import volumes

sys.path.append(str(Path(__file__).parents[1] / "Testbed"))
import build_caches
from layout import JOB_UID, Layout
from processes import environment, run

GIB, MIB = 1 << 30, 1 << 20
SNAPSHOT = "1.1-SNAPSHOT"


def fill(path, size):
    """A file that occupies that much, without writing it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)


class FullVolume:
    """The volume, and how its slots are built on."""

    def __init__(self, layout, top, maven):
        self.layout, self.maven_home = layout, maven
        self.root, self.state, self.log = top / "cache", top / "state", top / "builds.log"
        self.slots = [self.root / f"slot-{number}" for number in range(4)]
        self.split = self.slots[3] if maven else None
        for place in ("local", "beta"):
            copy = top / "projects" / place
            shutil.copytree(layout.projects / "maven" / place, copy, ignore=shutil.ignore_patterns("target"))
            pom = copy / "pom.xml"
            text = pom.read_text()
            if place == "local":
                text = text.replace("<version>1.0</version>", f"<version>{SNAPSHOT}</version>", 1)
            else:
                text = text.replace("<artifactId>common</artifactId><version>1.0<", f"<artifactId>common</artifactId><version>{SNAPSHOT}<")
            assert SNAPSHOT in text
            pom.write_text(text)
        self.projects = top / "projects"
        os.chmod(top, 0o755)
        build_caches.give_to_job(self.projects)

    def maven(self, slot, project, goal="package"):
        """A real Maven build of the SNAPSHOT's projects, or of the testbed's, on a slot's repository."""
        home = self.layout.home
        program, more = "mvn", []
        if slot == self.split:
            program = self.maven_home / "bin/mvn"
            more = ["-Daether.enhancedLocalRepository.split=true"]
        argv = [program, "--batch-mode", "--settings", self.layout.settings,
                f"-Dmaven.repo.local={slot}/.m2/repository", *more, goal]
        env = environment(home, MAVEN_OPTS=f"{build_caches.JVM} -Duser.home={home}")
        run(argv, env, self.log, cwd=project, job_user=True)

    def gradle(self, slot, project):
        """A real Gradle build with a local build cache, with the slot as its home."""
        home = self.layout.home
        env = environment(
            home, GRADLE_USER_HOME=slot, MIRROR_URL=self.layout.require("mirror")["servers"]["mirror"],
            JAVA_OPTS=f"{build_caches.JVM} -Duser.home={home}")
        argv = ["gradle", "--no-daemon", "--console=plain", "--build-cache", "--rerun-tasks", "build"]
        run(argv, env, self.log, cwd=self.layout.projects / "gradle" / project, job_user=True)

    def make(self, gib, dice):
        """Fills the volume; gives what was installed, by path, with its digests."""
        self.root.mkdir(parents=True)
        for slot in self.slots:
            subprocess.run(["cp", "-a", self.layout.cache, slot], check=True)
        os.chown(self.root, JOB_UID, JOB_UID)
        if self.split:
            shutil.rmtree(self.split / ".m2")
            build_caches.make_repository(self.split / ".m2/repository")
        for slot in self.slots:
            # Over and over, as jobs do: each leaves a further build of the SNAPSHOT.
            for _ in range(2 if slot == self.slots[0] else 1):
                self.maven(slot, self.projects / "local", "install")
            self.maven(slot, self.projects / "beta")
        for slot, project in zip(self.slots, ("gamma", "delta")):
            self.gradle(slot, project)
        for number in range(40):
            slot = self.slots[number % 4]
            fill(slot / f"daemon/{4 + number % 5}.4/daemon-{1000 + number}.out.log", gib * GIB // 40)
        for number in range(gib * GIB // 2 // (2 * MIB)):
            fill(self.slots[number % 4] / f"caches/build-cache-1/{dice.randbytes(16).hex()}", 2 * MIB)
        for slot in self.slots:
            build_caches.give_to_job(slot)
        volumes.age(self.root, 40)
        installed = {}
        for place in self.root.glob("slot-*/.m2/repository/**/com/example/local/common"):
            installed |= {str(place / name): digest for name, digest in volumes.digest_tree(place).items()}
        return installed

    def occupied(self):
        """What du says of the live files."""
        argv = ["du", "-s", "-B1", "--exclude=.larder", self.root]
        return int(subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()[0])

    def larder(self, *arguments):
        """Runs Larder on the volume by its configuration."""
        argv = [volumes.LARDER, *arguments, "--config", self.root.parent / "larder.yaml"]
        return subprocess.run([str(a) for a in argv], capture_output=True, text=True, errors="replace")


def main():
    """Fills, prunes once, looks, and builds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("testbed", type=Path)
    parser.add_argument("--gib", type=int, default=2)
    parser.add_argument("--maven", type=Path, help="the home of a Maven 3.9")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    top = Path(tempfile.mkdtemp(prefix="larder-full-"))
    wrong = []
    try:
        volume = FullVolume(Layout(options.testbed), top, options.maven)
        installed = volume.make(options.gib, random.Random(options.seed))
        before = volume.occupied()
        limit = options.gib * GIB // 2
        (top / "larder.yaml").write_text(
            f"state: {volume.state}\nidle_floor: 1h\nlimits: {{bytes_share: 100%}}\nvolumes:\n"
            f"  - name: build\n    kind: build-cache\n    path: {volume.root}\n    limit: {limit}\n    trash: 24h\n"
            "    pools:\n      daemon-logs: {preset: gradle-daemon-logs, max_idle: 7d}\n")
        result = volume.larder("prune", "--format", "json")
        after, goal = volume.occupied(), limit * 70 // 100
        evicted = []
        if result.returncode != 0:
            wrong.append(f"the prune ended with {result.returncode}: {result.stderr[-600:]}")
        else:
            evicted = json.loads(result.stdout)["volumes"][0]["evicted"]
        if after > goal:
            wrong.append(f"{after} bytes are used after the prune, more than {goal}")
        if before <= limit:
            wrong.append(f"the volume was not over its limit: {before} of {limit}")
        for path, digest in installed.items():
            if not os.path.exists(path):
                wrong.append(f"{path}, which was installed, is gone")
        found = {}
        for place in {str(Path(path).parents[1]) for path in installed}:
            found |= {os.path.join(place, name): d for name, d in volumes.digest_tree(place).items()}
        wrong += [f"{path} was changed" for path, d in installed.items() if path in found and found[path] != d]
        snapshots = [path for path in installed if SNAPSHOT in path and path.endswith(".jar")]
        if len(snapshots) < len(volume.slots):
            wrong.append(f"only {len(snapshots)} installed SNAPSHOTs were there to lose")
        builds = 0
        for slot in volume.slots:
            work = [lambda s=slot: volume.maven(s, volume.projects / "beta")]
            if slot == volume.slots[0]:
                work += [lambda s=slot: volume.maven(s, volume.layout.projects / "maven/alpha"), lambda s=slot: volume.gradle(s, "gamma")]
            if slot == volume.slots[1]:
                work += [lambda s=slot: volume.gradle(s, "delta")]
            for build in work:
                builds += 1
                try:
                    build()
                except Exception as error:
                    wrong.append(f"a build on {slot.name} failed: {error}")
        kinds = {entry["pool"] for entry in evicted}
        for kind in ("daemon-logs", "gradle-other"):
            if kind not in kinds:
                wrong.append(f"nothing of {kind} was evicted")
    finally:
        if not wrong:
            shutil.rmtree(top)
    for line in wrong[:20]:
        print(f"VIOLATION {line}")
    print(f"{builds} builds on a volume that came from {before // MIB} MiB to {after // MIB} MiB of {limit // MIB} MiB by one "
          f"prune of {len(evicted)} entries, {len(wrong)} violations")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
