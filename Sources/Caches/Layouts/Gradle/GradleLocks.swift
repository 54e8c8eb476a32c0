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
    /// The home that an entry lies in, below the volume's root; nil for an entry of another pool.
    static func home(of entry: ScannedEntry) -> VolumePath? {
        let all = entry.path.components
        switch entry.pool {
        case .gradle:  // <home>/caches/modules-2/files-2.1/<group>/<name>/<version>
            guard all.count >= 6 else { return nil }
            return VolumePath(bytes: Array(all.dropLast(6).joined(separator: "/".utf8)))
        case .gradleOther:
            guard
                let start = all.lastIndex(where: {
                    $0.elementsEqual("caches".utf8) || $0.elementsEqual("wrapper".utf8)
                        || $0.elementsEqual("jdks".utf8)
                })
            else { return nil }
            return VolumePath(bytes: Array(all[..<start].joined(separator: "/".utf8)))
        case .maven, .images: return nil
        }
    }

    /// Whether any lock file in the home's caches is held.
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

    private static func holdsLock(_ directory: OpenDirectory, depth: Int) -> Bool {
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
