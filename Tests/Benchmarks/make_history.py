#!/usr/bin/env python3
"""Gives an index that was scanned once a past, for load tests: scans, accesses, prunes and warm-ups.

    make_history.py STATE [--days 40] [--accesses 500000] [--entries 120000] [--seed 1]

It writes the index's own tables with SQLite, as no scan can be made in the past. The volume's first scan moves
back by --days; one scan a day follows. Where the volume has fewer entries than --entries, rows are made up.
"""

import argparse
import random
import sqlite3

DAY = 86_400 * 10**9


def grow(db, volume, entries, now):
    """Adds Gradle modules that no disk has."""
    (there,) = db.execute("SELECT count(*) FROM entries WHERE volume = ?", (volume,)).fetchone()
    (first,) = db.execute("SELECT id FROM next_entry").fetchone()
    for number in range(first, first + max(0, entries - there)):
        key = f"org.made.up{number % 700}:artifact{number // 7}:1.{number % 7}"
        path = f"gradle/caches/modules-2/files-2.1/{key.replace(':', '/')}".encode()
        size = random.randint(1, 200) * 4096
        db.execute(
            "INSERT INTO entries (volume, path, pool, id, key, inode, bytes, apparent_bytes, files, accessed, fetched, "
            "protections, first_seen, last_used, evidence, confidence, uses) "
            "VALUES (?, ?, 2, ?, ?, ?, ?, ?, 2, ?, ?, 0, ?, ?, 2, 3, 3)",
            (volume, path, number, key, number, size, size, now - DAY, now - 9 * DAY, now, now - DAY))
    db.execute("UPDATE next_entry SET id = max(id, ?)", (first + max(0, entries - there),))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("state")
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--accesses", type=int, default=500_000)
    parser.add_argument("--entries", type=int, default=120_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    db = sqlite3.connect(f"{arguments.state}/larder.db", isolation_level=None)
    db.execute("BEGIN")
    scan, volume, now = db.execute(
        "SELECT id, volume, started_at FROM scans ORDER BY id DESC LIMIT 1").fetchone()
    grow(db, volume, arguments.entries, now)
    entries = db.execute("SELECT id, bytes, pool FROM entries WHERE volume = ?", (volume,)).fetchall()
    columns = [row[1] for row in db.execute("PRAGMA table_info(scans)")]
    last = dict(zip(columns, db.execute("SELECT * FROM scans WHERE id = ?", (scan,)).fetchone()))
    sample = list(db.execute("SELECT * FROM capacity_samples WHERE scan = ?", (scan,)).fetchone())
    for table, column in (("scans", "started_at"), ("scans", "finished_at"), ("capacity_samples", "at")):
        db.execute(f"UPDATE {table} SET {column} = {column} - ?", (arguments.days * DAY,))
    (used,) = db.execute("SELECT used_bytes FROM volumes WHERE id = ?", (volume,)).fetchone()
    each = arguments.accesses // max(1, arguments.days)
    for day in range(1, arguments.days + 1):
        at = now - (arguments.days - day) * DAY
        number = scan + day
        row = last | {"id": number, "started_at": at, "finished_at": at + 5 * 10**9, "baseline": 0}
        db.execute(f"INSERT INTO scans VALUES ({', '.join('?' * len(row))})", [row[name] for name in columns])
        share = 0.7 + 0.3 * day / arguments.days
        db.execute(
            f"INSERT INTO capacity_samples VALUES ({', '.join('?' * len(sample))})",
            [number, volume, at, *sample[3:8], int(used * share), sample[9]])
        rows = {}
        for _ in range(each):
            entry, size, pool = entries[int(len(entries) * random.random() ** 4)]
            hit = random.random() < 0.93
            rows[entry] = (number, entry, at - random.randrange(DAY), pool, hit, not hit and random.random() < 0.05,
                           1 if pool == 1 else 2, size)
        db.executemany("INSERT INTO accesses VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows.values())
        if day % 7 == 0:
            run = f"run-{day:03}"
            gone = random.sample(entries, 300)
            size = sum(entry[1] for entry in gone)
            db.execute("INSERT INTO runs VALUES (?, 'prune', ?, ?, 0)", (run, at, at + 42 * 10**9))
            db.execute("INSERT INTO run_volumes VALUES (?, ?, 0, ?, ?, ?, 0)", (run, volume, size, used, used - size))
            db.executemany(
                "INSERT INTO run_entries SELECT ?, ?, ?, id, pool, key, bytes, 1, '' FROM entries WHERE id = ?",
                [(run, volume, place, entry[0]) for place, entry in enumerate(gone)])
    db.execute(
        "UPDATE volumes SET last_scan = ?, used_bytes = (SELECT sum(bytes) FROM entries WHERE volume = ?) "
        "WHERE id = ?", (scan + arguments.days, volume, volume))
    db.execute("COMMIT")
    print(f"{len(entries)} entries, {db.execute('SELECT count(*) FROM accesses').fetchone()[0]} accesses")


if __name__ == "__main__":
    main()
