-- The index, schema 1: one file for all volumes of one Larder.
--
-- Times are nanoseconds since 1970-01-01T00:00:00Z, sizes are bytes, paths are the raw bytes below the
-- volume's root. Inodes and markers are unsigned 64-bit numbers in SQLite's signed integers.
-- Entries can be rebuilt by a scan; accesses, ghosts, runs and samples are history and cannot.

PRAGMA application_id = 0x4c726472; -- 'Lrdr'

-- The words behind the codes in other tables, for whoever reads this file with the sqlite3 command.
CREATE TABLE pools (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO pools VALUES (1, 'maven'), (2, 'gradle'), (3, 'gradle-other'), (4, 'images');
CREATE TABLE evidences (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO evidences
VALUES (1, 'atime'), (2, 'gradle-journal'), (3, 'podman-events'), (4, 'first-seen'), (5, 'mtime');
CREATE TABLE confidences (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO confidences VALUES (0, 'none'), (1, 'low'), (2, 'medium'), (3, 'high');

-- The number that the next new entry gets. Numbers are never given twice, as accesses refer to them.
CREATE TABLE next_entry (id INTEGER NOT NULL) STRICT;
INSERT INTO next_entry VALUES (1);

CREATE TABLE volumes (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    marker INTEGER NOT NULL,
    root_inode INTEGER NOT NULL,
    baseline_scan INTEGER NOT NULL, -- the first scan of this file system
    last_scan INTEGER NOT NULL,
    used_bytes INTEGER NOT NULL, -- what the last scan found, less what runs evicted since
    trash_bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE scans (
    id INTEGER PRIMARY KEY,
    volume INTEGER NOT NULL REFERENCES volumes (id),
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    baseline INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    unreadable INTEGER NOT NULL,
    directories INTEGER NOT NULL,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    apparent_bytes INTEGER NOT NULL,
    trash_bytes INTEGER NOT NULL,
    marker INTEGER NOT NULL,
    root_inode INTEGER NOT NULL,
    atime_confidence INTEGER NOT NULL,
    atime_reason TEXT NOT NULL
) STRICT;
CREATE INDEX scans_of_volume ON scans (volume, started_at);

-- What the scanner wants back at the next scan, in its own format.
CREATE TABLE walks (
    volume INTEGER PRIMARY KEY REFERENCES volumes (id),
    snapshot BLOB NOT NULL
) STRICT;

CREATE TABLE capacity_samples (
    scan INTEGER PRIMARY KEY REFERENCES scans (id),
    volume INTEGER NOT NULL,
    at INTEGER NOT NULL,
    total INTEGER NOT NULL,
    available INTEGER NOT NULL,
    free INTEGER NOT NULL,
    inodes INTEGER NOT NULL,
    free_inodes INTEGER NOT NULL,
    used_bytes INTEGER NOT NULL,
    trash_bytes INTEGER NOT NULL
) STRICT;

-- What is on disk. The rows lie in the order of their paths, as a scan lists what it found, so that the two
-- are compared in one pass.
CREATE TABLE entries (
    volume INTEGER NOT NULL,
    path BLOB NOT NULL,
    pool INTEGER NOT NULL,
    id INTEGER NOT NULL UNIQUE,
    key TEXT NOT NULL,
    inode INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    apparent_bytes INTEGER NOT NULL,
    files INTEGER NOT NULL,
    accessed INTEGER NOT NULL, -- the newest time seen, even one in the future: only what is newer is a use
    fetched INTEGER NOT NULL,
    protections INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    evidence INTEGER NOT NULL,
    confidence INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    warmed_until INTEGER,
    PRIMARY KEY (volume, path, pool)
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
    entry INTEGER PRIMARY KEY REFERENCES entries (id) ON DELETE CASCADE,
    image TEXT NOT NULL,
    exclusive_bytes INTEGER NOT NULL,
    containers INTEGER NOT NULL
) STRICT;

CREATE TABLE image_names (
    entry INTEGER NOT NULL REFERENCES images (entry) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (entry, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_layers (
    entry INTEGER NOT NULL REFERENCES images (entry) ON DELETE CASCADE,
    position INTEGER NOT NULL, -- 0 is the top layer
    layer TEXT NOT NULL,
    PRIMARY KEY (entry, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE layers (
    volume INTEGER NOT NULL,
    id TEXT NOT NULL,
    parent TEXT,
    diff_bytes INTEGER NOT NULL,
    stored_bytes INTEGER NOT NULL,
    created INTEGER NOT NULL,
    incomplete INTEGER NOT NULL,
    images INTEGER NOT NULL,
    containers INTEGER NOT NULL,
    PRIMARY KEY (volume, id)
) STRICT, WITHOUT ROWID;

-- What was on disk. A row moves here when its entry goes and back when the entry returns, and keeps its id.
CREATE TABLE ghosts (
    volume INTEGER NOT NULL,
    path BLOB NOT NULL,
    pool INTEGER NOT NULL,
    id INTEGER NOT NULL UNIQUE,
    key TEXT NOT NULL,
    inode INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    gone_at INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('evicted', 'vanished')),
    run TEXT,
    PRIMARY KEY (volume, path, pool),
    CHECK ((reason = 'evicted') = (run IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- `entry` is an id in entries or in ghosts.
CREATE TABLE accesses (
    scan INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    at INTEGER NOT NULL,
    pool INTEGER NOT NULL,
    hit INTEGER NOT NULL, -- 1: it was there; 0: a miss, it was fetched
    regret INTEGER NOT NULL, -- 1: a miss of what a run had evicted not long before
    evidence INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (scan, entry, at)
) STRICT, WITHOUT ROWID;

-- The entries of a volume's first scan, with their last use and size then: where a replay of accesses starts.
CREATE TABLE baselines (
    volume INTEGER NOT NULL,
    entry INTEGER NOT NULL, -- an id in entries or in ghosts, or forgotten
    used INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (volume, entry)
) STRICT, WITHOUT ROWID;

-- The sums of accesses that are no longer kept one by one.
CREATE TABLE access_days (
    volume INTEGER NOT NULL,
    pool INTEGER NOT NULL,
    day INTEGER NOT NULL, -- its first instant, in UTC
    hits INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    hit_bytes INTEGER NOT NULL,
    miss_bytes INTEGER NOT NULL,
    regrets INTEGER NOT NULL, -- among the misses
    regret_bytes INTEGER NOT NULL,
    PRIMARY KEY (volume, pool, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    exit_code INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run_volumes (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    volume INTEGER NOT NULL REFERENCES volumes (id),
    freed_bytes INTEGER NOT NULL,
    trashed_bytes INTEGER NOT NULL,
    used_before INTEGER NOT NULL,
    used_after INTEGER NOT NULL,
    over_quota INTEGER NOT NULL,
    PRIMARY KEY (run, volume)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_entries (
    run TEXT NOT NULL,
    volume INTEGER NOT NULL,
    position INTEGER NOT NULL, -- in the order of eviction; then what was refused
    entry INTEGER NOT NULL,
    pool INTEGER NOT NULL,
    key TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    evicted INTEGER NOT NULL, -- 0: refused
    reason TEXT NOT NULL,
    PRIMARY KEY (run, volume, position),
    FOREIGN KEY (run, volume) REFERENCES run_volumes (run, volume) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What `warm` did for an image, a row for each run.
CREATE TABLE warmings (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    volume INTEGER NOT NULL REFERENCES volumes (id),
    reference TEXT NOT NULL,
    at INTEGER NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('present', 'pulled', 'updated', 'failed', 'skipped')),
    bytes INTEGER NOT NULL,
    entry INTEGER, -- an id in entries or in ghosts; null where the image was not there afterwards
    used INTEGER NOT NULL, -- 1: a job used it before the next run
    PRIMARY KEY (run, volume, reference),
    CHECK (entry IS NOT NULL OR used = 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX warmings_of_reference ON warmings (volume, reference, at);
