#!/usr/bin/env python3
"""A job that owns the cache and races Larder: swaps what Larder looks at for links to the outside.

    attacker.py ROOT OUTSIDE SEED COUNTER NUMBER [store]

It works by directory descriptors and never through a link itself, so that whatever happens to the outside was
not its doing. Runs until it is killed; counts its swaps in a file descriptor given by the caller.
"""

import ctypes
import mmap
import os
import random
import struct
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
EXCHANGE = 2
# Where it swaps, how often, and what is one attacker's alone: in a build cache, and in an image store.
CACHE = [(35, [b".m2", b"repository", b"g"]), (10, [b"caches"]), (25, [b".larder", b"trash"])]
CACHE_TOPS = [[b".larder"], [b".larder", b"trash"], [b".m2"], [b".m2", b"repository", b"g"]]
STORE = [(25, [b"vfs-layers"]), (20, [b"vfs-images"]), (15, [b"vfs-containers"]), (10, [b"vfs", b"dir"])]
STORE_TOPS = [[b".larder"], [b"vfs-layers"], [b"vfs-images"], [b"vfs-containers"], [b"vfs", b"dir"]]
OPENAT2 = 437
# struct open_how: O_RDONLY | O_DIRECTORY | O_CLOEXEC; RESOLVE_BENEATH | NO_SYMLINKS | NO_MAGICLINKS | NO_XDEV.
HOW = struct.pack("QQQ", os.O_DIRECTORY | os.O_CLOEXEC, 0, 0x8 | 0x4 | 0x2 | 0x1)


def open_directory(name, parent):
    """Opens a directory of the volume itself: through no link and over no mount point."""
    descriptor = LIBC.syscall(OPENAT2, parent, name, HOW, len(HOW))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return descriptor


class Attacker:
    """One racing job."""

    def __init__(self, root, outside, seed, counter, number, is_store):
        self.top, self.outside = os.open(root, os.O_RDONLY | os.O_DIRECTORY), os.fsencode(outside)
        self.dice, self.counter, self.count = random.Random(seed), counter, 0
        self.number = number
        self.haunts, self.tops, self.is_store = *((STORE, STORE_TOPS) if is_store else (CACHE, CACHE_TOPS)), is_store

    def open(self, steps):
        """A directory below the root, through no link; the caller closes it."""
        at = os.dup(self.top)
        for step in steps:
            try:
                below = open_directory(step, at)
            finally:
                os.close(at)
            at = below
        return at

    def wander(self, steps):
        """Goes down at random from there; the steps to some directory that has something in it."""
        at = self.open(steps)
        steps = list(steps)
        for _ in range(self.dice.randint(1, 7)):
            names = [os.fsencode(n) for n in os.listdir(at)][:400]
            if not names:
                break
            name = self.dice.choice(names)
            try:
                below = open_directory(name, at)
            except OSError:
                # Files as well: all of a store's records, some of a cache's.
                if self.is_store or self.dice.random() < 0.2:
                    steps.append(name)
                break
            os.close(at)
            at = below
            steps.append(name)
        os.close(at)
        return steps

    def lure(self, steps, directory):
        """Puts something beside a name that takes its place in one call; its own name."""
        bait = b"bait%d" % self.dice.randrange(1 << 30)
        kind = self.dice.choice(["mirror", "mirror", "run", "larder", "file", "hard", "fifo", "none"])
        if kind in ("mirror", "file"):
            whole = b"/mirror/" + b"/".join(steps) if kind == "mirror" else b"/files/precious-1"
            os.symlink(self.outside + whole, bait, dir_fd=directory)
        elif kind in ("run", "larder"):
            os.symlink(self.outside + b"/" + kind.encode(), bait, dir_fd=directory)
        elif kind == "hard":
            precious = self.outside + b"/files/precious-%d" % self.dice.randrange(4)
            os.link(precious, bait, dst_dir_fd=directory, follow_symlinks=False)
        elif kind == "fifo":
            os.mkfifo(bait, dir_fd=directory)
        else:
            os.mkdir(bait, dir_fd=directory)
        return bait

    def swap(self, steps):
        """Swaps a name for a lure and back, many times."""
        # The top belongs to one of the two: otherwise it soon stays swapped, and Larder only refuses.
        if not steps or self.number and (self.is_store and len(steps) < 3 or steps in self.tops):
            return
        directory = self.open(steps[:-1])
        bait = None
        try:
            bait = self.lure(steps, directory)
            leaves = self.dice.random() < 0.03 and steps[0] != b".larder" and len(steps) > 2
            rounds = 2 * self.dice.choice([1, 5, 50, 200]) + leaves
            for _ in range(rounds):
                if LIBC.renameat2(directory, steps[-1], directory, bait, EXCHANGE) != 0:
                    break
                self.done()
        finally:
            try:
                if bait is not None and self.dice.random() < 0.9:
                    os.unlink(bait, dir_fd=directory)
            except OSError:
                pass
            os.close(directory)

    def done(self):
        """Counts, and now and then lets others run."""
        self.count += 1
        self.counter[:] = struct.pack("q", self.count)
        if self.count % 16 == 0:
            os.sched_yield()

    def plant(self):
        """Puts one more name of an outside file where Larder is about to write."""
        place = self.dice.choice([b"lock", b"atime-probe", b"volume-id.tmp", b"volume-id"])
        own = self.open([b".larder"])
        try:
            for _ in range(100):
                bait = self.lure([b".larder"], own)
                os.rename(bait, place, src_dir_fd=own, dst_dir_fd=own)
                self.done()
        finally:
            os.close(own)

    def disturb(self):
        """Takes and gives permissions, makes and moves."""
        steps = self.wander([])
        if not steps or steps == [b".larder"]:
            return
        directory = self.open(steps[:-1])
        try:
            kind = self.dice.choice(["mode", "new", "move"])
            if kind == "mode":
                below = open_directory(steps[-1], directory)
                os.fchmod(below, self.dice.choice([0, 0o700, 0o500]))
                os.fchmod(below, 0o755)
                os.close(below)
            elif kind == "new":
                os.close(os.open(b"new%d" % self.dice.randrange(99), os.O_CREAT | os.O_EXCL | os.O_WRONLY, dir_fd=directory))
            else:
                os.rename(steps[-1], b"away", src_dir_fd=directory, dst_dir_fd=directory)
                os.rename(b"away", steps[-1], src_dir_fd=directory, dst_dir_fd=directory)
            self.done()
        finally:
            os.close(directory)

    def attack(self):
        """One of all, at random."""
        kind = self.dice.random()
        if kind < 0.7:
            chances, places = zip(*self.haunts)
            self.swap(self.wander(self.dice.choices(places, chances)[0]))
        elif kind < 0.8:
            self.swap(self.dice.choice(self.tops))
        elif kind < 0.9:
            self.plant()
        else:
            self.disturb()


def main():
    """Attacks until killed."""
    root, outside = sys.argv[1:3]
    seed, counter, number = map(int, sys.argv[3:6])
    attacker = Attacker(root, outside, seed, mmap.mmap(counter, 8), number, sys.argv[6:] == ["store"])
    # A job that never rests leaves nothing to evict: each has its own pace.
    pause = attacker.dice.choice([0, 0.002, 0.02])
    while True:
        try:
            attacker.attack()
        except OSError:
            pass
        time.sleep(pause * attacker.dice.random())


if __name__ == "__main__":
    main()
