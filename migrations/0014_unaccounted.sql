-- SQLite's integrity_check (seen of 3.40.1) calls rows of a WITHOUT ROWID table damaged ("NULL value in …") whose
-- primary key is not its first columns in order: a whole index was set aside for such a row.

CREATE TABLE unaccounted_14 (
    volume INTEGER NOT NULL REFERENCES volumes (id),
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    lower_bound INTEGER NOT NULL, -- 1: a part could not be looked at
    PRIMARY KEY (volume, kind, detail)
) STRICT, WITHOUT ROWID;
INSERT INTO unaccounted_14 (volume, kind, detail, bytes, lower_bound)
SELECT volume, kind, detail, bytes, lower_bound FROM unaccounted;
DROP TABLE unaccounted;
ALTER TABLE unaccounted_14 RENAME TO unaccounted;
