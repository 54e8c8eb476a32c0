import CLinux
import CacheModel
import FileAccess
import Glibc

/// Pools of the user's own: what path patterns of the configuration name.
///
/// Where they lie is for `FolderRules`; an entry is one file or one directory with all in it, called by its path below
/// the volume's root. What is in it is the tool's own business: nothing is held against it.
struct FolderLayout: CacheLayout {
    let documentation =
        "pools of your own: files and directories that path patterns of the configuration name (volumes[].pools)"
    let pools: [Pool] = []

    func anchors(in tree: DirectoryTree) -> [Int32: LayoutRegion] { [:] }

    func step(
        from region: LayoutRegion, to name: ArraySlice<UInt8>, _ facts: DirectoryFacts
    ) -> LayoutStep { .unmanaged }

    func key(
        of directory: Int32, in pool: Pool, below anchor: LayoutAnchor, in tree: DirectoryTree
    ) -> [UInt8] { tree.path(directory) }

    /// How many directories above an entry may hold a lock for it.
    private static let levels = 3

    /// Where another process holds a lock as tools have them: `<entry>.lock` beside it (Coursier), `.lock` in it or in a
    /// directory above, `cache/.lock` beside those (Kotlin/Native, `DependencyProcessor`).
    ///
    /// Names are asked for one by one: a directory with a hundred thousand entries is not listed for each.
    func holdingBuild(of entry: ScannedEntry, below root: OpenDirectory) -> LayoutHold? {
        let hold = LayoutHold(reason: "another process holds a lock on it")
        var path = entry.path
        if !entry.traits.contains(.file), isHeld(".lock", in: path, below: root) { return hold }
        if isHeld(path.name + Array(".lock".utf8), in: path.parent, below: root) { return hold }
        for _ in 0..<Self.levels {
            path = path.parent
            if isHeld(".lock", in: path, below: root) || isHeld("cache/.lock", in: path, below: root) {
                return hold
            }
            if path.bytes.isEmpty { break }
        }
        return nil
    }

    private func isHeld(_ name: String, in path: VolumePath, below root: OpenDirectory) -> Bool {
        let names = name.split(separator: "/")
        let directory = names.dropLast().reduce(path) { $0.appending(Array($1.utf8)) }
        return isHeld(Array((names.last ?? "").utf8), in: directory, below: root)
    }

    /// What cannot be asked counts as held; what is not there, or no file, is no lock.
    private func isHeld(_ name: [UInt8], in path: VolumePath, below root: OpenDirectory) -> Bool {
        do { return try root.open(path).isLocked(name.cString, .any) } catch {
            return ![ENOENT, ENOTDIR, ELOOP, EINVAL, EISDIR, ENAMETOOLONG, EXDEV].contains(error.code)
        }
    }

    func parentsToRemove(of entry: ScannedEntry) -> Int { 0 }

    func check(of file: [UInt8], atDepth depth: Int, of entry: ScannedEntry) -> FileCheck? { nil }

    func checksBelow(depth: Int, of entry: ScannedEntry) -> Bool { false }

    /// The first two names of the path.
    func group(of entry: CacheEntry) -> String {
        entry.key.split(separator: "/").prefix(2).joined(separator: "/")
    }
}
