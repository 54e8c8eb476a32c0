import CacheModel
import FileAccess
import Glibc

/// A volume under this process's lock: its root, and Larder's folder on it where it can be written.
package final class LockedVolume: Sendable {
    /// The volume.
    package let volume: Volume
    /// Its root.
    package let root: OpenDirectory
    /// Larder's folder, or why there is none.
    package let folder: Result<LarderDirectory, MaintenanceError>
    private let lock: RunLock

    /// Opens and locks a volume.
    ///
    /// - Parameter seen: what was at the path a moment ago, where the volume may go away between two looks. A scan
    ///   of its empty mount point would take that for a new volume, and the one that comes back for another.
    /// - Throws: `MaintenanceError.held` where another Larder works on it, `.folder` where the root cannot be
    ///   read, `.systemRoot` where it is `/`, `.wentAway` where it is not what was seen.
    package init(_ volume: Volume, now: Timestamp, seen: RootPresence? = nil) throws(MaintenanceError) {
        self.volume = volume
        do { root = try OpenDirectory.open(root: volume.path) } catch {
            throw .folder(volume: volume.name, path: volume.path, error: error)
        }
        if Self.isSystemRoot(root) { throw .systemRoot(volume: volume.name, path: volume.path) }
        if let seen, (try? RootPresence(of: root))?.isSameVolume(as: seen) != true {
            throw .wentAway(volume: volume.name, path: volume.path)
        }
        lock = try RunLock(volume: volume, root: root, now: now)
        do { folder = .success(try LarderDirectory(root: root, volume: volume)) } catch {
            folder = .failure(error)
        }
    }

    /// Refuses what only one Larder at a time may do where the volume has no lock for it.
    ///
    /// - Throws: `MaintenanceError.unlocked`.
    package func requireLock() throws(MaintenanceError) {
        if let weakness = lock.weakness { throw .unlocked(volume: volume.name, reason: weakness) }
    }

    /// Why another Larder might not see that this one works on the volume; nil where it does.
    package var lockWeakness: String? { lock.weakness }

    /// Which volume is mounted now: asked anew at each call, since a mount may change under a process.
    ///
    /// What a scan takes it for where its number is missing or cannot be read, `RecognizedVolume` says.
    package var identity: VolumeIdentity {
        let root = try? self.root.stat()
        return VolumeIdentity(marker: number ?? root?.device ?? 0, rootInode: root?.inode ?? 0)
    }

    /// The number that lies on it now; nil where it is missing or cannot be read.
    private var number: UInt64? { (try? folder.get()).flatMap { VolumeID(in: $0.own).number } }

    /// Whether a scan that this process made of the locked volume is one of what is mounted now.
    ///
    /// A number that is missing or cannot be read contradicts none.
    func isVolume(_ scanned: VolumeIdentity) -> Bool {
        let now = identity
        return now == scanned || number == nil && now.rootInode == scanned.rootInode
    }

    /// Whether a directory is the root of the whole system, and so no volume, whatever link led there.
    ///
    /// What cannot be told counts as one.
    static func isSystemRoot(_ directory: OpenDirectory) -> Bool {
        guard let here = try? directory.stat(), let root = try? OpenDirectory.open(root: "/").stat() else {
            return true
        }
        return here.device == root.device && here.inode == root.inode
    }

    /// Whether anything is mounted at a volume's path.
    package static func isPresent(_ volume: Volume) -> Bool { access(volume.path, F_OK) == 0 }
}
