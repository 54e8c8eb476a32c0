"""Writes a long history into an index that Larder made, for benchmarks of `larder report`.

An index is first made by a real `larder scan`; then a year of accesses is written into it by SQL, with the
tables and codes of migrations/. Scanning a year of days for real would take hours. Tests do not use this:
their histories are made by scans, with the clock passed in or shifted by faketime.
"""

import random
import sqlite3

DAY = 86_400 * 10**9


def write(database, volume, entries, accesses, days=365, seed=1):
    """Fills the index with `entries` artifacts and `accesses` uses or fetches of them, over `days` days."""
    random.seed(seed)
    db = sqlite3.connect(database)
    number, last = db.execute("SELECT id, last_scan FROM volumes WHERE name = ?", (volume,)).fetchone()
    ended = db.execute("SELECT started_at FROM scans WHERE id = ?", (last,)).fetchone()[0]
    began = ended - days * DAY
    scan = list(db.execute("SELECT * FROM scans WHERE id = ?", (last,)).fetchone())
    sample = list(db.execute("SELECT * FROM capacity_samples WHERE scan = ?", (last,)).fetchone())
    for table in ("capacity_samples", "scans", "entries", "baselines", "accesses"):
        db.execute(f"DELETE FROM {table}")
    sizes = [min(int(random.lognormvariate(11, 1.8)) // 4096 + 2, 50_000) * 4096 for _ in range(entries)]
    # Three of four entries were there from the beginning; the others are fetched when first used.
    there = entries * 3 // 4
    first = [began if each < there else None for each in range(entries)]
    used = [began - random.randrange(30 * DAY) for _ in range(entries)]
    begun = list(used)
    uses = [0] * entries
    rows = []
    each_day = accesses // days
    for day in range(1, days + 1):
        day_start = began + (day - 1) * DAY
        count = each_day if day < days else accesses - each_day * (days - 1)
        seen = set()
        while len(seen) < count:
            # Newer artifacts are used more: most uses fall into a window that moves through the year.
            if random.random() < 0.85:
                middle = there * day // days + entries // 8
                entry = int(random.gauss(middle, entries / 16)) % entries
            else:
                entry = random.randrange(entries)
            if entry in seen:
                continue
            seen.add(entry)
            at = day_start + random.randrange(DAY)
            hit = first[entry] is not None and random.random() < 0.98
            if first[entry] is None:
                first[entry] = day_start + DAY
            used[entry] = at
            uses[entry] += 1
            rows.append((day + 1, entry + 1, at, 1, int(hit), int(not hit and random.random() < 0.2), 1,
                         sizes[entry]))
    for day in range(days + 1):
        scan[0], scan[2], scan[3], scan[4] = day + 1, began + day * DAY, began + day * DAY + 1, int(day == 0)
        sample[0], sample[2] = day + 1, began + day * DAY
        sample[8] = sum(sizes[:there]) + (sum(sizes) - sum(sizes[:there])) * day // days
        db.execute(f"INSERT INTO scans VALUES ({','.join('?' * len(scan))})", scan)
        db.execute(f"INSERT INTO capacity_samples VALUES ({','.join('?' * len(sample))})", sample)
    db.executemany("INSERT INTO accesses VALUES (?, ?, ?, ?, ?, ?, ?, ?)", sorted(rows))
    db.executemany(
        "INSERT INTO entries (volume, path, pool, id, key, inode, bytes, apparent_bytes, files, accessed, fetched, "
        "protections, first_seen, last_used, evidence, confidence, uses) "
        "VALUES (?, ?, 1, ?, ?, ?, ?, ?, 4, ?, ?, 0, ?, ?, 1, 3, ?)", [
        (number, f"repository/com/example/g{entry % 900}/a{entry % 9000}/{entry}".encode(), entry + 1,
         f"com.example.g{entry % 900}:a{entry % 9000}:{entry}", entry + 10, sizes[entry], sizes[entry] - 99,
         used[entry], first[entry] or began, first[entry] or began, used[entry], uses[entry])
        for entry in range(entries)])
    db.executemany("INSERT INTO baselines VALUES (?, ?, ?, ?)", [
        (number, entry + 1, begun[entry], sizes[entry]) for entry in range(there)])
    db.execute("UPDATE next_entry SET id = ?", (entries + 1,))
    db.execute("UPDATE volumes SET baseline_scan = 1, last_scan = ?, used_bytes = ? WHERE id = ?",
               (days + 1, sum(sizes), number))
    db.commit()
    db.close()
