-- Why runs did what they did, and what counters keep. From here on, the reason in run_entries is also that of
-- what was evicted; it is empty for what went before.

-- What a run of `verify` looked at on a volume.
CREATE TABLE run_checks (
    run TEXT NOT NULL,
    volume INTEGER NOT NULL,
    checked INTEGER NOT NULL, -- files, or images, that were held against something: the damaged included
    damaged INTEGER NOT NULL,
    unverifiable INTEGER NOT NULL, -- files that there is nothing to hold against
    PRIMARY KEY (run, volume),
    FOREIGN KEY (run, volume) REFERENCES run_volumes (run, volume) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Hits that were counted and then turned out to be downloads. Rates forget them; counters, which must never go
-- back, keep them.
CREATE TABLE withdrawn_hits (
    volume INTEGER NOT NULL,
    pool INTEGER NOT NULL,
    hits INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (volume, pool)
) STRICT, WITHOUT ROWID;
