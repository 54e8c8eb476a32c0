import CLinux
import CacheModel
import Dispatch
import FileAccess
import Foundation
import Synchronization

/// Where a directory lies, whatever names lead to it: through links and bind mounts as well.
package struct DirectoryPlace: Sendable, Hashable {
    /// How one directory lies to another.
    package enum Relation: Sendable, Hashable {
        /// Both are one.
        case same
        /// It lies within the other.
        case within
        /// It contains the other.
        case contains
    }

    /// One directory.
    private struct Node: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    /// The directory and all above it, by the mounts on the way.
    private var chain: [Node] = []
    /// Its path within its file system, and which one that is (proc_pid_mountinfo(5)): what is mounted a second time has
    /// other directories above it, and the same place there.
    private var fileSystem = ""
    private var path: String?

    /// The device and the inode of the directory itself.
    package var identity: (device: UInt64, inode: UInt64)? { chain.first.map { ($0.device, $0.inode) } }

    /// Looks at a path; nil where nothing can be opened there.
    package init?(of path: String) {
        var descriptor = open(path, O_DIRECTORY | O_CLOEXEC | larder_o_path)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var mount: UInt64 = 0
        // The root is its own parent.
        while chain.count < 4096 {
            var stat = larder_stat()
            guard larder_statx(descriptor, "", &stat) == 0 else { return nil }
            let node = Node(device: stat.device, inode: stat.inode)
            if chain.isEmpty { mount = stat.mount }
            if chain.last == node { break }
            chain.append(node)
            let above = openat(descriptor, "..", O_DIRECTORY | O_CLOEXEC | larder_o_path)
            guard above >= 0 else { break }
            close(descriptor)
            descriptor = above
        }
        if let whole = realpath(path, nil) {
            let real = String(cString: whole)
            free(whole)
            if let line = MountInfo.line(ofMount: mount), let rest = Self.rest(of: real, below: line.point) {
                fileSystem = line.device
                self.path = Self.joined(line.root, rest)
            }
        }
    }

    /// How it lies to another; nil where they are apart.
    package func relation(to other: DirectoryPlace) -> Relation? {
        guard let own = chain.first, let others = other.chain.first else { return nil }
        if own == others { return .same }
        if chain.contains(others) { return .within }
        if other.chain.contains(own) { return .contains }
        guard let path, let otherPath = other.path, fileSystem == other.fileSystem else { return nil }
        if Self.rest(of: path, below: otherPath) != nil { return .within }
        return Self.rest(of: otherPath, below: path) != nil ? .contains : nil
    }

    /// What of a path is left below a directory; nil where it does not lie there.
    private static func rest(of path: String, below directory: String) -> String? {
        if path == directory { return "" }
        let start = directory == "/" ? "/" : directory + "/"
        return path.hasPrefix(start) ? String(path.dropFirst(start.count)) : nil
    }

    private static func joined(_ directory: String, _ rest: String) -> String {
        rest.isEmpty ? directory : directory == "/" ? "/" + rest : "\(directory)/\(rest)"
    }

    /// The places of several paths, each looked at on a thread of its own, as one on a file system that hangs may never
    /// come back; without those that are not there, or not told within a second.
    package static func of(_ paths: [String]) -> [String: DirectoryPlace] {
        let looks = Set(paths).map { ($0, PlaceLook($0)) }
        let deadline = DispatchTime.now() + 1
        return looks.reduce(into: [:]) { places, look in places[look.0] = look.1.result(until: deadline) }
    }
}

/// A look at a place, on a thread that may never come back.
private final class PlaceLook: Sendable {
    private let place = Mutex<DirectoryPlace?>(nil)
    private let ended = DispatchSemaphore(value: 0)

    init(_ path: String) {
        DispatchQueue.global(qos: .userInitiated).async { [self] in
            let found = DirectoryPlace(of: path)
            place.withLock { $0 = found }
            ended.signal()
        }
    }

    func result(until deadline: DispatchTime) -> DirectoryPlace? {
        ended.wait(timeout: deadline) == .success ? place.withLock { $0 } : nil
    }
}

extension Volume {
    /// Why the volume cannot be pruned beside another one; nil where all lie apart.
    package var conflict: String? {
        let places = DirectoryPlace.of([path] + neighbours.values)
        guard let own = places[path] else { return nil }
        for (name, other) in neighbours.sorted(by: { $0.key < $1.key }) {
            guard let relation = places[other].flatMap({ own.relation(to: $0) }) else { continue }
            let (first, second) = (escaped(path.utf8), escaped(other.utf8))
            switch relation {
            case .same: return "\(first) and \(second) of volume \(name) are one directory"
            case .within: return "\(first) lies within \(second) of volume \(name)"
            case .contains: return "\(first) contains \(second) of volume \(name)"
            }
        }
        return nil
    }

    /// The inodes of directories on its file system that are no pool's, wherever they lie: the other volumes' roots and
    /// the state directory.
    func others(stateDirectory: String, device: UInt64) -> Set<UInt64> {
        let places = DirectoryPlace.of([stateDirectory] + neighbours.values)
        return places.values.reduce(into: []) { inodes, place in
            if let identity = place.identity, identity.device == device { inodes.insert(identity.inode) }
        }
    }
}

/// The mounts that this process sees (proc_pid_mountinfo(5)).
enum MountInfo {
    /// One mount.
    struct Line {
        /// Its file system, `major:minor`.
        var device: String
        /// Which directory of the file system it shows.
        var root: String
        /// Where.
        var point: String
    }

    /// The mount of that ID; nil where it is not seen.
    static func line(ofMount id: UInt64) -> Line? {
        guard let table = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8) else {
            return nil
        }
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 4, UInt64(fields[0]) == id else { continue }
            return Line(
                device: String(fields[2]), root: unescaped(fields[3]), point: unescaped(fields[4]))
        }
        return nil
    }

    /// Blanks and the like stand as three octal digits.
    private static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = field.utf8[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let number = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(number)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
