#!/usr/bin/env python3
"""Runs the template's job with real build tools in pods, and what the architecture document has in its place.

    build_jobs.py MAVEN_HOME      Maven 3.9, as the job's image has; exit code 0 if everything holds

A job is a container in a pod, as in job_pod.py: uid 1001 without a name and without capabilities, a network,
mounts and processes of its own, /cache from a volume. Its variables and its script are those of the
template. Artifacts come from a Maven repository on the bridge between the pods, which writes down each
request, and can hold one back until another process is where a race needs it. Needs root, Gradle and what
tools.py installs; everything goes with the test.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Testbed"))

import job_template
from artifact_server import ArtifactServer
from pods import BRIDGE, OWN_ROOT, Pods, conclude, until

PROJECTS = Path(__file__).resolve().parents[1] / "Testbed/projects"
CONTAINER = OWN_ROOT + """\
mkdir -p cache builds maven job-cache
mount --bind "$VOLUME" cache
if [ -n "${READ_ONLY:-}" ]; then
    mount -o remount,bind,ro cache
    mount -t tmpfs -o mode=1777 none job-cache
fi
mount --bind "$PROJECT" builds
mount --bind "$MAVEN" maven
mount -t tmpfs -o mode=1777 none tmp
mount -t proc none proc
mount --rbind /dev dev
mkdir old
pivot_root . old
umount -l /old
cd /builds
# In the job's image uid 1001 has no name.
sed -i '/^[^:]*:[^:]*:1001:/d' /etc/passwd
mkdir -p "$HOME/.m2"
printf '<settings><mirrors><mirror><id>test</id><mirrorOf>*</mirrorOf><url>%s</url></mirror></mirrors></settings>' \\
    "$MIRROR_URL" > "$HOME/.m2/settings.xml"
