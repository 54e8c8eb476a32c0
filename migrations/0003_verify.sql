-- What was held against its checksums, and what was taken away because it did not stand.

-- An entry's last verification, with what the entry was then: one that changed since counts as not verified.
CREATE TABLE verifications (
    entry INTEGER PRIMARY KEY REFERENCES entries (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    damaged INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    fetched INTEGER NOT NULL,
    apparent_bytes INTEGER NOT NULL
) STRICT;

-- The return of what was quarantined is no regret, so it has a reason of its own.
CREATE TABLE ghosts_3 (
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
    reason TEXT NOT NULL CHECK (reason IN ('evicted', 'vanished', 'quarantined')),
    run TEXT,
    PRIMARY KEY (volume, path, pool),
    CHECK ((reason = 'vanished') = (run IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO ghosts_3 (volume, path, pool, id, key, inode, bytes, first_seen, last_used, uses, gone_at, reason, run)
SELECT volume, path, pool, id, key, inode, bytes, first_seen, last_used, uses, gone_at, reason, run FROM ghosts;
DROP TABLE ghosts;
ALTER TABLE ghosts_3 RENAME TO ghosts;
