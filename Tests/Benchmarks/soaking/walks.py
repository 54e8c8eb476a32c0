"""The own look at the build volume: which entries came and went, and what they occupied.

An entry is a directory of Maven's repository with a `_remote.repositories`, or a directory
group/artifact/version of Gradle's modules. No job deletes any: one that is gone was evicted.
"""

import collections
import os
import time

import events

POOLS = ("maven", "gradle")


class Walks:
    """Walks the volume again and again by the jobs' path, which no fault takes away."""

    def __init__(self, place):
        self.place = place
        self.known = {}
        self.events = events.Kept(place.events)
        self.evicted, self.evicted_bytes = collections.Counter(), collections.Counter()
        self.fetched = collections.Counter()

    def begin(self):
        self.known = self.entries()

    def loop(self):
        while self.place.goes_on():
            self.look()
            self.events.look()
            time.sleep(1)

    def look(self):
        """Compares what is there with what was there."""
        now = self.entries()
        for path, (pool, inode, size) in self.known.items():
            if path not in now or now[path][1] != inode:
                self.evicted[pool] += 1
                self.evicted_bytes[pool] += size
        for path, (pool, inode, _) in now.items():
            if path not in self.known or self.known[path][1] != inode:
                self.fetched[pool] += 1
        self.known = now

    def evictions(self):
        return sum(self.evicted.values())

    def entries(self):
        """Each entry by its path: pool, inode, occupied bytes."""
        found = {}
        cache = self.place.cache
        for directory, _, files in os.walk(cache / ".m2/repository"):
            if "_remote.repositories" in files:
                add(found, "maven", directory)
        for path in (cache / "caches/modules-2/files-2.1").glob("*/*/*"):
            add(found, "gradle", str(path))
        return found

    def sums(self):
        """The number and the bytes of the entries of each pool."""
        number, size = collections.Counter(), collections.Counter()
        for pool, _, occupied in self.entries().values():
            number[pool] += 1
            size[pool] += occupied
        return number, size


def add(found, pool, path):
    try:
        found[path] = (pool, os.stat(path).st_ino, du(path))
    except FileNotFoundError:
        pass


def du(top, without=()):
    """What a tree occupies, each inode once, but what lies in `without`; what vanishes meanwhile is left out."""
    seen, total = set(), 0
    for directory, names, files in os.walk(top):
        if directory in without:
            names.clear()
            files = []
        for path in (directory, *(os.path.join(directory, name) for name in files)):
            try:
                stat = os.lstat(path)
            except FileNotFoundError:
                continue
            if stat.st_ino not in seen:
                seen.add(stat.st_ino)
                total += stat.st_blocks * 512
    return total
