import GRDB

/// The numbered SQL files of `migrations/`, embedded at build time, and the file's place among them.
///
/// `PRAGMA user_version` holds the number of the last one that was applied, `PRAGMA application_id` tells the
/// index from other programs' databases.
enum Schema {
    /// What `0001_index.sql` sets: `Lrdr` in ASCII.
    static let applicationID = 0x4c72_6472

    /// The files in the order of their numbers, which begin at 1 and leave none out.
    static let migrations: [(file: String, sql: [UInt8])] = [
        ("0001_index.sql", PackageResources._001_index_sql),
        ("0002_ingest.sql", PackageResources._002_ingest_sql),
        ("0003_verify.sql", PackageResources._003_verify_sql),
        ("0004_orphans.sql", PackageResources._004_orphans_sql),
        ("0005_daemon.sql", PackageResources._005_daemon_sql),
        ("0006_reasons.sql", PackageResources._006_reasons_sql),
        ("0007_history.sql", PackageResources._007_history_sql),
        ("0008_image_stores.sql", PackageResources._008_image_stores_sql),
        ("0009_builds.sql", PackageResources._009_builds_sql),
        ("0010_inodes.sql", PackageResources._010_inodes_sql),
        ("0011_trash.sql", PackageResources._011_trash_sql),
        ("0012_limits.sql", PackageResources._012_limits_sql),
        ("0013_projects.sql", PackageResources._013_projects_sql),
        ("0014_unaccounted.sql", PackageResources._014_unaccounted_sql),
        ("0015_file_systems.sql", PackageResources._015_file_systems_sql),
        ("0016_arrivals.sql", PackageResources._016_arrivals_sql),
        ("0017_returns.sql", PackageResources._017_returns_sql),
        ("0018_unmanaged.sql", PackageResources._018_unmanaged_sql),
    ]

    /// Brings a new or older index up to date, in the caller's transaction.
    static func migrate(_ db: Database, path: String) throws {
        let found = try version(db, path: path)
        for number in found..<migrations.count {
            try db.execute(sql: String(decoding: migrations[number].sql, as: UTF8.self))
        }
        // A pragma takes no arguments.
        if found < migrations.count { try db.execute(sql: "PRAGMA user_version = \(migrations.count)") }
    }

    /// Whether all migrations were applied; an index that is only read must have them.
    static func isUpToDate(_ db: Database, path: String, readOnly: Bool) throws -> Bool {
        let found = try version(db, path: path)
        if readOnly, found < migrations.count {
            throw IndexError.olderSchema(path: path, found: found, known: migrations.count)
        }
        return found == migrations.count
    }

    /// The number of migrations that were applied; zero for an empty database.
    private static func version(_ db: Database, path: String) throws -> Int {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
        if tables == 0, found == 0, application == 0 { return 0 }
        guard application == applicationID else { throw IndexError.foreign(path: path) }
        guard found <= migrations.count else {
            throw IndexError.newerSchema(path: path, found: found, known: migrations.count)
        }
        return found
    }
}
