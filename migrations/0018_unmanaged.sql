-- What belonged to no pool at each scan: what comes and goes of that takes room from what jobs use.

-- Null for the scans of an older Larder.
ALTER TABLE capacity_samples ADD COLUMN unmanaged_bytes INTEGER;
