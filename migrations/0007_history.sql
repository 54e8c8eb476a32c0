-- What sizing rests on is kept longer, and says more.

-- The days on which entries were used, of accesses that are no longer kept one by one: a row for each day, with
-- the entries in the order of their ids. `uses` is in Larder's own format (CacheIndex/UseDay.swift).
CREATE TABLE use_days (
    volume INTEGER NOT NULL REFERENCES volumes (id),
    day INTEGER NOT NULL, -- its first instant, in UTC
    uses BLOB NOT NULL,
    PRIMARY KEY (volume, day)
) STRICT, WITHOUT ROWID;

-- Until when an older Larder kept nothing of a volume's uses but sums: of that time it is not known what was
-- used, which does not mean that nothing was.
CREATE TABLE unknown_until (volume INTEGER PRIMARY KEY REFERENCES volumes (id), at INTEGER NOT NULL) STRICT;
INSERT INTO unknown_until SELECT volume, max(day) + 86400000000000 FROM access_days GROUP BY volume;

-- Misses that brought a part of an entry only, with what the whole entry occupied then.
CREATE TABLE partial_fetches (
    scan INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (scan, entry)
) STRICT, WITHOUT ROWID;

-- When entries were gone that somebody else than Larder's prune took away and that came back since.
CREATE TABLE removals (
    volume INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (volume, entry, at)
) STRICT, WITHOUT ROWID;

-- Entries that were never used again since they were fetched.
CREATE TABLE unused_since_fetch (entry INTEGER PRIMARY KEY) STRICT;

-- The layers of images that are gone.
CREATE TABLE ghost_layers (
    entry INTEGER NOT NULL, -- an id in ghosts
    position INTEGER NOT NULL, -- 0 is the top layer
    layer TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (entry, position)
) STRICT, WITHOUT ROWID;
