-- What the daemon keeps between its scans and its restarts.

-- The last time of each activity on each volume; '' stands for all volumes.
CREATE TABLE activities (
    activity TEXT NOT NULL,
    volume TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    succeeded_at INTEGER, -- when it last ended without a failure
    line TEXT NOT NULL, -- what was logged
    PRIMARY KEY (activity, volume)
) STRICT, WITHOUT ROWID;

-- The containers that event logs told of since the volume's last scan. The next scan judges them with what it
-- reads itself, and empties the table: what stands here is in no access yet.
CREATE TABLE followed_uses (
    volume INTEGER NOT NULL REFERENCES volumes (id),
    container TEXT NOT NULL,
    image TEXT NOT NULL, -- the reference as the log has it
    at INTEGER NOT NULL,
    entry INTEGER, -- an id in entries; null where the index knew no such image
    PRIMARY KEY (volume, container, image, at)
) STRICT, WITHOUT ROWID;

-- Volumes of whose event logs a part could not be read since the last scan.
CREATE TABLE followed_gaps (volume INTEGER PRIMARY KEY REFERENCES volumes (id)) STRICT;
