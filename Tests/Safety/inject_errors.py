#!/usr/bin/env python3
"""Lets system calls of Larder fail, one at a time, and looks what became of a build cache.

For scan, plan, prune, restore, purge and verify: a first run under strace tells which calls concern the volume or the
state directory. Then each of a sample of them fails once, with each error that the call can return, and so do runs under
small limits of open files and file sizes. After each: no process died by a signal, what is protected is in its place, every
entry is whole, where it was or in the trash, and the next scan without faults knows exactly what is there. So do limits
of memory and of processes; what does not end within two minutes is a violation as well.

    inject_errors.py [--long] [--seed N]      prints the count of injections; with --long every call fails with every error
"""

import argparse
import collections
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import volumes

ERRORS = {
    "openat": ["EIO", "ENOMEM", "EACCES", "EMFILE", "ESTALE", "ENOENT", "ENOSPC"],
    "openat2": ["EIO", "ENOMEM", "EACCES", "EMFILE", "ESTALE", "ENOENT", "ENAMETOOLONG", "EAGAIN"],
    "statx": ["EIO", "ENOMEM", "EACCES", "ESTALE", "ENOENT"],
    "getdents64": ["EIO", "ESTALE", "ENOENT"],
    "read": ["EIO", "EINTR", "ESTALE"],
    "pread64": ["EIO", "EINTR", "ESTALE"],
    "write": ["EIO", "ENOSPC", "EDQUOT"],
    "pwrite64": ["EIO", "ENOSPC", "EDQUOT"],
    "mkdirat": ["ENOSPC", "EDQUOT", "EIO", "EACCES", "EMLINK"],
    "renameat": ["EIO", "ENOSPC", "EDQUOT", "EACCES"],
    "renameat2": ["EIO", "ENOSPC", "EDQUOT", "EACCES", "EXDEV", "ESTALE"],
    "unlinkat": ["EIO", "EACCES", "EBUSY"],
    "fsync": ["EIO", "ENOSPC", "EDQUOT"],
    "fdatasync": ["EIO", "ENOSPC", "EDQUOT"],
    "flock": ["ENOLCK", "EINTR", "EWOULDBLOCK"],
    "fcntl": ["ENOLCK", "EIO", "EAGAIN"],
    "utimensat": ["EPERM", "EIO", "EROFS"],
    "fstatfs": ["EIO", "ESTALE"],
}
# Without what tests are told, of which Larder would warn.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "LARDER_TESTBED"}, "SWIFT_BACKTRACE": "enable=no"}
COMMANDS = {
    "scan": ["scan"],
    "plan": ["plan", "--to", "0"],
    "prune": ["prune", "--to", "0", "--force-limit", "--idle-floor", "0s"],
    "restore": ["trash", "restore", "RUN"],
    "purge": ["trash", "purge"],
    "verify": ["verify", "--quarantine"],
}


