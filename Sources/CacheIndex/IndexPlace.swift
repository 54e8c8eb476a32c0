import CacheModel
import Foundation
import GRDB
import Glibc

/// The index's file: how it is opened, and what happens when it is damaged.
struct IndexPlace: Sendable {
    let directory: String
    var path: String { directory + "/larder.db" }
    // Left by whoever met damage in a query; it makes the next one that may write check the whole file.
    private var mark: String { path + ".suspect" }
    // Its time says when the whole file was last checked.
    private var checked: String { path + ".checked" }

    private let patience: Span

    init(stateDirectory: String, patience: Span = .seconds(5)) {
        directory = stateDirectory
        self.patience = patience
    }

    var reserve: StateReserve { StateReserve(directory: directory) }

    func openInMemory() throws -> DatabaseQueue {
        do {
            var configuration = Configuration()
            configuration.foreignKeysEnabled = true
            let queue = try DatabaseQueue(configuration: configuration)
            try queue.write { try Schema.migrate($0, path: path) }
            return queue
        } catch {
            throw explained(error)
        }
    }

    func openReadOnly() throws -> DatabaseQueue {
        guard try fileSize() != nil else { throw IndexError.missing(path: path) }
        do {
            return try connect(readOnly: true)
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK {
            // A process died while it wrote, and its journal must be played back, which takes writing.
            do {
                try connect(readOnly: false).close()
                return try connect(readOnly: true)
            } catch {
                throw explained(error)
            }
        } catch {
            throw explained(error)
        }
    }

    func openOrRebuild(now: Timestamp) throws -> (DatabaseQueue, notices: [String]) {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            if reserve.isFull { throw IndexError.full(path: path) }
            throw IndexError.unusable(path: path, reason: "\(directory): \(reason(of: error))")
        }
        // A file that another process has just made is empty for a moment, and must not be taken for a damaged one.
        let turn = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if turn >= 0 { while flock(turn, LOCK_EX) != 0, errno == EINTR {} }
        defer { if turn >= 0 { close(turn) } }
        let damage: String
        let size = try fileSize()
        // What a process left that died as it wrote: SQLite plays it back, on whatever disk that was.
        let hasCrashed = FileManager.default.fileExists(atPath: path + "-journal")
        if size == 0 {
            damage = "the file was empty"
        } else {
            do {
                let queue = try connect(readOnly: false)
                switch try check(queue, isDue: hasCrashed || size != nil && isCheckDue(now), now: now) {
                case .sound: return (queue, [])
                case .mended(let reason): return (queue, [mendedNotice(reason)])
                case .damaged(let reason):
                    try queue.close()
                    damage = reason
                }
            } catch {
                let error = explained(error)
                // An empty file of a disk that was full must not look like a damaged index later.
                if case .full? = error as? IndexError, size == nil { removeDraft() }
                guard case .damaged(_, let reason)? = error as? IndexError else { throw error }
                damage = reason
            }
        }
        let kept = try setAside(now: now)
        do {
            return (try connect(readOnly: false), [notice(damage: damage, kept: kept)])
        } catch {
            throw explained(error)
        }
    }

    private func removeDraft() {
        for suffix in ["-journal", ""] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }

    private func notice(damage: String, kept: String) -> String {
        "The index at \(path) was damaged (\(damage)). It is kept as \(kept), and a new one was begun. "
            + "The next scan finds the entries again; what was known of their use, hit rates, evictions and "
            + "runs until now is lost."
    }

    private func connect(readOnly: Bool) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(Double(patience.nanoseconds) / 1e9)
        configuration.prepareDatabase { db in
            // Nothing outside the state directory may be needed: /tmp is often not writable in a pod.
            try db.execute(sql: "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF")
            // The system caches the file; SQLite's own 2 MB a connection would only fill over days.
            guard !readOnly else { return try db.execute(sql: "PRAGMA cache_size = -512") }
            try db.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL")
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        // Whoever is up to date must not wait for a writer.
        if try queue.read({ try Schema.isUpToDate($0, path: path, readOnly: readOnly) }) { return queue }
        try queue.write { try Schema.migrate($0, path: path) }
        return queue
    }

