-- Image stores as people have them: what an image is to others, and what the records do not tell.

ALTER TABLE images ADD COLUMN role TEXT NOT NULL DEFAULT 'image'; -- image, list, instance, step
ALTER TABLE images ADD COLUMN origin TEXT NOT NULL DEFAULT 'registry'; -- registry, made, local, loaded

-- The names of the manifest lists by which an image is run that carries no name itself.
CREATE TABLE image_lists (
    entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (entry, position)
) STRICT, WITHOUT ROWID;

-- What neither scan nor records explain of what the file system says is used, as far as it can be named.
CREATE TABLE unaccounted (
    volume INTEGER NOT NULL REFERENCES volumes (id),
    kind TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    lower_bound INTEGER NOT NULL, -- 1: a part could not be looked at
    detail TEXT NOT NULL,
    PRIMARY KEY (volume, kind, detail)
) STRICT, WITHOUT ROWID;

-- What the last scan's entries, records and files explain of used_bytes.
ALTER TABLE volumes ADD COLUMN accounted_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE volumes SET accounted_bytes = used_bytes;
ALTER TABLE volumes ADD COLUMN event_logs INTEGER NOT NULL DEFAULT 0; -- how many the last scan kept
ALTER TABLE volumes ADD COLUMN event_log_bytes INTEGER NOT NULL DEFAULT 0;

-- Working containers of killed builds are a kind of their own.
CREATE TABLE orphans_8 (
    volume INTEGER NOT NULL REFERENCES volumes (id),
    kind TEXT NOT NULL CHECK (kind IN ('incomplete-layer', 'unreferenced-layer', 'directory', 'dead-container',
        'working-container')),
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    lower_bound INTEGER NOT NULL, -- 1: a part could not be looked at
    created INTEGER NOT NULL,
    pins TEXT NOT NULL, -- the image that a container keeps; empty for the others
    PRIMARY KEY (volume, kind, name)
) STRICT, WITHOUT ROWID;
INSERT INTO orphans_8 (volume, kind, name, bytes, lower_bound, created, pins)
SELECT volume, kind, name, bytes, lower_bound, created, pins FROM orphans;
DROP TABLE orphans;
ALTER TABLE orphans_8 RENAME TO orphans;
