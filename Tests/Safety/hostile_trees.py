#!/usr/bin/env python3
"""Lets Larder work on hostile volumes while a job races it, and checks the outside byte for byte.

    hostile_trees.py [--trees 9] [--seconds S] [--seed N] [--long] [--verbose]

For each random tree, a build cache or (every third) an image store: two attackers swap what Larder looks at for
links to the outside, for pipes and for other names of outside files, while scans, prunes, restores, purges and
verifications run. Then the outside must be what it was, in
content, mode, owner and times, and the kernel must not have seen any of it opened; no command may hang, end
by a signal or with an exit code that the contract does not have, or print a control character.
Runs confined: see confinement.py. It ends after so many trees, however long they
take; with `--seconds`, or ten minutes for `--long`, not before that time either. `--long` makes single
directories of 150,000 names.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import confinement
import outside
from hostile_store import HostileStore, Podman
from hostile_volume import RUN, HostileVolume

LARDER = os.path.realpath(os.environ.get("LARDER", Path(__file__).parents[2] / ".build/debug/larder"))
ATTACKER = Path(__file__).resolve().with_name("attacker.py")
DEADLINE = 60
EXIT_CODES = {0, 1, 3, 4, 75}
LAST = "the last run"
PRUNE = ["prune", "--to", "1Ki", "--idle-floor", "0s", "--force-limit"]
CACHE_COMMANDS = (
    ["scan"], PRUNE, ["trash", "list"], ["trash", "restore", RUN], ["trash", "restore", LAST],
    PRUNE, ["list"], [*PRUNE, "--purge"], ["trash", "restore", LAST], ["plan"], ["verify"], PRUNE,
    ["verify", "--quarantine"], ["trash", "purge"],
)
STORE_COMMANDS = (
    ["scan"], ["status"], PRUNE, ["list"], ["verify", "--pool", "images"], ["prune", "--orphans"], ["plan"], PRUNE,
    ["prune", "--orphans", "--dry-run"], ["report"], ["scan"], PRUNE,
)


def raw_control(text):
    """Whether there is a character that a terminal obeys, or bytes that are no UTF-8."""
    try:
        characters = text.decode()
    except UnicodeDecodeError:
        return True
    return any(ord(c) < 32 and c != "\n" or 0x7F <= ord(c) < 0xA0 or 0x202A <= ord(c) <= 0x202E for c in characters)


class Bench:
    """One tree with its attackers and the commands that run on it."""

    def __init__(self, place, other, seed, long, number):
        self.dice, self.is_store = random.Random(seed), number % 3 == 2
        kind = HostileStore if self.is_store else HostileVolume
        self.volume = kind(place, other, self.dice, long, number // 3 if self.is_store else number - number // 3)
        self.podman = Podman(self.volume.top / "podman.sock", self.volume.root) if self.is_store else None
        confinement.check_confinement(self.volume.root)
        self.state = Path(tempfile.mkdtemp(dir="/play/state"))
        os.chown(self.state, confinement.USER, confinement.USER)
        self.wrong, self.log, self.commands, self.evicted = [], [], 0, 0
        self.attackers, self.counters, self.last_run = [], [], RUN

    def larder(self, *arguments):
        """Runs one command and judges how it ended."""
        share = 0.8 if arguments[0] == "prune" else 0.4
        arguments = [*arguments, "--format", "json"] if self.dice.random() < share else list(arguments)
        places = ["--build-cache", self.volume.root, "--image-root", "/nonexistent"]
        if self.is_store:
            places = ["--build-cache", "/nonexistent", "--image-root", self.volume.root]
            places += ["--socket", f"unix://{self.volume.top}/podman.sock"]
        argv = [LARDER, *arguments, *places, "--state", self.state]
        began = time.monotonic()
        process = confinement.as_user(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"HOME": "/tmp"})
        words = " ".join(map(str, arguments))
        self.commands += 1
        try:
            output, errors = process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.wrong.append(f"{words}: not done after {DEADLINE} s")
            return
        took = time.monotonic() - began
        self.log.append((words, process.returncode, f"{took:.1f}s", output, errors))
        if process.returncode not in EXIT_CODES:
            self.wrong.append(f"{words}: exit {process.returncode}: {errors[-600:]!r}")
        for name, text in (("output", output), ("errors", errors)):
            if raw_control(text):
                self.wrong.append(f"{words}: raw control characters in its {name}: {text[:600]!r}")
        if "json" in arguments:
            try:
                document = json.loads(output)
                self.evicted += sum(len(v["evicted"]) for v in document.get("volumes", []) if "evicted" in v)
                self.evicted += len(document.get("restored", []))
                if document.get("schema") == "larder.prune/1":
                    self.last_run = document["run"]
            except ValueError as error:
                self.wrong.append(f"{words}: no JSON: {error}: {output[:300]!r}")

    def attack(self):
        """Starts the attackers."""
        for number in range(2):
            counter = os.memfd_create("swaps", 0)
            os.ftruncate(counter, 8)
            self.counters.append(counter)
            argv = [confinement.PYTHON, ATTACKER, self.volume.root, self.volume.outside]
            argv += [self.dice.randrange(1 << 30), counter, number, *(["store"] if self.is_store else [])]
            self.attackers.append(confinement.as_user(argv, pass_fds=[counter]))

    def stop(self):
        """Ends the attackers; how many swaps they made."""
        swaps = 0
        for process, counter in zip(self.attackers, self.counters):
            if process.poll() is not None:
                self.wrong.append(f"an attacker ended by itself: {process.returncode}")
            process.send_signal(signal.SIGKILL)
            process.wait()
            swaps += int.from_bytes(os.pread(counter, 8, 0), "little")
            os.close(counter)
        return swaps

    def run(self):
        """All commands in the race; the number of swaps."""
        before = outside.snapshot(self.volume.outside)
        other = outside.snapshot(self.volume.other)
        watch = outside.Watch()
        linked = {b"files/precious-%d" % n for n in range(4)}
        watch.add_tree(self.volume.outside, before, linked)
        self.larder("scan")
        self.attack()
        for words in STORE_COMMANDS if self.is_store else CACHE_COMMANDS:
            self.larder(*[self.last_run if word == LAST else word for word in words])
        swaps = self.stop()
        self.larder(*PRUNE, "--purge")
        self.larder("trash", "purge")
        if self.podman:
            self.podman.shutdown()
            self.podman.server_close()
            self.evicted = self.podman.removed
        self.wrong += watch.seen()
        watch.close()
        self.wrong += outside.differences(before, outside.snapshot(self.volume.outside))
        self.wrong += outside.differences(other, outside.snapshot(self.volume.other))
        if not os.path.isdir(self.volume.root) or os.path.islink(self.volume.root):
            self.wrong.append("the volume's root is gone")
        self.volume.remove()
        return swaps


def main():
    """Builds tree after tree until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trees", type=int, default=9, help="so many trees at least")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if "CONFINED" not in os.environ:
        confinement.begin_again_confined()
    confinement.confine(LARDER, inodes=900_000 if options.long else 200_000)
    seconds = options.seconds or (600 if options.long else 0)
    end = time.monotonic() + seconds
    trees = swaps = commands = moved = removed = 0
    wrong = []
    while trees < options.trees or time.monotonic() < end:
        seed = options.seed * 1_000_000 + trees
        place, other = [("/play/ext4", "/play/tmpfs/other"), ("/play/tmpfs", "/play/ext4/other")][trees % 2]
        if not os.path.isdir(other):
            os.makedirs(other)
            (Path(other) / "precious").write_bytes(b"other")
            os.chown(other, confinement.USER, confinement.USER)
        began = time.monotonic()
        bench = Bench(place, other, seed, options.long, trees)
        built = time.monotonic() - began
        swaps += bench.run()
        trees += 1
        commands += bench.commands
        moved += 0 if bench.is_store else bench.evicted
        removed += bench.evicted if bench.is_store else 0
        wrong += [f"seed {seed}: {w}" for w in bench.wrong]
        if options.verbose:
            print(f"seed {seed}: built in {built:.1f} s, all in {time.monotonic() - began:.1f} s")
            for words, code, took, output, errors in bench.log:
                print(f"{seed} {words}: {code} {took} {output[-300:]!r} {errors[-300:]!r}", flush=True)
    # A race in which Larder does nothing proves nothing.
    if not (swaps and moved and removed):
        wrong.append(f"{swaps} races, {moved} entries moved, {removed} images removed: nothing was tried")
    for line in wrong[:40]:
        print(f"VIOLATION {line}")
    print(f"{trees} trees, {swaps} races, {commands} commands, {moved} entries moved, {removed} images removed, "
          f"{len(wrong)} violations")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