class Volume:
    """A build cache with what may go and what must stay, and a state directory."""

    def __init__(self):
        self.top = Path(tempfile.mkdtemp(prefix="larder-faults-"))
        self.root, self.state = self.top / "cache", self.top / "state"
        self.root.mkdir()
        self.state.mkdir()
        for name in ("a", "b", "c", "local", "mine", "flight"):
            volumes.add_entry(self.root, name, name)
        group = self.root / ".m2/repository/g"
        (group / "local/1/_remote.repositories").write_text("local-1.jar>=\n")
        (group / "mine/1/checkout").mkdir()
        (group / "mine/1/checkout/notes").write_text("mine")
        module = self.root / "caches/modules-2/files-2.1/org.x/y/1.0/abc"
        module.mkdir(parents=True)
        (module / "y-1.0.jar").write_bytes(bytes(9000))
        volumes.age(self.root, 40)
        (group / "flight/1/flight-1.jar.part").write_bytes(b"half")
        self.entries = {name: group / name / "1" for name in ("a", "b", "c", "local", "mine", "flight")}
        self.entries["y"] = module.parent
        self.protected = {name: contents(self.entries[name]) for name in ("local", "mine", "flight")}
        self.whole = {name: contents(path) for name, path in self.entries.items()}

    def remove(self):
        """Takes it away."""
        shutil.rmtree(self.top, ignore_errors=True)

    def argv(self, words):
        """The command that Larder is run by."""
        return [
            str(volumes.LARDER), *words, "--build-cache", str(self.root), "--image-root", "/nonexistent", "--state",
            str(self.state),
        ]

    def larder(self, words, before=(), limits=None):
        """Runs Larder to its end: (exit code or minus the signal, output)."""
        try:
            done = subprocess.run(
                [*before, *self.argv(words)], capture_output=True, text=True, timeout=120, preexec_fn=limits,
                env=ENVIRONMENT)
        except subprocess.TimeoutExpired:
            return -9, "not done within two minutes"
        return done.returncode, done.stdout + done.stderr

    def prepare(self, command):
        """What comes before a command: scans, and for what works on the trash a prune. Its words."""
        self.larder(["scan"])
        if command in ("restore", "purge"):
            self.larder(COMMANDS["prune"])
        if command == "verify":
            (self.entries["a"] / "a-1.jar").write_bytes(b"damaged")
            (self.entries["a"] / "a-1.jar.sha1").write_text("0" * 40)
            volumes.age(self.entries["a"], 40)
            self.whole["a"] = contents(self.entries["a"])
            self.larder(["scan"])
        runs = sorted(path.name for path in (self.root / ".larder/trash").iterdir())
        return [runs[-1] if word == "RUN" and runs else word for word in COMMANDS[command]]

    def give_to(self, user, top):
        """Makes a tree a user's, without a trace in the access times."""
        for path, folders, files in os.walk(top):
            for name in [".", *folders, *files]:
                os.chown(os.path.join(path, name), user, user, follow_symlinks=False)

    def faults(self, command):
        """What is wrong now, a sentence each."""
        wrong = []
        for name, expected in self.protected.items():
            if contents(self.entries[name]) != expected:
                wrong.append(f"{name}, which is protected, is not as it was")
        trash = [path for path in (self.root / ".larder/trash").glob("*/*") if path.name.isdigit()]
        kept = [contents(path) for path in trash]
        for name, expected in self.whole.items():
            here = contents(self.entries[name])
            if here not in (None, expected):
                wrong.append(f"{name} is there by half")
            if here is None and expected not in kept and command != "purge":
                wrong.append(f"{name} is neither in its place nor in the trash")
        code, told = self.larder(["scan", "--format", "json"])
        there = sum(path.is_dir() for path in self.entries.values())
        _, listed = self.larder(["list", "--format", "json"])
        try:
            known = {entry["path"] for entry in json.loads(listed)["entries"]}
        except (ValueError, KeyError):
            known = set()
        missing = [name for name, path in self.entries.items() if path.is_dir() and str(path.relative_to(self.root)) not in known]
        if code not in (0, 1) or missing or len(known) != there:
            wrong.append(f"the next scan ends with {code} and misses {missing}, knows {len(known)} of {there}: {told[-300:]}")
        if code == 1:
            # A damaged index is put in order at the next opening, and told.
            code, told = self.larder(["scan"])
            if code != 0:
                wrong.append(f"a second scan ends with {code}: {told[-300:]}")
        return wrong


def contents(directory):
    """Each file of a tree with the hash of what is in it; None where it is not there."""
    return volumes.digest_tree(directory) if directory.is_dir() else None


def calls(command):
    """The calls of a run that concern the volume or the state: (name, which one of its thread).

    And those of them that list the folder of a run in the trash: one that is not read is not empty.
    """
    volume = Volume()
    try:
        words = volume.prepare(command)
        trace = volume.top / "trace"
        volume.larder(words, ["strace", "-f", "-y", "-qq", "-o", str(trace), "-e", "trace=" + ",".join(ERRORS)])
        counts, found, listings = collections.Counter(), [], []
        for line in trace.read_text(errors="replace").splitlines():
            match = re.match(r"(\d+) +(\w+)\(", line)
            if not match:
                continue
            thread, name = match.groups()
            counts[thread, name] += 1
            if str(volume.top) in line and name in ERRORS:
                found.append((name, counts[thread, name]))
                if name == "getdents64" and re.search(r"/\.larder/trash/[^/>]+>", line):
                    listings.append(counts[thread, name])
        return sorted(set(found)), sorted(set(listings))
    finally:
        volume.remove()


