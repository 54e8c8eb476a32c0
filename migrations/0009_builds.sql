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

-- Files with names in several entries, or in an entry and outside of any: what they occupy comes free with the last name.
CREATE TABLE shared_files (
    volume INTEGER NOT NULL REFERENCES volumes (id),
    number INTEGER NOT NULL, -- of the set of files that the same entries hold
    path BLOB NOT NULL, -- of an entry that holds names
    is_counted_here INTEGER NOT NULL, -- whether that entry's size has them
    is_held_elsewhere INTEGER NOT NULL, -- whether there are names that belong to no entry
    bytes INTEGER NOT NULL, -- of the whole set
    PRIMARY KEY (volume, number, path)
) STRICT, WITHOUT ROWID;