setpriv --reuid=1001 --regid=1001 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@" &
# The shell stays: process 1 must reap.
wait $!
"""
# What a machine with two processors is spared; it changes nothing that is looked at.
JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


class Job:
    """A job that runs in a pod; its output goes to a file."""

    def __init__(self, cluster, name, pod, volume, server, env, script, project):
        self.log = cluster.work / f"{name}.log"
        checkout = cluster.work / f"checkout-{name}"
        shutil.copytree(PROJECTS / project, checkout)
        subprocess.run(["chown", "-R", "1001:1001", checkout], check=True)
        values = {"PATH": "/maven/usr/share/maven/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **env,
                  "JAVA_TOOL_OPTIONS": f"{env.get('JAVA_TOOL_OPTIONS', '')} {JAVA}", "MIRROR_URL": server.url,
                  "VOLUME": volume, "PROJECT": checkout, "MAVEN": cluster.maven}
        words = [*cluster.pods.enter(pod), "sh", "-c", CONTAINER, "sh", "sh", "-e", "-c", "\n".join(script)]
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(list(map(str, words)), env={key: str(value) for key, value in values.items()},
                                            cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        cluster.pods.processes.append(self.process)
        self.checkout = checkout

    @property
    def output(self):
        """What it has written so far."""
        return self.log.read_bytes()

    def runs(self):
        """Whether it has not ended."""
        return self.process.poll() is None

    def wait(self, seconds=300):
        """Its exit code."""
        return self.process.wait(seconds)

    def passes(self):
        """Waits for its end; whether it ended well. If not, its last lines are shown."""
        if self.wait() != 0:
            print(f"--- {self.log.name}\n{self.output.decode(errors='replace')[-3000:]}")
        return self.process.returncode == 0


class Cluster:
    """Two pods, and the volumes and artifact servers of each scene."""

    def __init__(self, work, maven):
        self.work = work
        self.maven = maven
        self.pods = Pods(["a", "b"])

    def scene(self, name):
        """A new volume and a server of its own, so that its requests are those of the scene."""
        volume = self.work / f"cache-{name}"
        volume.mkdir()
        os.chown(volume, 1001, 1001)
        return volume, ArtifactServer(BRIDGE)

    def job(self, *arguments, **more):
        """Starts a job."""
        return Job(self, *arguments, **more)


def maven(cluster):
    """Two jobs of the template on one repository, and a third after them."""
    volume, server = cluster.scene("maven")
    repository = volume / ".m2/repository"
    shared = dict(volume=volume, server=server, script=job_template.script(), project="maven/alpha")
    # The first request waits until the other job stands before the same lock.
    server.hold_first(lambda: len(lock_holders(repository / ".locks")) == 2, repository / ".locks")
    first = cluster.job("maven-a", "a", env=job_template.environment(0), **shared)
    until(lambda: server.held.is_set() or not first.runs(), "Maven asks for an artifact", 180)
    second = cluster.job("maven-b", "b", env=job_template.environment(1), **shared)
    passed = [first.passes(), second.passes()]
    fetched = server.artifacts()
    third = cluster.job("maven-c", "b", env=job_template.environment(0), **shared)
    after = third.passes()
    logs = first.output + second.output
    return {
        "maven: two jobs on one repository at once pass": passed == [True, True],
        "maven: each held the other off by a file lock": server.released == "as expected",
        "maven: no artifact without the file lock of its coordinates": len(server.locked) > 20
        and all(server.locked.values()),
        "maven: nothing was fetched twice": len(fetched) > 20 and len(fetched) == len(set(fetched)),
        "maven: no progress in the log": b"Downloaded from" in logs and b"\r" not in logs and b"Progress" not in logs,
        "cache: a second Maven build asks for no artifact": after and len(server.artifacts()) == len(fetched),
    }


def trusted_maven(cluster):
    """The component trusted-build-cache: a trusted job fills the claim, another one reads it and tries to change it."""
    volume, server = cluster.scene("trusted-maven")
    fill, read = job_template.trusted("fill-cache"), job_template.trusted("integration-test")
    trusted = cluster.job("trusted-fill", "a", volume=volume, server=server, env=fill, script=job_template.script(), project="maven/alpha")
    filled = trusted.passes()
    fetched = server.artifacts()
    before = {path: path.stat().st_mtime_ns for path in volume.rglob("*")}
    script = [*job_template.script(), "ls /job-cache/.m2/repository | wc -l",
              "! touch /cache/.m2/repository/poisoned 2>/dev/null", "echo could not be written"]
    job = cluster.job("trusted-read", "b", volume=volume, server=server, env=read | {"READ_ONLY": "yes"}, script=script, project="maven/alpha")
    passed = job.passes()
    return {
        "trusted cache: a job passes on what the trusted one fetched, and fetches no artifact": filled and passed
        and len(fetched) > 20 and len(server.artifacts()) == len(fetched),
        "trusted cache: it can change nothing there": b"could not be written" in job.output
        and before == {path: path.stat().st_mtime_ns for path in volume.rglob("*")},
    }


def document_maven(cluster):
    """The same with the document's variables and its script."""
    volume, server = cluster.scene("document-maven")
    locks = volume / ".m2/repository/.locks"
    shared = dict(volume=volume, server=server, script=job_template.DOCUMENT_SCRIPT, project="maven/alpha")
    env = {key: value for key, value in job_template.environment(0).items() if key not in job_template.DOCUMENT}
    env |= job_template.DOCUMENT
    server.hold_first(lambda: server.artifacts().count(server.artifacts()[0]) > 1, locks)
    first = cluster.job("document-maven-a", "a", env=env, **shared)
    until(lambda: server.held.is_set() or not first.runs(), "Maven asks for an artifact", 180)
    second = cluster.job("document-maven-b", "b", env=env, **shared)
    first.wait()
    second.wait()
    return {
        "the document's maven: both jobs fetch one artifact at once": server.released == "as expected"
        and not locks.exists(),
        "the document's maven: progress in the log": b"Progress" in first.output and b"\r" in first.output,
    }