def attempt(volume, command, before, limits, what):
    """Runs a command with a fault on a volume that is at rest; what is wrong afterwards."""
    try:
        if limits and os.getuid() == 0:
            volume.give_to(NOBODY, volume.top)
        words = volume.prepare(command)
        if limits and os.getuid() == 0:
            volume.give_to(NOBODY, volume.state)
            volume.give_to(NOBODY, volume.root / ".larder")
        traced = [str(volume.top / "injected") if word == "TRACE" else word for word in before]
        code, told = volume.larder(words, traced, limits)
        if (code < 0 or code > 128) and failed_a_look_at_threads(volume.top / "injected"):
            return []
        wrong = [f"it died by signal {-code if code < 0 else code - 128}: {told[-300:]}"] if code < 0 or code > 128 else []
        return [f"{command}, {what}: {fault}" for fault in wrong + volume.faults(command)]
    finally:
        volume.remove()


def failed_a_look_at_threads(trace):
    """Whether a call failed by which the thread library looks at its own threads: it ends the process by itself then.

    Calls are counted by thread, so the one that fails may be of another kind in another thread.
    """
    lines = trace.read_text(errors="replace").splitlines() if trace.exists() else []
    return any("(INJECTED)" in line and re.search(r'"/proc/\d+/stat"', line) for line in lines)


def at_rest(tries):
    """Each of the tries with a volume of its own, which was made so long before that a second scan skips what is unchanged."""
    for start in range(0, len(tries), 40):
        batch = [(Volume(), what) for what in tries[start:start + 40]]
        time.sleep(2.5)
        yield from batch


NOBODY = 54_321  # a user that has no processes: a limit of processes does not hold for root


def limit(kind, value):
    """What sets a limit in a process that is about to begin."""

    def set_limit():
        resource.setrlimit(kind, (value, value))
        if kind == resource.RLIMIT_NPROC and os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)

    return set_limit


def limits_of(command, is_long, chance):
    """The limits that a command is run under."""
    kinds = (
        (resource.RLIMIT_NOFILE, (16, 24, 40)), (resource.RLIMIT_FSIZE, (0, 4096)),
        # 256 MiB of addresses are enough, the debug build's runtime included.
        (resource.RLIMIT_AS, (256 << 20, 400 << 20)), (resource.RLIMIT_NPROC, (1, 2, 3, 5, 8, 12)),
    )
    return [(kind, value) for kind, values in kinds for value in (values if is_long else [chance.choice(values)])]


def main():
    """Injects, and prints the count of all that was tried."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--each", type=int, default=8, help="injections of a command, without --long")
    parser.add_argument("--command", choices=list(COMMANDS), action="append")
    options = parser.parse_args()
    chance, done, wrong = random.Random(options.seed), 0, []
    for command in options.command or COMMANDS:
        found, listings = calls(command)
        tries = [(name, number, error) for name, number in found for error in ERRORS[name]]
        if not options.long:
            tries = chance.sample(tries, min(options.each, len(tries)))
            # Threads share the work differently each time: those around it as well.
            near = range(max(1, min(listings) - 6), max(listings) + 3) if listings else []
            tries += [("getdents64", number, "ENOENT") for number in near]
        faults = []
        for name, number, error in tries:
            inject = ["strace", "-f", "-qq", "-o", "TRACE", "-e", f"trace={name}", "-e", f"inject={name}:error={error}:when={number}"]
            faults.append((inject, None, f"call {number} of {name} fails with {error}"))
        for kind, value in limits_of(command, options.long, chance):
            faults.append(([], limit(kind, value), f"limit {kind} is {value}"))
        for volume, fault in at_rest(faults):
            wrong += attempt(volume, command, *fault)
            done += 1
        print(f"{command}: {len(found)} calls concern the volume or the state; {done} faults until now, {len(wrong)} wrong", flush=True)
    for line in wrong:
        print(line)
    print(f"{done} faults, {len(wrong)} violations (seed {options.seed})")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
