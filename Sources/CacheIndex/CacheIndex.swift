import CacheModel
import GRDB

/// What Larder knows of its volumes, in one SQLite file.
///
/// It holds what the last scan of each volume found, so that `status`, `list` and `plan` need no walk, and
/// what no scan can find again: when entries were used, what was evicted and came back, what runs did.
///
/// - Each `record` is one transaction. A process that dies in the middle leaves the last state standing.
/// - The journal is SQLite's rollback journal, not its write-ahead log: that one needs shared memory, and state
///   directories lie on network volumes too (sqlite.org/wal.html).
/// - Entries are compared with a scan in one pass over both, in the order of their paths, and only rows that
///   differ are written: an unchanged scan of a large volume costs a read.
/// - An entry's id outlives it: its row moves to `ghosts` when it goes and back when it returns, so its
///   accesses stay together and a return soon after an eviction shows as regret.
/// - A damaged file is set aside, never deleted, when it is next opened for writing.
///
/// All methods block; several threads and processes may use one file.
public final class CacheIndex: Sendable {
    /// What happened to the file as it was opened, in sentences to show to people; empty when all was well.
    public let notices: [String]

    let place: IndexPlace
    private let queue: DatabaseQueue

    private init(place: IndexPlace, queue: DatabaseQueue, notices: [String]) {
        self.place = place
        self.queue = queue
        self.notices = notices
    }

    /// Opens the index in a state directory, and makes both where they do not exist yet.
    ///
    /// A file that is no database or fails SQLite's `quick_check` is renamed to `larder.db.damaged-<now>`, and
    /// `notices` says so. The check reads the whole file, so it is made only when SQLite found damage, at this
    /// opening or in an earlier query.
    ///
    /// - Parameters:
    ///   - stateDirectory: its absolute path.
    ///   - now: names the file that is set aside.
    ///   - readOnly: changes nothing, not even a damaged file, and works in a directory that cannot be written.
    /// - Throws: `IndexError`.
    public static func open(
        stateDirectory: String, now: Timestamp, readOnly: Bool = false
    ) throws -> CacheIndex {
        let place = IndexPlace(stateDirectory: stateDirectory)
        if readOnly {
            return CacheIndex(place: place, queue: try place.openReadOnly(), notices: [])
        }
        let (queue, notices) = try place.openOrRebuild(now: now)
        return CacheIndex(place: place, queue: queue, notices: notices)
    }

    /// Reads in one transaction, so that all it reads belongs together.
    func reading<T>(_ body: (Database) throws -> T) throws -> T {
        do {
            return try queue.read(body)
        } catch {
            throw explained(error)
        }
    }

    /// Writes in one transaction: all of it, or nothing when `body` throws.
    func writing<T>(_ body: (Database) throws -> T) throws -> T {
        do {
            return try queue.write(body)
        } catch {
            throw explained(error)
        }
    }

    private func explained(_ error: any Error) -> any Error {
        let explained = place.explained(error)
        if case .damaged? = explained as? IndexError { place.markSuspect() }
        return explained
    }

    /// The row of a volume in `volumes`.
    func volumeRow(named name: String, _ db: Database) throws -> Int64? {
        try Int64.fetchOne(db, sql: "SELECT id FROM volumes WHERE name = ?", arguments: [name])
    }
}
