import CacheModel
import Foundation
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
package final class CacheIndex: Sendable {
    /// What happened to the file as it was opened, in sentences to show to people; empty when all was well.
    package let notices: [String]

    /// Whether this index lives in memory only, and goes with the process.
    package let isInMemory: Bool

    /// The state directory, also of an index that lives in memory instead of there.
    package var stateDirectory: String { place.directory }

    let place: IndexPlace
    private let late = LateNotices()
    private let queue: DatabaseQueue

    private init(place: IndexPlace, queue: DatabaseQueue, notices: [String], isInMemory: Bool = false) {
        self.isInMemory = isInMemory
        self.place = place
        self.queue = queue
        self.notices = notices
    }

    /// Opens the index in a state directory, and makes both where they do not exist yet.
    ///
    /// A file that is no database or fails SQLite's `integrity_check`, and cannot be put in order again from its
    /// tables, is renamed to `larder.db.damaged-<now>`, and
    /// `notices` says so. The check reads the whole file, so it is made only when SQLite found damage, at this
    /// opening or in an earlier query.
    ///
    /// - Parameters:
    ///   - stateDirectory: its absolute path.
    ///   - now: names the file that is set aside.
    ///   - readOnly: changes nothing, not even a damaged file, and works in a directory that cannot be written.
    ///   - patience: how long to wait for another process that holds the file.
    /// - Throws: `IndexError`.
    package static func open(
        stateDirectory: String, now: Timestamp, readOnly: Bool = false, patience: Span = .seconds(5)
    ) throws -> CacheIndex {
        let place = IndexPlace(stateDirectory: stateDirectory, patience: patience)
        if readOnly {
            return CacheIndex(place: place, queue: try place.openReadOnly(), notices: [])
        }
        var (queue, notices) = try place.openOrRebuild(now: now)
        if !place.reserve.make() {
            notices.append(
                "The disk of the state directory \(stateDirectory) is nearly full: make room on it, or name "
                    + "another one with --state.")
        }
        return CacheIndex(place: place, queue: queue, notices: notices)
    }

    /// Begins an empty index in memory, for a prune while the disk of the state directory is full.
    ///
    /// - Throws: `IndexError`.
    package static func inMemory(insteadOf stateDirectory: String) throws -> CacheIndex {
        let place = IndexPlace(stateDirectory: stateDirectory)
        let notice =
            "The state directory \(stateDirectory) is full. Larder works without its history: last uses come "
            + "from access times alone, and nothing of this run is recorded. Make room on that disk."
        return CacheIndex(
            place: place, queue: try place.openInMemory(), notices: [notice], isInMemory: true)
    }

    /// What happened to the file since it was opened, in sentences to show to people.
    ///
    /// Each is told once.
    package func takeLateNotices() -> [String] { late.take() }

    /// Where the tree of a volume is kept from one scan to the next, beside the index; nil for one in memory.
    ///
    /// It is no part of the index: whoever scans writes it, and it can go at any time.
    package func treePath(of volume: String) -> String? {
        guard !isInMemory else { return nil }
        return place.directory + "/tree-" + volume
    }

    /// Reads in one transaction, so that all it reads belongs together.
    func reading<T>(_ body: (Database) throws -> T) throws -> T {
        do {
            return try queue.read { db in
                try Pool.learnOwn(from: db)
                return try body(db)
            }
        } catch {
            throw explained(error)
        }
    }

    /// Writes in one transaction: all of it, or nothing when `body` throws.
    func writing<T>(_ body: (Database) throws -> T) throws -> T {
        let body = { (db: Database) in
            try Pool.learnOwn(from: db)
            return try body(db)
        }
        do {
            return try queue.write(body)
        } catch {
            let error = explained(error)
            guard case .full? = error as? IndexError, place.reserve.release() else { throw error }
        }
        defer { place.reserve.make() }
        do {
            let result = try queue.write(body)
            late.add(
                "The state directory \(place.directory) is full. The reserve in it was used up to record this "
                    + "run: make room on that disk.")
            return result
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

/// Notices that come up while an index is in use.
private final class LateNotices: @unchecked Sendable {
    private let lock = NSLock()
    private var notices: [String] = []

    func add(_ notice: String) { lock.withLock { if !notices.contains(notice) { notices.append(notice) } } }

    func take() -> [String] {
        lock.withLock {
            defer { notices = [] }
            return notices
        }
    }
}
