#!/usr/bin/env python3
"""Gives Larder the largest and the most hostile files that any job may write, and measures what each costs.

One file a run, just within what Larder reads and far beyond it. Each must take less than 256 MiB, and none may end the process by
a signal. The processor's time is printed; a debug build takes several times that of a release one, so it is not judged unless
--seconds says so.

    memory_bounds.py [--seconds N]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import volumes

LIMIT = 256 << 20
LINE = '{"id":%d,"pool":"maven","key":"k","path":"%s","inode":1,"bytes":1,"last_used":"2026-01-01T00:00:00Z"}'


def journal(top, count, path):
    """The journal of a run in the trash."""
    run = top / "cache/.larder/trash/20260101T000000Z-abcd"
    run.mkdir(parents=True)
    with open(run / "journal.json", "w") as file:
        file.write('{"schema":"larder.trash/1","run":"20260101T000000Z-abcd","created_at":"2026-01-01T00:00:00Z","entries":[')
        file.write(",".join(LINE % (number, path) for number in range(count)))
        file.write("]}")


def events(top, count, files=1):
    """Event logs of Podman."""
    store(top, 0)
    for log in range(files):
        with open(top / f"events/pod{log}.log", "w") as file:
            for number in range(count):
                file.write(f'{{"ID":"{log:020}{number:044}","Image":"registry.example/team/image{number}:1","Name":"n",'
                           '"Status":"create","Time":"2026-11-26T10:00:00Z","Type":"container"}\n')


def store(top, count, padding=""):
    """An image store with so many layers."""
    for kind in ("images", "layers", "containers"):
        folder = top / f"storage/vfs-{kind}"
        folder.mkdir(parents=True)
        records = []
        if kind == "layers":
            records = [{"id": f"{number:064}", "created": "2026-09-01T00:00:00Z", "diff-size": 2**63 - 1, **({"x": padding} if padding else {})}
                       for number in range(count)]
        (folder / f"{kind}.json").write_text(json.dumps(records))
    (top / "events").mkdir()


def maven(top, name, pom=None, jar=b"jar"):
    """One fetched version; its directory."""
    entry = top / f"cache/.m2/repository/g/{name}/1"
    entry.mkdir(parents=True)
    (entry / f"{name}-1.jar").write_bytes(jar)
    (entry / f"{name}-1.pom").write_bytes(pom or b"<project><groupId>g</groupId></project>")
    (entry / "_remote.repositories").write_text(f"{name}-1.jar>central=\n{name}-1.pom>central=\n")
    return entry


def poms(top):
    """A thousand names of one slow pom."""
    slow = ("".join("<" + "a" * 8000 + ">" for _ in range(63)) + "<b></b>" * 75_000).encode()[:1 << 20]
    first = maven(top, "p0", slow)
    for number in range(1, 1000):
        entry = maven(top, f"p{number}")
        (entry / f"p{number}-1.pom").unlink()
        os.link(first / "p0-1.pom", entry / f"p{number}-1.pom")


def tree(top):
    """A tree of two thousand levels with long names."""
    at = top / "cache"
    at.mkdir(exist_ok=True)
    descriptor = os.open(at, os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("d" * 200, dir_fd=descriptor)
        deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = deeper
    os.close(descriptor)


def gradle(top, size):
    """A journal of Gradle's of that size, of nothing but blocks that look like its own."""
    folder = top / "cache/caches/journal-1"
    folder.mkdir(parents=True)
    (top / "cache/caches/modules-2/files-2.1/g/n/1/abc").mkdir(parents=True)
    (top / "cache/caches/modules-2/files-2.1/g/n/1/abc/n-1.jar").write_bytes(b"x")
    (folder / "file-access.bin").write_bytes((b"\x44" + (4).to_bytes(4, "big") + bytes(4) + (9).to_bytes(4, "big")) * (size // 13))


def archive(top, count):
    """A jar with a directory of so many entries."""
    entry = maven(top, "z")
    with zipfile.ZipFile(entry / "z-1.jar", "w") as jar:
        for number in range(count):
            jar.writestr(f"{number:080}", b"")
    volumes.age(entry, 40)


def hole(top):
    """A jar of eight EiB, or of what the file system allows, that occupies nothing; with a checksum."""
    entry = maven(top, "h")
    for power in range(62, 30, -1):
        try:
            os.truncate(entry / "h-1.jar", 1 << power)
            break
        except OSError:
            pass
    (entry / "h-1.jar.sha1").write_text("0" * 40)
    volumes.age(entry, 40)


CASES = {
    "a journal of 100,000 entries": (lambda top: journal(top, 100_000, "g/" + "a" * 400 + "/1"), "scan"),
    "a journal of 120 MB": (lambda top: journal(top, 1_100_000, "a/b"), "scan"),
    "an event log of 300 MB": (lambda top: events(top, 1_700_000), "scan"),
    "fifty event logs of 17 MB": (lambda top: events(top, 100_000, 50), "scan"),
    "layers.json of 90,000 layers": (lambda top: store(top, 90_000, "x" * 200), "scan"),
    "layers.json of 1,300,000 layers": (lambda top: store(top, 1_300_000), "scan"),
    "a thousand names of a slow pom": (poms, "scan"),
    "2,000 levels of directories": (tree, "scan"),
    "a Gradle journal of 31 MiB": (lambda top: gradle(top, 31 << 20), "scan"),
    "a jar of 250,000 entries": (lambda top: archive(top, 250_000), "verify"),
    "a hole for a jar": (hole, "verify"),
}


def measured(command, top):
    """Runs Larder: exit code or minus the signal, bytes of memory at most, seconds of the processor."""
    argv = [str(volumes.LARDER), command, "--build-cache", f"{top}/cache", "--image-root", f"{top}/storage", "--state", f"{top}/state"]
    # Alone, so that what was used is this child's.
    program = ("import os, resource, subprocess, sys\n"
               "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=170).returncode\n"
               "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
               "print(code, used.ru_maxrss << 10, used.ru_utime + used.ru_stime)")
    done = subprocess.run([sys.executable, "-c", program, *argv], capture_output=True, text=True,
                          env={**os.environ, "SWIFT_BACKTRACE": "enable=no"})
    if done.returncode != 0:
        return -1, 0, 170.0
    code, memory, seconds = done.stdout.split()
    return int(code), int(memory), float(seconds)


def main():
    """Runs all cases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, help="the most processor's time for one file")
    options = parser.parse_args()
    wrong = 0
    for name, (make, command) in CASES.items():
        top = Path(tempfile.mkdtemp(prefix="larder-bounds-"))
        try:
            (top / "state").mkdir()
            make(top)
            code, memory, seconds = measured(command, top)
            good = 0 <= code < 128 and memory < LIMIT and (options.seconds is None or seconds <= options.seconds)
            wrong += not good
            print(f"{'ok   ' if good else 'WRONG'} {name}: exit {code}, {memory >> 20} MiB, {seconds:.1f} s", flush=True)
        finally:
            subprocess.run(["rm", "-rf", str(top)], check=False)
    print(f"{len(CASES)} files, {wrong} violations")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
