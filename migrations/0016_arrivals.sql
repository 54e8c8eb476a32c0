-- When entries arrived that somebody copied to the volume with the times of another place: no job used or fetched them
-- then, and one may be about to.
CREATE TABLE arrivals (
    entry INTEGER PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;
