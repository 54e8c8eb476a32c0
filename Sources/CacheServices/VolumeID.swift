import CLinux
import CacheModel
import FileAccess
import Glibc

/// The number in `.larder/volume-id`, by which a volume is known again wherever it is attached.
///
/// Any job can remove or replace the file, and any look at it can fail. Neither makes another file system of the volume:
/// only a number that can be read, and is another one, does.
package enum VolumeID: Sendable, Equatable {
    /// There is one.
    case number(UInt64)
    /// There is none, or what is there is no such number.
    case missing
    /// Whether there is one could not be seen.
    case unreadable(SystemError)

    private static let folder = Array(".larder".utf8).cString
    private static let name = Array("volume-id".utf8).cString

    /// Where it is, below a volume's root.
    static var path: VolumePath { VolumePath(".larder/volume-id") ?? .root }

    /// Reads it on the volume with that root.
    package init(on root: OpenDirectory) {
        do { self.init(in: try root.open(Self.folder)) } catch { self = Self.without(error) }
    }

    /// Reads it in a volume's `.larder`, which any job can write: one more name of another file is not read.
    package init(in own: OpenDirectory) {
        let file: Int32
        do { file = try own.openFile(Self.name, onlyName: true).descriptor } catch {
            self = Self.without(error)
            return
        }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 17)
        let count = read(file, &bytes, 17)
        if count < 0 {
            self = .unreadable(SystemError(code: errno))
        } else if count == 17,
            let number = UInt64(String(decoding: bytes.prefix(16), as: UTF8.self), radix: 16)
        {
            self = .number(number)
        } else {
            self = .missing
        }
    }

    /// Neither what is not there nor what somebody put in its place is doubt: a link, a pipe, a mount.
    private static func without(_ error: SystemError) -> VolumeID {
        [ENOENT, ENOTDIR, ELOOP, EINVAL, EMLINK, EXDEV].contains(error.code) ? .missing : .unreadable(error)
    }

    /// The number; nil where there is none, or it could not be read.
    package var number: UInt64? { if case .number(let number) = self { number } else { nil } }

    /// A number that no other volume has.
    static func fresh() -> UInt64 { UInt64.random(in: 1...UInt64.max) }

    /// Writes a number where there is none.
    ///
    /// - Returns: Whether it is there now: a full volume stays without one until there is room.
    static func write(_ number: UInt64, in own: OpenDirectory) -> Bool {
        let draft = Array("volume-id.tmp".utf8).cString
        // Never what is there already: it may be a pipe, or one more name of a file of somebody else.
        unlinkat(own.descriptor, draft, 0)
        let file = openat(own.descriptor, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        let digits = String(number, radix: 16)
        let text = Array((String(repeating: "0", count: 16 - digits.count) + digits + "\n").utf8)
        guard Glibc.write(file, text, text.count) == text.count, fsync(file) == 0,
            renameat(own.descriptor, draft, own.descriptor, name) == 0
        else {
            unlinkat(own.descriptor, draft, 0)
            return false
        }
        return true
    }
}

extension FileSystemFacts {
    /// Looks at the file system of an open root.
    package init(of root: OpenDirectory) throws(SystemError) {
        let stat = try root.stat()
        self.init(
            fileSystem: larder_fs_id(root.descriptor), device: stat.device, rootInode: stat.inode,
            rootMadeAt: stat.btime)
    }
}

/// Which file system a scan takes a volume for.
struct RecognizedVolume {
    /// As what the scan is recorded.
    var identity: VolumeIdentity
    /// As what the same file system was recorded until now, where that is another one.
    var former: VolumeIdentity?
    /// What it looks like.
    var facts: FileSystemFacts?
    /// What could not be read of Larder's own on it.
    var unreadable: UnreadablePath?

    /// Looks at a locked volume, and writes the number where it has none.
    ///
    /// What could not be read leaves the volume the one that is known. A number that is missing is written anew, and
    /// is the one that is known where the file system's own facts show that it is the same.
    ///
    /// - Parameter id: what a look at the number gave; nil for a look now.
    init(_ locked: LockedVolume, known: KnownFileSystem?, id: VolumeID? = nil) throws(SystemError) {
        let now = try FileSystemFacts(of: locked.root)
        facts = now
        // On a volume that is only looked at, the number of another Larder is none of ours.
        switch id ?? (locked.volume.isReadOnly ? .missing : VolumeID(on: locked.root)) {
        case .number(let number):
            identity = VolumeIdentity(marker: number, rootInode: now.rootInode)
            // Until now there was no room for a number, or it could not be read.
            if let known, let facts = known.facts, known.identity.marker == facts.device,
                facts.isSame(as: now)
            {
                former = known.identity
            }
        case .unreadable(let error):
            unreadable = UnreadablePath(path: VolumeID.path, reason: error.message)
            guard let known, known.identity.rootInode == now.rootInode,
                known.facts?.isPlainlyOther(than: now) != true
            else {
                identity = locked.identity
                return
            }
            identity = known.identity
            facts = known.facts ?? now
        case .missing:
            let same = known.flatMap { $0.facts?.isSame(as: now) == true ? $0.identity : nil }
            // A device number is none that no other volume has.
            let old = same.flatMap { $0.marker == known?.facts?.device ? nil : $0.marker }
            let number = old ?? VolumeID.fresh()
            if let own = try? locked.folder.get().own, VolumeID.write(number, in: own) {
                identity = VolumeIdentity(marker: number, rootInode: now.rootInode)
                former = same
            } else if let same {
                (identity, facts) = (same, known?.facts)
            } else {
                identity = locked.identity
            }
        }
    }
}
