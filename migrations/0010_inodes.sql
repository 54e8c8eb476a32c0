-- Inodes are a quota too, where a file system has a fixed number of them.

-- Directories take one each, as files do.
ALTER TABLE entries ADD COLUMN directories INTEGER NOT NULL DEFAULT 0;

-- What all live files and directories take, less what runs evicted since the last scan; null where the file system is
-- not the volume's own, or makes inodes as needed.
ALTER TABLE volumes ADD COLUMN used_inodes INTEGER;
