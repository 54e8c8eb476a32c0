#!/usr/bin/env python3
"""Prunes on small real file systems that have no byte and no inode left, and with a full state directory.

Each case fills a disk for good, prunes, and lets the independent check of volumes.py look. Needs root.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import volumes

FILESYSTEMS = Path(__file__).parents[1] / "Testbed/filesystems.py"
PRUNE = ["prune", "--to", "1Ki", "--idle-floor", "0s", "--force-limit"]


class Disk:
    """A small file system, unmounted at the end."""

    def __init__(self, path, *options):
        self.path, self.options = path, options

    def __enter__(self):
        subprocess.run([sys.executable, FILESYSTEMS, "make", self.path, *self.options], check=True)
        return self.path

    def __exit__(self, *_):
        subprocess.run([sys.executable, FILESYSTEMS, "unmount", self.path], check=True)


def fill_bytes(directory):
    """Writes until not one byte is left."""
    with open(directory / "ballast", "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 512, 1):
            try:
                while True:
                    file.write(b"b" * size)
            except OSError:
                pass
    return os.statvfs(directory).f_bavail


def fill_inodes(directory):
    """Makes files until no inode is left."""
    many = directory / "many"
    many.mkdir(exist_ok=True)
    number = 0
    try:
        while True:
            (many / str(number)).touch()
            number += 1
    except OSError:
        pass
    return os.statvfs(directory).f_favail


def expect(wrong, name, condition, detail):
    """Notes what is not as it should be."""
    if not condition:
        wrong.append(f"{name}: {detail}")


def full_volume(name, directory, disk, fill, scan_first):
    """A prune of a volume without a free byte or inode frees room, and evicts whole entries only."""
    wrong = []
    state = directory / f"state-{name}"
    state.mkdir()
    with Disk(directory / name, *disk) as root:
        for number in range(6):
            volumes.add_entry(root, f"e{number}", f"{name}{number}", size=20_000)
        before = volumes.entries(root)
        if scan_first:
            volumes.larder(root, state, "scan")
        left = fill(root)
        free = os.statvfs(root)
        expect(wrong, name, left == 0, f"the disk could not be filled: {left} left")
        result = volumes.larder(root, state, *PRUNE)
        now = os.statvfs(root)
        # On a tmpfs a directory takes no block.
        can_make = scan_first or (disk[1] == "tmpfs" and fill is fill_bytes)
        if can_make:
            expect(wrong, name, result.returncode in (0, 3, 4), f"exit {result.returncode}: {result.stderr}")
            expect(wrong, name, not volumes.entries(root), "entries stayed in the cache")
            expect(wrong, name, now.f_bfree > free.f_bfree, "no room was made")
            expect(wrong, name, "gone for good" in result.stderr, f"it does not say so: {result.stderr}")
        else:
            expect(wrong, name, result.returncode == 1, f"exit {result.returncode}")
            expect(wrong, name, "free an inode and a block" in result.stderr, result.stderr)
            expect(wrong, name, volumes.entries(root) == before, "entries changed")
        again = volumes.larder(root, state, "prune", "--to", "1Gi", "--purge")
        expect(wrong, name, again.returncode in (0, 1), f"the next prune: {again.stderr}")
        wrong += [f"{name}: {w}" for w in volumes.check_entries(root, before, can_make)]
        wrong += [f"{name}: {w}" for w in volumes.check_index(root, state) + volumes.check_strays(root, state)]
    print(f"{name}: {'prune made room' if can_make else 'refused with its cure'}, {len(wrong)} violations")
    return wrong


def full_state(name, directory, disk, fill, scan_first, reserve):
    """A prune with a full state directory works: from the reserve, else from memory, with a warning."""
    wrong = []
    root = directory / f"cache-{name}"
    root.mkdir()
    for number in range(6):
        volumes.add_entry(root, f"e{number}", f"{name}{number}")
    before = volumes.entries(root)
    with Disk(directory / f"disk-{name}", *disk) as full:
        state = full / "state"
        if scan_first:
            volumes.larder(root, state, "scan")
            if not reserve:
                (state / "reserve").unlink()
        fill(full)
        result = volumes.larder(root, state, *PRUNE)
        expect(wrong, name, result.returncode in (0, 3, 4), f"exit {result.returncode}: {result.stderr}")
        expect(wrong, name, "full" in result.stderr, f"no warning: {result.stderr!r}")
        in_memory = "without its history" in result.stderr
        expect(wrong, name, in_memory != reserve, f"in memory: {in_memory}; {result.stderr}")
        expect(wrong, name, not volumes.entries(root), "entries stayed in the cache")
        shutil.rmtree(full / "many", ignore_errors=True)
        (full / "ballast").unlink(missing_ok=True)
        for _ in range(2):
            again = volumes.larder(root, state, "scan")
        expect(wrong, name, again.returncode == 0, f"the next scan: {again.stderr}")
        wrong += [f"{name}: {w}" for w in volumes.check_entries(root, before, False)]
        strays = volumes.check_strays(root, state)
        index = volumes.check_index(root, state) if scan_first else []  # else nobody knew the entries
        wrong += [f"{name}: {w}" for w in index + strays]
    print(f"{name}: pruned {'from memory' if in_memory else 'with the reserve'}, {len(wrong)} violations")
    return wrong


def main():
    """Runs all cases."""
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(3)
    directory = Path(tempfile.mkdtemp(prefix="larder-full-"))
    ext4 = ["--type", "ext4", "--size", "16M", "--inodes", "400"]
    tmpfs = ["--type", "tmpfs", "--size", "16M", "--inodes", "400"]
    wrong = []
    cases = 0
    try:
        for kind, disk in (("ext4", ext4), ("tmpfs", tmpfs)):
            for what, fill in (("bytes", fill_bytes), ("inodes", fill_inodes)):
                for scan_first in (True, False):
                    name = f"{kind}-{what}-{'scanned' if scan_first else 'new'}"
                    wrong += full_volume(name, directory, disk, fill, scan_first)
                    cases += 1
                for case, scan_first, reserve in (("reserve", True, True), ("memory", True, False), ("new", False, False)):
                    wrong += full_state(f"state-{kind}-{what}-{case}", directory, disk, fill, scan_first, reserve)
                    cases += 1
    finally:
        shutil.rmtree(directory)
    for line in wrong[:40]:
        print(f"VIOLATION {line}")
    print(f"{cases} full disks, {len(wrong)} violations")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
