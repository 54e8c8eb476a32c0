-- What the limit was at each scan: rates from before a change say nothing of today's size.

-- Null for the scans of an older Larder.
ALTER TABLE capacity_samples ADD COLUMN limit_bytes INTEGER;
