#!/usr/bin/env python3
"""Kills Larder with SIGKILL at every system call that changes something, and checks what is left.

    kill_prune.py [--every N] [--directory DIR]

For each of five commands (a prune into the trash, a prune that purges, a restore, a purge, a verification that
moves what is damaged) the calls are counted once, and their order is looked at; then, for each of them, the
command is run again under strace and killed as it enters that call. Afterwards the next scan and the next prune run, and the independent check of volumes.py looks: each
entry is whole in the cache, whole in the trash, or (only where something was purged) gone; the index agrees;
nothing stray is left.
"""

import argparse
import collections
import concurrent.futures
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import volumes

# A file made by openat and not yet written is the state before the next of these.
CALLS = "renameat2,renameat,rename,mkdirat,mkdir,write,pwrite64,fsync,fdatasync,unlinkat,unlink,ftruncate,rmdir"
# One thread does the work: strace counts the calls of each thread by itself.
ENVIRONMENT = {"LIBDISPATCH_COOPERATIVE_POOL_STRICT": "1"}
ONE_CPU = ["taskset", "-c"]


# What a kill cannot show, but a power failure would: the journal is on disk before the first entry moves.
SYNCED = [
    r"fsync\(\d+<[^>]*/trash/[^/>]+/journal\.tmp>\)", r"renameat\(.*\"journal\.tmp\".*\"journal\.json\"",
    r"fsync\(\d+<[^>]*/\.larder/trash/[^/>]+>\)", r"fsync\(\d+<[^>]*/\.larder/trash>\)", r"renameat2\(",
]


class Case:
    """A command that is killed, and the state it begins with."""

    def __init__(self, name, command, may_be_gone, trash_first):
        self.name, self.command, self.may_be_gone, self.trash_first = name, command, may_be_gone, trash_first


CASES = [
    Case("prune", ["prune", "--to", "1Ki", "--idle-floor", "0s", "--force-limit"], False, False),
    Case("prune --purge", ["prune", "--to", "1Ki", "--idle-floor", "0s", "--force-limit", "--purge"], True, False),
    Case("trash restore", ["trash", "restore", "RUN"], False, True),
    Case("trash purge", ["trash", "purge"], True, True),
    Case("verify --quarantine", ["verify", "--quarantine", "--idle-floor", "0s", "--force-limit"], False, False),
]


