-- What jobs' logs name, schema 2.

INSERT INTO evidences VALUES (6, 'job-log');

-- The downloads that ingested logs name, a row for each line, so that no line counts twice and each miss can
-- tell which job fetched.
CREATE TABLE job_downloads (
    id INTEGER PRIMARY KEY, -- a hash of the log up to and with the line
    volume INTEGER NOT NULL REFERENCES volumes (id),
    pool INTEGER NOT NULL,
    directory TEXT NOT NULL, -- of the URL, its host left out: repository, group, artifact, version
    file TEXT NOT NULL,
    bytes INTEGER NOT NULL, -- as the log rounds them; 0 where it tells none
    earliest INTEGER NOT NULL, -- the download lies between the two
    latest INTEGER NOT NULL,
    job TEXT,
    scan INTEGER, -- the scan whose interval it counts in; null while there is none after it
    entry INTEGER -- an id in entries or in ghosts; null where the volume never held it
) STRICT;
CREATE INDEX job_downloads_of_entry ON job_downloads (entry, scan);
CREATE INDEX job_downloads_waiting ON job_downloads (volume) WHERE scan IS NULL;
