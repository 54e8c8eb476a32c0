import CLinux
import CacheModel
import FileAccess
import Glibc

extension GradleJournal {
    /// What a journal may have at most; Gradle's own have some 50 bytes for each path.
    static let sizeLimit = ByteCount(32 << 20)

    private static let attempts = 5

    /// Reads the journal of the Gradle user home in `home`; nil where there is none.
    ///
    /// No lock is taken, for Gradle would wait for it: a journal that changed while it was read is read again. A
    /// link is not followed, and a FIFO in its place does not block.
    ///
    /// - Throws: `GradleJournalError`.
    package static func read(home: OpenDirectory) throws(GradleJournalError) -> GradleJournal? {
        try read(home: home, afterReading: {})
    }

    /// As above; `afterReading` lets a test change the file where a build may.
    static func read(home: OpenDirectory, afterReading: () -> Void) throws(GradleJournalError)
        -> GradleJournal?
    {
        guard let caches = try? home.open("caches".utf8.cString) else { return nil }
        return try read(caches: caches, afterReading: afterReading)
    }

    /// Reads the journal of a directory `caches`, whatever it is called; nil where there is none.
    ///
    /// - Throws: `GradleJournalError`.
    static func read(
        caches: OpenDirectory, afterReading: () -> Void = {}
    ) throws(GradleJournalError) -> GradleJournal? {
        guard let folder = try? caches.open("journal-1".utf8.cString) else { return nil }
        var failure = GradleJournalError.restless
        for _ in 0..<attempts {
            guard let file = try open(folder) else { return nil }
            defer { close(file) }
            let before = try stat(file)
            guard before.size <= sizeLimit.bytes else { throw .tooLarge(ByteCount(before.size)) }
            let bytes = try content(file, size: Int(before.size))
            afterReading()
            let after = try stat(file)
            let isSame =
                before.mtime == after.mtime && before.ctime == after.ctime && before.size == after.size
            guard isSame, bytes.count == Int(before.size) else {
                failure = .restless
                sched_yield()
                continue
            }
            do throws(GradleJournalError) { return try GradleJournal(bytes) } catch .damaged(let offset) {
                // Clocks of file systems are coarse: it may have been written to all the same.
                failure = .damaged(offset: offset)
                sched_yield()
            }
        }
        throw failure
    }

    private static func open(_ folder: OpenDirectory) throws(GradleJournalError) -> Int32? {
        do throws(SystemError) {
            return try folder.openQuietly(Array("file-access.bin".utf8).cString).descriptor
        } catch {
            switch error.code {
            case ENOENT: return nil
            case ELOOP: throw .unreadable(reason: "it is a symbolic link")
            case EINVAL: throw .unreadable(reason: "it is no regular file")
            default: throw .unreadable(reason: error.message)
            }
        }
    }

    private static func stat(_ file: Int32) throws(GradleJournalError) -> larder_stat {
        var stat = larder_stat()
        let result = larder_statx(file, "", &stat)
        guard result == 0 else { throw .unreadable(reason: SystemError(code: -result).message) }
        return stat
    }

    private static func content(_ file: Int32, size: Int) throws(GradleJournalError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        do throws(SystemError) {
            let filled = try bytes.withUnsafeMutableBytes { readFully(file, into: $0) }.get()
            return filled == size ? bytes : Array(bytes.prefix(filled))
        } catch { throw .unreadable(reason: error.message) }
    }
}
