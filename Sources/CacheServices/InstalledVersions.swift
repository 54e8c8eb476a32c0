import CLinux
import CacheModel
import Caches
import FileAccess
import Glibc

/// The installed versions of an artifact as they lie there at this moment.
struct InstalledVersions {
    /// How many were installed after the one in question.
    private(set) var newer = 0

    /// Looks at the directories beside an entry's: those that hold an artifact which no tracking file gives to a remote
    /// repository.
    init(of entry: ScannedEntry, below root: OpenDirectory) {
        guard let artifact = try? root.open(entry.path.parent), let names = try? artifact.names() else {
            return
        }
        for name in names {
            let raw = name.dropLast().map(UInt8.init(bitPattern:))
            guard raw != Array(entry.path.name), let version = try? artifact.open(name),
                let changed = try? version.stat().mtime, Self.isInstalled(version)
            else { continue }
            let isNewer =
                changed == entry.fetched.nanoseconds
                ? !raw.lexicographicallyPrecedes(entry.path.name) : changed > entry.fetched.nanoseconds
            if isNewer { newer += 1 }
        }
    }

    private static func isInstalled(_ directory: OpenDirectory) -> Bool {
        guard let names = try? directory.names(), let file = try? TrackingFile.read(in: directory).get()
        else {
            return false
        }
        return names.contains { name in
            let raw = name.dropLast().map(UInt8.init(bitPattern:))
            return raw.withUnsafeBufferPointer { FileNames.isArtifact($0) && !file.isFetched($0) }
        }
    }
}
