import CLinux
import CacheModel
import Caches
import FileAccess
import Foundation

/// The file system of a volume, where it holds nothing but the volume: then what it says is used is what counts.
///
/// What no record explains, such as volumes, lost layers and what containers write, takes space like anything else. On
/// a file system that holds other things too, the same figure would have others' files evict a volume's entries: in
/// doubt it is not the volume's own.
package struct OwnFileSystem {
    /// What is used on it.
    let used: ByteCount

    /// Looks at a volume's file system; nil where it is not the volume's own, or cannot tell.
    ///
    /// A build cache is measured by it where it may take the whole of it: then files that share their blocks by
    /// reflinks, and what else a sum of files does not know, count as the file system counts them. Its trash is no use.
    ///
    /// It is own where it is local, mounted from its root at a place of its own, and where from there down to the
    /// volume nothing lies beside it but the event logs.
    init?(_ locked: LockedVolume, trash: ByteCount = .zero) {
        guard let capacity = Capacity(descriptor: locked.root.descriptor),
            locked.volume.kind == .imageStore
                || locked.volume.quota(capacity: capacity).limit == capacity.usable,
            Self.isOwn(locked.volume, locked.root)
        else { return nil }
        var waiting = trash
        if trash > .zero, SharedBlocks.mayExist(on: locked.root), let folder = try? locked.folder.get() {
            waiting = min(trash, SharedBlocks.exclusiveBytes(below: folder.trash))
        }
        used = max(.zero, capacity.used - waiting)
    }

    /// Whether a volume has its file system for itself.
    package static func isOwn(_ volume: Volume, _ root: OpenDirectory) -> Bool {
        guard NetworkFileSystem.name(of: root) == nil, let id = try? root.stat().mount,
            let place = mountPoint(id), place != "/"
        else { return false }
        return holdsNothingElse(from: place, to: volume)
    }

    /// How many inodes of its own file system a volume has in use, the trash included; nil where that is no quota.
    static func usedInodes(_ volume: Volume, _ root: OpenDirectory, _ capacity: Capacity) -> Int64? {
        guard capacity.inodes > 0, isOwn(volume, root) else { return nil }
        return max(0, capacity.inodes - capacity.freeInodes)
    }

    /// Where the mount of that ID is, if it shows its file system from the root on.
    private static func mountPoint(_ id: UInt64) -> String? {
        MountInfo.line(ofMount: id).flatMap { $0.root == "/" ? $0.point : nil }
    }

    private static func holdsNothingElse(from mountPoint: String, to volume: Volume) -> Bool {
        var place = mountPoint
        guard volume.path == place || volume.path.hasPrefix(place + "/") else { return false }
        let events = volume.eventsPath
        while place != volume.path {
            let rest = volume.path.dropFirst(place.count + 1)
            let next = String(rest.prefix { $0 != "/" })
            guard let names = try? OpenDirectory.open(root: place).names() else { return false }
            for name in names {
                let name = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
                let path = "\(place)/\(name)"
                guard name == next || name == "lost+found" || path == events || events.hasPrefix(path + "/")
                else {
                    return false
                }
            }
            place += "/" + next
        }
        return true
    }
}
