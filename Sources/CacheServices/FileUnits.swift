import CLinux
import CacheModel
import Caches
import FileAccess
import Glibc

/// The files of an entry that is no directory: one file, or those of a replaced build in the directory of a SNAPSHOT.
///
/// One file is moved by itself. Several go into a directory of the trash, the largest first, so that a pom is never
/// gone before its jar; what fails halfway goes back.
struct FileUnits {
    let entry: ScannedEntry

    /// Nil for an entry that is a directory.
    init?(_ entry: ScannedEntry) {
        guard !entry.traits.isDisjoint(with: [.file, .files]) else { return nil }
        self.entry = entry
    }

    /// Whether a name in the entry's directory is one of its files.
    private func isOwn(_ name: [CChar]) -> Bool {
        let bytes = name.dropLast().map(UInt8.init(bitPattern:))
        let stem = entry.path.name
        if entry.traits.contains(.file) { return bytes.elementsEqual(stem) }
        guard bytes.count > stem.count, bytes.starts(with: stem) else { return false }
        return bytes[stem.count] == UInt8(ascii: ".") || bytes[stem.count] == UInt8(ascii: "-")
    }

    private func names(in directory: OpenDirectory) throws(SystemError) -> [[CChar]] {
        if entry.traits.contains(.file) {
            _ = try directory.stat(entry.path.name.cString)
            return [entry.path.name.cString]
        }
        let names = try directory.names().filter(isOwn)
        let sized = names.map { name in (name, (try? directory.stat(name))?.size ?? 0) }
        return sized.sorted { $0.1 == $1.1 ? $0.0.lexicographicallyPrecedes($1.0) : $0.1 > $1.1 }.map(\.0)
    }

    /// Looks at the files, as `PreEvictionCheck` does at a directory.
    ///
    /// - Parameter renamed: the one name that the file has in the trash.
    func look(
        in directory: OpenDirectory, renamed: [CChar]? = nil, quietSince: Timestamp, now: Timestamp
    ) -> PreEvictionCheck.Finding {
        let usedAfter = max(entry.accessed, quietSince)
        var occupancy = PreEvictionCheck.Occupancy(on: directory)
        var inode: UInt64 = .max
        do throws(SystemError) {
            let found: [[CChar]]
            if let renamed { found = [renamed] } else { found = try names(in: directory) }
            guard !found.isEmpty else { return .changed(.gone) }
            for name in found {
                let stat = try directory.stat(name)
                guard stat.mode & UInt32(S_IFMT) == UInt32(S_IFREG) else {
                    return .changed("it is no file any more")
                }
                inode = min(inode, stat.inode)
                if stat.mtime > entry.fetched.nanoseconds {
                    return .changed("something was fetched into it since the scan")
                }
                let raw =
                    (renamed == nil ? name.dropLast().map(UInt8.init(bitPattern:)) : Array(entry.path.name))
                let (isChecksum, isUnderWay) = raw.withUnsafeBufferPointer {
                    (FileNames.isChecksum($0), FileNames.isUnderWay($0, stat, now: now))
                }
                if isUnderWay {
                    return .changed("a download into it is under way")
                }
                if !isChecksum, stat.atime > usedAfter.nanoseconds {
                    return .changed("a job used it since the scan")
                }
                occupancy.add(name, stat, in: directory)
            }
        } catch {
            return .changed(
                error.code == ENOENT ? .gone : "it could not be looked at (\(error))")
        }
        return inode == entry.inode
            ? .unchanged(occupancy) : .changed("it was replaced since the scan")
    }

    /// Moves the files to a name in the trash; nil where that is done, else why it was not.
    func move(from directory: OpenDirectory, to trash: OpenDirectory, as name: [CChar]) -> SystemError? {
        if entry.traits.contains(.file) {
            return Self.rename(entry.path.name.cString, in: directory, to: trash, name)
        }
        guard mkdirat(trash.descriptor, name, 0o700) == 0 else { return SystemError(code: errno) }
        do throws(SystemError) {
            let inside = try trash.open(name)
            for file in try names(in: directory) {
                if let error = Self.rename(file, in: directory, to: inside, file) { throw error }
            }
            return nil
        } catch {
            _ = putBack(from: trash, name, to: directory)
            return error
        }
    }

    /// Looks at what was moved.
    func lookAtMoved(
        in trash: OpenDirectory, _ name: [CChar], quietSince: Timestamp, now: Timestamp
    ) -> PreEvictionCheck.Finding {
        if entry.traits.contains(.file) {
            return look(in: trash, renamed: name, quietSince: quietSince, now: now)
        }
        guard let inside = try? trash.open(name) else { return .changed("it was swapped for something else") }
        return look(in: inside, quietSince: quietSince, now: now)
    }

    /// Moves what lies under a name in the trash back to the entry's directory; whether all of it is there again.
    func putBack(from trash: OpenDirectory, _ name: [CChar], to directory: OpenDirectory) -> Bool {
        if entry.traits.contains(.file) {
            return Self.rename(name, in: trash, to: directory, entry.path.name.cString) == nil
        }
        guard let inside = try? trash.open(name) else { return false }
        return Self.putBack(from: inside, to: directory) == nil
            && unlinkat(trash.descriptor, name, AT_REMOVEDIR) == 0
    }

    /// Moves all files of a directory in the trash back, none where one of them has been fetched again.
    static func putBack(from inside: OpenDirectory, to directory: OpenDirectory) -> SystemError? {
        do throws(SystemError) {
            let names = try inside.names()
            for name in names where (try? directory.stat(name)) != nil { throw SystemError(code: EEXIST) }
            for name in names {
                if let error = rename(name, in: inside, to: directory, name) { throw error }
            }
            return nil
        } catch { return error }
    }

    private static func rename(
        _ name: [CChar], in directory: OpenDirectory, to other: OpenDirectory, _ newName: [CChar]
    ) -> SystemError? {
        let result = larder_rename_noreplace(directory.descriptor, name, other.descriptor, newName)
        return result == 0 ? nil : SystemError(code: -result)
    }
}