class Bench:
    """A volume and a state directory that can be set back to how they were, inode of the root included."""

    def __init__(self, directory, case):
        self.case = case
        self.root, self.state = directory / "cache", directory / "state"
        self.kept_root, self.kept_state = directory / "kept-cache", directory / "kept-state"
        for path in (self.root, self.state, self.kept_root, self.kept_state):
            path.mkdir(parents=True)
        for number in range(3):
            damaged = case.command[0] == "verify"
            volumes.add_entry(self.root, f"e{number}", f"{case.name} {number}", size=3000, damaged=damaged)
        self.before = volumes.entries(self.root)
        volumes.larder(self.root, self.state, "scan")
        if case.trash_first:
            volumes.larder(self.root, self.state, *CASES[0].command)
        runs = [run.name for run in (self.root / ".larder/trash").iterdir()]
        self.command = [runs[0] if word == "RUN" else word for word in case.command]
        volumes.copy_into(self.root, self.kept_root)
        volumes.copy_into(self.state, self.kept_state)

    def reset(self):
        """Back to the beginning."""
        for path, kept in ((self.root, self.kept_root), (self.state, self.kept_state)):
            volumes.empty(path)
            volumes.copy_into(kept, path)

    def trace(self, cpu, log, *options):
        """Runs the command under strace on one processor."""
        self.reset()
        wrap = [*ONE_CPU, str(cpu), "strace", "-f", "-qq", "-o", str(log), f"--trace={CALLS}", *options]
        return volumes.larder(self.root, self.state, *self.command, wrap=wrap, environment=ENVIRONMENT)

    def count(self, cpu, log):
        """How often the busiest thread makes each of these calls, and how many calls the others make."""
        result = self.trace(cpu, log, "-y")
        if result.returncode not in (0, 3):
            raise SystemExit(f"{self.case.name}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        lines = [re.match(r"(\d+) +(\w+)\(", line) for line in log.read_text(errors="replace").splitlines()]
        threads = collections.defaultdict(collections.Counter)
        for line in filter(None, lines):
            threads[line[1]][line[2]] += 1
        if self.case.command[0] in ("prune", "verify"):
            self.check_order(log)
        if self.case.may_be_gone:
            self.check_last(log)
        worker = max(threads.values(), key=collections.Counter.total)
        return worker, sum(calls.total() for calls in threads.values()) - worker.total()

    def check_order(self, log):
        """Ends the program unless the journal is written, synced and named before the first move."""
        lines = log.read_text(errors="replace").splitlines()
        found = [next((n for n, line in enumerate(lines) if re.search(call, line)), None) for call in SYNCED]
        if None in found or found != sorted(found):
            raise SystemExit(f"VIOLATION {self.case.name}: the journal is not safe before the first move: {found}")

    def check_last(self, log):
        """Ends the program unless a run's journal goes after all else of its folder: what a kill leaves without one
        would be kept for days as a run that cannot be read."""
        lines = log.read_text(errors="replace").splitlines()
        gone = [re.search(r'unlinkat\(\d+<[^>]*/trash/[^/>]+>, "([^"]+)", 0\)', line) for line in lines]
        names = [name[1] for name in gone if name]
        if "journal.json" not in names or names[-1] != "journal.json":
            raise SystemExit(f"VIOLATION {self.case.name}: of a run's folder goes last: {names}")

    def check(self):
        """What the next runs make of the remains, and what is wrong with it."""
        wrong = [f"at once: {w}" for w in volumes.check_entries(self.root, self.before, self.case.may_be_gone)]
        scan = volumes.larder(self.root, self.state, "scan")
        if scan.returncode != 0:
            wrong.append(f"the next scan ends with {scan.returncode}: {scan.stderr.strip()}")
        wrong += [f"after the scan: {w}" for w in volumes.check_index(self.root, self.state)]
        prune = volumes.larder(self.root, self.state, "prune", "--to", "1Gi")
        if prune.returncode != 0:
            wrong.append(f"the next prune ends with {prune.returncode}: {prune.stderr.strip()}")
        wrong += volumes.check_entries(self.root, self.before, self.case.may_be_gone)
        wrong += volumes.check_index(self.root, self.state)
        return wrong + volumes.check_strays(self.root, self.state)


def kill_all(case, directory, cpu, every):
    """Kills one command at each of its calls; returns kills, violations and calls by other threads."""
    bench = Bench(directory, case)
    log = directory / "trace"
    worker, strangers = bench.count(cpu, log)
    # strace counts each system call by itself.
    points = [(call, number) for call, count in sorted(worker.items()) for number in range(1, count + 1)]
    kills, wrong = 0, []
    for call, number in points[::every]:
        bench.trace(cpu, log, f"--inject={call}:signal=SIGKILL:when={number}")
        if "killed by SIGKILL" not in log.read_text(errors="replace"):
            continue
        kills += 1
        wrong += [f"{case.name}, killed at {call} number {number}: {w}" for w in bench.check()]
    # The calls of one run are not quite those of another; but a kill that hardly ever comes shows nothing.
    if kills < len(points[::every]) * 3 // 4:
        wrong.append(f"{case.name}: only {kills} of {len(points[::every])} kills came about")
    return kills, len(points), strangers, wrong


def main():
    """Kills all commands, two at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="only every Nth call")
    parser.add_argument("--directory", type=Path, default=None)
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="larder-kill-", dir=options.directory))
    processors = sorted(os.sched_getaffinity(0))
    total, wrong = 0, []
    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            jobs = [
                pool.submit(kill_all, case, directory / str(n), processors[n % len(processors)], options.every)
                for n, case in enumerate(CASES)
            ]
            for case, job in zip(CASES, jobs):
                kills, points, strangers, found = job.result()
                print(f"{case.name}: {points} calls that change something, {kills} kills, {len(found)} violations"
                      + (f", {strangers} calls of other threads" if strangers else ""), flush=True)
                total += kills
                wrong += found
    finally:
        shutil.rmtree(directory)
    for line in wrong[:40]:
        print(f"VIOLATION {line}")
    print(f"{total} kills, {len(wrong)} violations")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
