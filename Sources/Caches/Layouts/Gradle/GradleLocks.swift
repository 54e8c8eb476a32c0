import CLinux
import CacheModel
import FileAccess
import Glibc

/// Asks whether a Gradle build is running on a Gradle user home, without taking any lock.
///
/// A build holds a POSIX write lock on bytes 0…16 of lock files such as `caches/modules-2/modules-2.lock` and
/// `caches/<version>/fileHashes/fileHashes.lock` (gradle/gradle `DefaultFileLockManager`); `F_OFD_GETLK` sees
/// it. A free lock proves nothing, which is why the idle floor and the last look are there as well.
enum GradleLocks {
    /// Where an entry's locks are looked for.
    struct Place {
        /// The directory `caches`, whatever it is called; for what lies beside it the home.
        let directory: VolumePath
        /// Whether that is the home.
        let isHome: Bool

        /// Whether any lock file there is held; what cannot be asked counts as held.
        func isHeld(below root: OpenDirectory) -> Bool {
            guard isHome else {
                do { return holdsLock(try root.open(directory), depth: 2) } catch {
                    return error.code != ENOENT
                }
            }
            guard let home = try? root.open(directory) else { return true }
            if (try? home.stat("caches".utf8.cString)) != nil { return areHeld(home: directory, below: root) }
            // A wrapper that is mounted by itself: the caches may lie beside it under any name.
            guard let names = try? home.names() else { return true }
            return names.contains { name in
                guard let beside = try? home.open(name), let inside = try? beside.names() else {
                    return false
                }
                let isCaches = inside.contains { name in
                    let bytes = name.dropLast().map(UInt8.init(bitPattern:))
                    return bytes.elementsEqual("modules-2".utf8) || bytes.starts(with: "journal-".utf8)
                }
                return isCaches && holdsLock(beside, depth: 2)
            }
        }
    }

    /// Where an entry's locks are; nil for an entry of another pool, and where they are on no volume.
    static func place(of entry: ScannedEntry) -> Place? {
        let all = entry.path.components
        func above(_ levels: Int, isHome: Bool = false) -> Place? {
            guard all.count >= levels,
                let path = VolumePath(bytes: Array(all.dropLast(levels).joined(separator: "/".utf8)))
            else { return nil }
            return Place(directory: path, isHome: isHome)
        }
        switch entry.pool {
        case .gradle:  // <caches>/modules-2/files-2.1/<group>/<name>/<version>, and <sha1> of a part
            let depth = entry.traits.contains(.part) ? 4 : 3
            guard all.count > depth, all[all.count - depth - 1].elementsEqual("files-2.1".utf8) else {
                return nil
            }
            return above(depth + 2) ?? above(depth + 1)
        case .gradleOther:
            let parts = entry.key.split(separator: "/").count
            return entry.key.hasPrefix("caches/")
                ? above(parts - 1) ?? above(all.count) : above(parts, isHome: true) ?? above(all.count)
        default: return nil
        }
    }

    /// Whether any lock file in the caches of a home is held.
    ///
    /// What cannot be asked counts as held.
    static func areHeld(home: VolumePath, below root: OpenDirectory) -> Bool {
        do {
            return holdsLock(in: "caches".utf8.cString, of: try root.open(home), depth: 2)
        } catch { return error.code != ENOENT }
    }

    /// A directory that is missing holds no lock; one behind a link, a mount point or permissions may.
    private static func holdsLock(in name: [CChar], of parent: OpenDirectory, depth: Int) -> Bool {
        do { return holdsLock(try parent.open(name), depth: depth) } catch {
            guard error.code == ENOTDIR else { return error.code != ENOENT }
            return (try? parent.stat(name)).map { $0.mode & UInt32(S_IFMT) == UInt32(S_IFLNK) } ?? true
        }
    }

    fileprivate static func holdsLock(_ directory: OpenDirectory, depth: Int) -> Bool {
        guard let names = try? directory.names() else { return true }
        for name in names {
            let bytes = name.dropLast().map(UInt8.init(bitPattern:))
            if bytes.suffix(5).elementsEqual(".lock".utf8) {
                if isHeld(name, in: directory) { return true }
            } else if depth > 0, isCache(bytes, depth: depth),
                holdsLock(in: name, of: directory, depth: depth - 1)
            {
                return true
            }
        }
        return false
    }

    /// Locks lie in `caches/<cache>/` and `caches/<version>/<cache>/`; what holds artifacts is not searched.
    private static func isCache(_ name: [UInt8], depth: Int) -> Bool {
        depth == 2
            || [
                "fileHashes", "fileContent", "javaCompile", "executionHistory", "taskHistory", "md-rule",
                "md-supplier",
            ].contains { name.elementsEqual($0.utf8) }
    }

    private static func isHeld(_ name: [CChar], in directory: OpenDirectory) -> Bool {
        do { return try directory.isLocked(name, .exclusive) } catch {
            // What is no file is no lock of Gradle's.
            return ![ENOENT, ELOOP, EINVAL].contains(error.code)
        }
    }
}
