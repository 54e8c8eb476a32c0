import CacheModel
import GRDB

extension CacheIndex {
    /// What is known of the file system of a volume; nil where it was never scanned.
    ///
    /// - Throws: `IndexError`.
    package func fileSystem(of volume: String) throws -> KnownFileSystem? {
        try reading { db in
            guard let state = try scanState(of: volume, db) else { return nil }
            return KnownFileSystem(
                identity: state.record.identity, facts: try fileSystemFacts(of: state.volume, db))
        }
    }

    /// The file systems on which two volumes or more lie, as their last scans saw them.
    ///
    /// - Throws: `IndexError`.
    package func sharedDisks(of volumes: [(volume: Volume, capacity: Capacity)]) throws -> [SharedDisk] {
        SharedDisk.all(
            try volumes.compactMap { volume, capacity in
                try fileSystem(of: volume.name)?.facts.map { (volume, capacity, $0) }
            })
    }

    /// What the file system of a volume looked like at its last scan; nil where an older Larder made that.
    func fileSystemFacts(of volume: Int64, _ db: Database) throws -> FileSystemFacts? {
        let row = try Row.fetchOne(
            db,
            sql: "SELECT file_system, device, root_inode, root_made_at FROM file_systems WHERE volume = ?",
            arguments: [volume])
        return try row.map { row in
            FileSystemFacts(
                fileSystem: try row.unsigned(0), device: try row.unsigned(1),
                rootInode: try row.unsigned(2), rootMadeAt: try row.integer(3))
        }
    }

    /// Records what the file system of a scan looked like.
    func recordFileSystem(_ facts: FileSystemFacts, volume: Int64, _ db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO file_systems VALUES (?, ?, ?, ?, ?)",
            arguments: [
                volume, Int64(bitPattern: facts.fileSystem), Int64(bitPattern: facts.device),
                Int64(bitPattern: facts.rootInode), facts.rootMadeAt,
            ])
    }
}
