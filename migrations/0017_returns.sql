-- When entries that had been there before were there anew although no job fetched them: restored, copied in, or
-- installed once more.
CREATE TABLE returns (
    volume INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (volume, entry, at)
) STRICT, WITHOUT ROWID;
