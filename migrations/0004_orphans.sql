-- Schema 4: what killed pulls and dead pods left in an image store, as the last scan found it.

CREATE TABLE orphans (
    volume INTEGER NOT NULL REFERENCES volumes (id),
    kind TEXT NOT NULL CHECK (kind IN ('incomplete-layer', 'unreferenced-layer', 'directory', 'dead-container')),
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    lower_bound INTEGER NOT NULL, -- 1: a part could not be looked at
    created INTEGER NOT NULL,
    pins TEXT NOT NULL, -- the image that a container keeps; empty for the others
    PRIMARY KEY (volume, kind, name)
) STRICT, WITHOUT ROWID;
