import CLinux
import CacheModel
import Caches
import FileAccess
import Glibc

/// The look at an entry just before and just after it is moved away: whether it is still what the plan saw.
enum PreEvictionCheck {
    /// What an entry is found to be, or why it must stay.
    enum Finding: Equatable {
        case unchanged(bytes: ByteCount)
        case changed(String)
    }

    /// Walks the entry's directory.
    ///
    /// Anything read, fetched, swapped or mounted since the plan keeps the entry.
    ///
    /// - Parameters:
    ///   - quietSince: Since when no file may have been read that the scan did not see read: it looks at the
    ///     files that tell of a use, and this look at all.
    ///   - now: Downloads that moved within a day of it count as under way.
    static func look(
        at entry: ScannedEntry, in directory: OpenDirectory, quietSince: Timestamp, now: Timestamp
    ) -> Finding {
        let usedAfter = max(entry.accessed, quietSince)
        do {
            let head = try directory.stat()
            guard head.inode == entry.inode else {
                return .changed("its directory was replaced since the scan")
            }
            var bytes: Int64 = 0
            // Names with the directory they are in, opened one by one: descriptors as few as the tree is deep.
            var stack: [(parent: OpenDirectory, name: [CChar])] = [(directory, [46, 0])]
            while let (parent, name) = stack.popLast() {
                let next = try parent.open(name)
                if let change = try lookInto(next, entry, head, usedAfter, now, &bytes, &stack) {
                    return .changed(change)
                }
            }
            return .unchanged(bytes: ByteCount(bytes))
        } catch let error {
            if error.code == EXDEV { return .changed("a file system is mounted in it") }
            return .changed("it could not be looked at (\(error))")
        }
    }

    private static func lookInto(
        _ directory: OpenDirectory, _ entry: ScannedEntry, _ head: larder_stat, _ usedAfter: Timestamp,
        _ now: Timestamp, _ bytes: inout Int64, _ stack: inout [(parent: OpenDirectory, name: [CChar])]
    ) throws(SystemError) -> String? {
        let own = try directory.stat()
        guard own.device == head.device, own.mount == head.mount else {
            return "a file system is mounted in it"
        }
        if own.mtime > entry.fetched.nanoseconds { return "something was fetched into it since the scan" }
        bytes += own.blocks * 512
        for name in try directory.names() {
            let stat: larder_stat
            do { stat = try directory.stat(name) } catch {
                if error.isVanished { return "it changed under the last look" }
                throw error
            }
            if stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) {
                stack.append((directory, name))
                continue
            }
            bytes += stat.links == 1 ? stat.blocks * 512 : 0
            if let change = judge(name, stat, usedAfter, now) { return change }
        }
        return nil
    }

    private static func judge(
        _ name: [CChar], _ stat: larder_stat, _ usedAfter: Timestamp, _ now: Timestamp
    ) -> String? {
        name.dropLast().map(UInt8.init(bitPattern:)).withUnsafeBufferPointer { bytes in
            if FileNames.isInFlight(bytes), max(stat.mtime, stat.ctime) > (now - .days(1)).nanoseconds {
                return "a download into it is under way"
            }
            if FileNames.isChecksum(bytes) { return nil }
            return stat.atime > usedAfter.nanoseconds ? "a job used it since the scan" : nil
        }
    }
}
