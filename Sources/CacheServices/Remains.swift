import CLinux
import CacheModel
import FileAccess
import Glibc

/// What is left of a tree that a purge could not remove to its end, and what keeps it.
struct Remains {
    /// Disk blocks × 512 of all of it.
    private(set) var bytes = ByteCount.zero
    /// The first thing that is in the way.
    private(set) var reason = "its purge did not end"

    private var isExplained = false

    /// Looks at a name; nil where there is none.
    static func of(_ name: [CChar], in parent: OpenDirectory) -> Remains? {
        guard let stat = try? parent.stat(name) else { return nil }
        var remains = Remains()
        remains.add(name, stat, in: parent, path: "")
        guard stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) else { return remains }
        // Names with the directory they are in, opened one by one: descriptors as few as the tree is deep.
        var stack = [(parent: parent, name: name, path: "")]
        while let (parent, name, path) = stack.popLast() {
            do throws(SystemError) {
                let directory = try parent.open(name)
                for name in try directory.names() {
                    guard let stat = try? directory.stat(name) else { continue }
                    let raw = escaped(name.dropLast().map(UInt8.init(bitPattern:)))
                    let below = path.isEmpty ? raw : "\(path)/\(raw)"
                    if stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) {
                        stack.append((directory, name, below))
                    }
                    remains.add(name, stat, in: directory, path: below)
                }
                remains.look(at: directory, path: path)
            } catch { remains.explain("\(path.isEmpty ? "it" : path) cannot be read: \(error)") }
        }
        return remains
    }

    /// What is left of an entry of a run, by its number and its line in the run's journal; nil where nothing is.
    static func of(_ number: Int, _ line: TrashJournal.Line, in run: OpenDirectory) -> Trash.UnpurgedEntry? {
        of(Trash.doomed(number), in: run).map { .init(key: line.key, bytes: $0.bytes, reason: $0.reason) }
    }

    /// What is left of a run whose journal cannot be read; nil where nothing is.
    static func ofRun(_ id: String, in trash: OpenDirectory) -> Trash.UnpurgedEntry? {
        of(Array(id.utf8).cString, in: trash).map {
            .init(key: id, bytes: $0.bytes, reason: "its journal cannot be read")
        }
    }

    private mutating func add(
        _ name: [CChar], _ stat: larder_stat, in directory: OpenDirectory, path: String
    ) {
        if stat.links == 1 || stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) {
            bytes = bytes + ByteCount(stat.blocks * 512)
        }
        if larder_is_immutable(directory.descriptor, name) == 1 {
            explain("\(path.isEmpty ? "it" : path) is immutable (chattr -i lifts that)")
        }
    }

    /// Whether this user may remove anything in a directory, which its owner can give to himself.
    private mutating func look(at directory: OpenDirectory, path: String) {
        guard faccessat(directory.descriptor, ".", W_OK | X_OK, AT_EACCESS) != 0, errno == EACCES,
            let owner = try? directory.stat().uid, owner != geteuid()
        else { return }
        explain(
            "uid \(geteuid()) may not write in \(path.isEmpty ? "its directory" : path), which belongs to uid \(owner)"
        )
    }

    private mutating func explain(_ text: String) {
        if !isExplained { reason = text }
        isExplained = true
    }
}
