-- What a volume's trash holds, as Larder last saw it, and what became of the rest: the daemon reads no volume.

-- The entries of runs that can still be brought back.
CREATE TABLE trashed (
    volume INTEGER NOT NULL REFERENCES volumes (id),
    run TEXT NOT NULL,
    number INTEGER NOT NULL, -- its place in the run's journal
    key TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (volume, run, number)
) STRICT, WITHOUT ROWID;

-- The last purge that took entries of a run out of the trash for good.
CREATE TABLE trash_purges (
    volume INTEGER NOT NULL REFERENCES volumes (id),
    run TEXT NOT NULL,
    at INTEGER NOT NULL,
    by_run TEXT, -- the run that purged; null for a purge that was asked for by itself
    cause TEXT NOT NULL CHECK (cause IN ('overdue', 'critical', 'no-retention', 'asked')),
    PRIMARY KEY (volume, run)
) STRICT, WITHOUT ROWID;

-- What webhooks were last told of a state that lasts, so that the same is not told at each look.
CREATE TABLE told (
    event TEXT NOT NULL,
    volume TEXT NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (event, volume)
) STRICT, WITHOUT ROWID;