def gradle(cluster):
    """Two jobs of the template, each with its home, and one after them."""
    volume, server = cluster.scene("gradle")
    homes = [Path(job_template.environment(slot)["GRADLE_USER_HOME"]) for slot in (0, 1)]
    shared = dict(volume=volume, server=server, project="gradle/gamma")
    first = cluster.job("gradle-a", "a", env=job_template.environment(0), script=holding(homes[0]), **shared)
    holds = volume / homes[0].relative_to("/cache") / "holds"
    until(lambda: holds.exists() or not first.runs(), "the first Gradle build holds its home", 180)
    second = cluster.job("gradle-b", "b", env=job_template.environment(1), script=["gradle --no-daemon build"], **shared)
    passed = second.passes() and first.runs()
    (holds.parent / "go").touch()
    passed = first.passes() and passed
    fetched = len(server.artifacts())
    third = cluster.job("gradle-c", "b", env=job_template.environment(0), script=["gradle --no-daemon build"], **shared)
    after = third.passes()
    kept = [sorted(path.name for path in (volume / home.relative_to("/cache")).glob("caches/modules-2/files-2.1/**/*.jar"))
            for home in homes]
    return {
        "gradle: a job in another slot passes beside one that holds its locks": passed,
        "gradle: each slot keeps its artifacts in its own home": kept[0] == kept[1] != []
        and not (volume / "caches").exists(),
        "cache: a second Gradle build asks for no artifact": after and len(server.artifacts()) == fetched,
    }


def document_gradle(cluster):
    """The same with one home for all, as the document has it: about a minute, which is Gradle's patience."""
    volume, server = cluster.scene("document-gradle")
    env = job_template.environment(0) | job_template.DOCUMENT
    shared = dict(volume=volume, server=server, project="gradle/gamma")
    home = Path(env["GRADLE_USER_HOME"])
    first = cluster.job("document-gradle-a", "a", env=env, script=holding(home), **shared)
    holds = volume / home.relative_to("/cache") / "holds"
    until(lambda: holds.exists() or not first.runs(), "the first Gradle build holds its home", 180)
    second = cluster.job("document-gradle-b", "b", env=env, script=["gradle --no-daemon build"], **shared)
    code = second.wait()
    (holds.parent / "go").touch()
    return {
        "the document's gradle: the second job times out on the first one's lock": first.passes() and code != 0
        and b"Timeout waiting to lock" in second.output,
    }


def holding(home):
    """A script whose build stays, when all is built, until the file `go` appears in its home."""
    return [
        "cat >> build.gradle <<'END'",
        "build.doLast {",
        f"    new File('{home}/holds').text = ''",
        f"    while (!new File('{home}/go').exists()) {{ Thread.sleep(50) }}",
        "}",
        "END",
        "gradle --no-daemon build",
    ]


def lock_holders(locks):
    """The processes that have a lock file of Maven's open, whether they hold the lock or wait for it."""
    inodes = {path.stat().st_ino for path in locks.glob("*")} if locks.exists() else set()
    holders = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if link.stat().st_ino in inodes and ".locks" in os.readlink(link):
                holders.add(link.parts[2])
        except OSError:
            continue
    return holders


def main():
    maven_home = Path(sys.argv[1]).absolute()
    checks = {"tags: " + problem: False for problem in job_template.tag_problems()} or {"tags: the runner's": True}
    with tempfile.TemporaryDirectory(prefix="larder-builds-", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        work = Path(name)
        work.chmod(0o755)
        cluster = Cluster(work, maven_home)
        try:
            with ThreadPoolExecutor() as pool:
                # Most of its time it waits for the lock.
                waiting = pool.submit(document_gradle, cluster)
                for scene in (maven, trusted_maven, document_maven, gradle):
                    checks |= scene(cluster)
                checks |= waiting.result()
        finally:
            cluster.pods.end()
    sys.exit(conclude(checks))


if __name__ == "__main__":
    main()
