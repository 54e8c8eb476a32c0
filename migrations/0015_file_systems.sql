-- What a volume's file system looked like at the last scan: it is known again where Larder's own number on it is lost.
CREATE TABLE file_systems (
    volume INTEGER PRIMARY KEY REFERENCES volumes (id),
    file_system INTEGER NOT NULL, -- statfs f_fsid; 0 where it has none
    device INTEGER NOT NULL,
    root_inode INTEGER NOT NULL,
    root_made_at INTEGER NOT NULL -- 0 where the file system does not keep it
) STRICT;
