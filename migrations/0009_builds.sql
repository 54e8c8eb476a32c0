-- Build caches by their units of use, and what belongs to none.

-- What an entry consists of where that is no directory, bit by bit: 1 a file, 2 the files in the path's directory
-- whose names begin with the path's name, 4 a part of another entry's directory, 8 the memory of a failed download.
ALTER TABLE entries ADD COLUMN traits INTEGER NOT NULL DEFAULT 0;

-- What the last scan found that belongs to no pool, the largest directories.
CREATE TABLE unmanaged (
    volume INTEGER NOT NULL REFERENCES volumes (id),
    path BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    files INTEGER NOT NULL,
    tool TEXT NOT NULL, -- what it belongs to; empty where that is not known
    PRIMARY KEY (volume, path)
) STRICT, WITHOUT ROWID;

-- What the last scan noticed that makes its evidence less certain, or a prune less useful.
CREATE TABLE scan_warnings (
    volume INTEGER NOT NULL REFERENCES volumes (id),
    code TEXT NOT NULL,
    text TEXT NOT NULL,
    hint TEXT NOT NULL,
    PRIMARY KEY (volume, code, text)
) STRICT, WITHOUT ROWID;

-- Files with names in several entries: what they occupy comes free when the last of these goes. `counted` marks the
-- entry whose size holds it; a set with names outside of entries has a row of the empty path.
CREATE TABLE shared_files (
    volume INTEGER NOT NULL REFERENCES volumes (id),
    number INTEGER NOT NULL,
    path BLOB NOT NULL, -- of an entry
    bytes INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    PRIMARY KEY (volume, number, path)
) STRICT, WITHOUT ROWID;