    /// The size of the file; nil where there is none.
    private func fileSize() throws -> Int? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            let attributes = try FileManager.default.attributesOfItem(atPath: resolved)
            guard attributes[.type] as? FileAttributeType == .typeRegular else {
                throw IndexError.notAFile(path: path)
            }
            return attributes[.size] as? Int
        } catch let error as IndexError {
            throw error
        } catch {
            throw IndexError.unusable(path: path, reason: reason(of: error))
        }
    }

    func markSuspect() {
        Self.makeEmpty(mark)
    }

    /// Makes an empty file: by its name at once, since a draft that is renamed would stay behind after a kill.
    private static func makeEmpty(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        if descriptor >= 0 { close(descriptor) }
    }

    private enum Health {
        case sound
        /// An order was damaged, and was made anew from its table.
        case mended(String)
        case damaged(String)
    }

    /// Whether the last check of the whole file is a day old, or lies in the future.
    private func isCheckDue(_ now: Timestamp) -> Bool {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: checked),
            let at = attributes[.modificationDate] as? Date
        else { return true }
        let age = Double(now.seconds) - at.timeIntervalSince1970
        return age < -3600 || age > 86_400
    }

    /// Checks the whole file, orders included, where that is due or someone met damage: a flipped bit in a row makes
    /// entries come and go that never did, and `quick_check` passes over it.
    private func check(_ queue: DatabaseQueue, isDue: Bool, now: Timestamp) throws -> Health {
        let isSuspect = FileManager.default.fileExists(atPath: mark)
        guard isSuspect || isDue else { return .sound }
        func verdict() throws -> String? {
            let found = try queue.read { try String.fetchOne($0, sql: "PRAGMA integrity_check(1)") }
            return found == "ok" ? nil : found ?? "the check gave no answer"
        }
        let found: String?
        do { found = try verdict() } catch let error as DatabaseError
            where error.resultCode == .SQLITE_BUSY && !isSuspect
        {
            // Another process writes: the next opening checks it.
            return .sound
        }
        var isMended = false
        if found != nil {
            // The tables hold all there is; an order that cannot be made from one leaves the damage.
            do {
                try queue.write { try $0.execute(sql: "REINDEX") }
                isMended = try verdict() == nil
            } catch {}
        }
        if let found, !isMended { return .damaged(found) }
        if isSuspect { try FileManager.default.removeItem(atPath: mark) }
        // Where that cannot be written the next opening checks again.
        let at = Date(timeIntervalSince1970: Double(now.seconds))
        Self.makeEmpty(checked)
        try? FileManager.default.setAttributes([.modificationDate: at], ofItemAtPath: checked)
        return found.map { .mended($0) } ?? .sound
    }

    private func mendedNotice(_ reason: String) -> String {
        "The index at \(path) was damaged (\(reason)), and was put in order again: the next scan corrects single "
            + "entries. Check the disk of the state directory."
    }

    // Renames the file and its journal: left behind, that would be played back into the new file.
    private func setAside(now: Timestamp) throws -> String {
        let time = now.description.filter { $0 != "-" && $0 != ":" }
        var kept = "\(path).damaged-\(time)"
        var count = 1
        while FileManager.default.fileExists(atPath: kept) {
            count += 1
            kept = "\(path).damaged-\(time)-\(count)"
        }
        do {
            for suffix in ["-journal", "-wal", "-shm", ""]
            where FileManager.default.fileExists(atPath: path + suffix) {
                try FileManager.default.moveItem(atPath: path + suffix, toPath: kept + suffix)
            }
            if FileManager.default.fileExists(atPath: mark) {
                try FileManager.default.removeItem(atPath: mark)
            }
        } catch {
            throw IndexError.unusable(
                path: path, reason: "it is damaged and cannot be set aside: \(reason(of: error))")
        }
        return kept
    }

    /// The error in terms of the index's file; others than SQLite's are passed on.
    func explained(_ error: any Error) -> any Error {
        if let row = error as? UnreadableRow { return IndexError.damaged(path: path, reason: row.what) }
        if error is RowDecodingError { return IndexError.damaged(path: path, reason: "\(error)") }
        guard let error = error as? DatabaseError else { return error }
        let reason = error.message ?? "\(error.resultCode)"
        return switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: IndexError.damaged(path: path, reason: reason)
        case .SQLITE_BUSY, .SQLITE_LOCKED: IndexError.busy(path: path)
        case .SQLITE_FULL: IndexError.full(path: path)
        // Without a free inode SQLite cannot make its journal, and says no more than that.
        case .SQLITE_CANTOPEN where reserve.isFull, .SQLITE_IOERR where reserve.isFull:
            IndexError.full(path: path)
        case .SQLITE_CANTOPEN: IndexError.unusable(path: path, reason: reason)
        default: IndexError.failed(path: path, reason: reason)
        }
    }

    private func reason(of error: any Error) -> String {
        let error = error as NSError
        let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError
        return (cause ?? error).localizedDescription
    }
}
