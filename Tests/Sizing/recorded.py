"""Writes a played past into an index as scans and prunes would have, and asks Larder for its report.

It writes the index's own tables with SQLite, as no scan can be made in the past: a scan of an empty folder makes
the file, and that scan moves back to the beginning.
"""

import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import time

from nightly import AFTER_SCAN, DAY

NS = 10**9
LOCALLY_INSTALLED = 1
MAVEN, ATIME, HIGH, MISS, HIT = 1, 1, 3, 0, 1


class Larder:
    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        self.number = 0
        (self.folder / "cache").mkdir()
        self.configure(self.folder / "empty", "100Gi", 0)
        self.run(self.folder / "empty", "scan")

    def configure(self, state, limit, prune_at, *lines):
        """A configuration whose nights begin at that second."""
        state.mkdir(exist_ok=True)
        at = time.gmtime(prune_at)
        (state / "larder.yaml").write_text(
            f"state: {state}\nlog_level: error\n"
            f"daemon:\n  time_zone: UTC\n  schedules:\n    prune: \"{at.tm_min} {at.tm_hour} * * *\"\n"
            f"volumes:\n  - name: build\n    kind: build-cache\n    path: {self.folder}/cache\n    limit: {limit}\n"
            + "".join(f"    {line}\n" for line in lines))

    def run(self, state, *words):
        done = subprocess.run(
            [self.program, *words, "--config", state / "larder.yaml"], capture_output=True, text=True,
            env={**os.environ, "TZ": "UTC"})
        if done.returncode not in (0, 3):
            raise SystemExit(f"larder {' '.join(words)} ended with {done.returncode}: {done.stderr}{done.stdout[-500:]}")
        return done.stdout

    def report(self, past, *words, limit, lines=()):
        """What Larder says of a past: the volume's part of the report."""
        self.number += 1
        state = self.folder / f"state{self.number}"
        shutil.copytree(self.folder / "empty", state)
        # The last scan was just now.
        begin = int(time.time()) - 20 - past.days * DAY
        self.configure(state, limit, begin + AFTER_SCAN, *lines)
        write(state / "larder.db", past, begin)
        said = json.loads(self.run(state, "report", "--format", "json", *words))["volumes"][0]
        shutil.rmtree(state)
        return said


class Past:
    """What there was at the first scan, what was recorded since, and what there is at the last."""

    def __init__(self, before, record, volume, days, interval=DAY):
        self.before, self.record, self.volume, self.days, self.interval = before, record, volume, days, interval


def write(path, past, begin):
    """Writes a past whose second 0 is at `begin`, in seconds since 1970."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("BEGIN")
    at = lambda second: (begin + second) * NS
    volume, first = db.execute("SELECT id, baseline_scan FROM volumes").fetchone()
    ids = {}
    number = lambda key: ids.setdefault(key, len(ids) + 1)
    for key, (size, used) in sorted(past.before.items()):
        db.execute("INSERT INTO baselines VALUES (?, ?, ?, ?)", (volume, number(key), at(used), size))
    scan = dict(zip(columns(db, "scans"), db.execute("SELECT * FROM scans").fetchone()))
    sample = dict(zip(columns(db, "capacity_samples"), db.execute("SELECT * FROM capacity_samples").fetchone()))
    db.execute("DELETE FROM scans")
    db.execute("DELETE FROM capacity_samples")
    used = past.volume.used()
    seconds = range(0, past.days * DAY + 1, past.interval)
    for place, second in enumerate(seconds):
        insert(db, "scans", scan | {
            "id": first + place, "started_at": at(second), "finished_at": at(second) + NS, "baseline": place == 0})
        insert(db, "capacity_samples", sample | {
            "scan": first + place, "at": at(second), "used_bytes": past.samples[place], "trash_bytes": 0,
            # The limit of the first scan is not that of the past, which is the one that the report is asked with.
            "limit_bytes": None, "unmanaged_bytes": past.volume.unmanaged})
    gone_at = {}
    prunes = sorted(past.record.prunes)
    turn = 0
    for second, key, size, hit in past.record.accesses:
        while turn < len(prunes) and prunes[turn][0] <= second:
            gone_at |= {each: prunes[turn][0] for each, _ in prunes[turn][1]}
            turn += 1
        regret = not hit and second - gone_at.get(key, -10**9) < 14 * DAY
        db.execute("INSERT INTO accesses VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (
            first - (-second // past.interval), number(key), at(second), MAVEN, hit, regret, ATIME, size))
    for place, (second, gone) in enumerate(prunes):
        run, freed = f"run-{place:04}", sum(size for _, size in gone)
        db.execute("INSERT INTO runs VALUES (?, 'prune', ?, ?, 0)", (run, at(second), at(second)))
        # A prune comes just after the scan of its day.
        before = past.samples[second // past.interval]
        db.execute(
            "INSERT INTO run_volumes VALUES (?, ?, ?, 0, ?, ?, 0)", (run, volume, freed, before, before - freed))
        db.executemany("INSERT INTO run_entries VALUES (?, ?, ?, ?, ?, ?, ?, 1, '')", [
            (run, volume, position, number(key), MAVEN, key, size) for position, (key, size) in enumerate(gone)])
    names = columns(db, "entries")
    for key, size in past.volume.bytes.items():
        last = at(past.volume.used_at[key])
        insert(db, "entries", dict.fromkeys(names, 0) | {
            "volume": volume, "path": key.replace(":", "/").encode(), "pool": MAVEN, "id": number(key), "key": key,
            "inode": number(key), "bytes": size, "apparent_bytes": size, "files": 3, "accessed": last,
            "fetched": last, "protections": LOCALLY_INSTALLED if key in past.volume.protected else 0,
            "first_seen": at(0), "last_used": last, "evidence": ATIME, "confidence": HIGH, "uses": 1,
            "warmed_until": None})
    db.execute("UPDATE next_entry SET id = ?", (len(ids) + 1,))
    db.execute(
        "UPDATE volumes SET last_scan = ?, used_bytes = ?, accounted_bytes = ?, trash_bytes = 0",
        (first + len(seconds) - 1, used, used))
    db.execute("COMMIT")
    db.close()
    past.ids = ids


def columns(db, table):
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]


def insert(db, table, row):
    names = columns(db, table)
    db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", [row[name] for name in names])
