-- Which projects' jobs used what, as far as event logs and ingested logs name them.

CREATE TABLE projects (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE -- its number in GitLab, or what `ingest --project` said
) STRICT;

-- The accesses whose project is known, beside the accesses themselves.
CREATE TABLE access_projects (
    scan INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    at INTEGER NOT NULL,
    project INTEGER NOT NULL, -- an id in projects
    PRIMARY KEY (scan, entry, at)
) STRICT, WITHOUT ROWID;

-- Their sums, of days whose accesses are no longer kept one by one.
CREATE TABLE project_days (
    volume INTEGER NOT NULL,
    pool INTEGER NOT NULL,
    project INTEGER NOT NULL,
    day INTEGER NOT NULL, -- its first instant, in UTC
    hits INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    hit_bytes INTEGER NOT NULL,
    miss_bytes INTEGER NOT NULL,
    PRIMARY KEY (volume, pool, project, day)
) STRICT, WITHOUT ROWID;

-- Null where the log names none.
ALTER TABLE followed_uses ADD COLUMN project INTEGER;
ALTER TABLE job_downloads ADD COLUMN project INTEGER;
