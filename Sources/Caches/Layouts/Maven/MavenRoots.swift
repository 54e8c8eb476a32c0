import CacheModel

/// Which directories are roots of Maven local repositories.
///
/// A version directory `…/org/example/tool/1.0` does not say where its group begins. Keys, keep patterns and locks
/// hang on it, so it rests on paths before all else, and repositories may lie in repositories:
///
/// 1. A directory `.m2/repository`, or `repository` at the volume's root, is one, and an artifact belongs to the
///    innermost around it. Below it, `cached` and `installed` are roots of their own: the two halves of a split
///    repository (maven-resolver `EnhancedLocalRepositoryManager`, `aether.enhancedLocalRepository.split`), where
///    poms say whether a repository's id and `releases` or `snapshots` come between.
/// 2. Elsewhere the groups that poms declare show it: the root is what is left of the path. Any job can write a
///    pom, so that what one declares never moves a root that the poms beside it stand on: a root within another
///    counts only if next to no pom below it declares the outer one. The innermost that counts is taken.
///
/// Neither depends on the order in which a walk found the directories.
struct MavenRoots {
    private let tree: DirectoryTree
    private let groupID: (Int32) -> [UInt8]?

    /// Poms beyond this many are not read, and of each directory of artifacts only so many.
    private static let mostPoms = 4000
    private static let mostOfEach = 3

    /// `groupID` reads the group from the pom of a version directory; nil where there is none to read.
    init(tree: DirectoryTree, groupID: @escaping (Int32) -> [UInt8]?) {
        self.tree = tree
        self.groupID = groupID
    }

    /// The root above each of those version directories.
    mutating func roots(of versions: [Int32]) -> [Int32] {
        var found: [Int32?] = []
        var open: [Int32] = []
        for version in versions {
            let root = named(above: version)
            found.append(root?.isCertain == true ? root?.directory : nil)
            if root?.isCertain != true { open.append(version) }
        }
        let declared = declaredRoots(of: open)
        return versions.indices.map { place in
            found[place] ?? known(above: versions[place], in: declared)
                ?? named(above: versions[place])?.directory ?? customary(versions[place])
        }
    }

    /// The innermost root that its name tells; not certain within the halves of a split repository.
    private func named(above version: Int32) -> (directory: Int32, isCertain: Bool)? {
        var at = tree.records[Int(version)].parent
        var below: [Int32] = []
        while at > 0 {
            let parent = tree.records[Int(at)].parent
            if isCalled(at, "repository"), parent == 0 || isCalled(parent, ".m2") {
                guard let half = below.last, isCalled(half, "cached") || isCalled(half, "installed") else {
                    return (at, true)
                }
                guard below.count > 1 else { return (half, true) }
                let next = below[below.count - 2]
                return isCalled(next, "releases") || isCalled(next, "snapshots")
                    ? (next, true) : (half, false)
            }
            below.append(at)
            at = parent
        }
        return nil
    }

    private func isCalled(_ directory: Int32, _ name: StaticString) -> Bool {
        directory > 0
            && tree.name(directory).elementsEqual(
                UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    private func known(above version: Int32, in roots: Set<Int32>) -> Int32? {
        var at = tree.records[Int(version)].parent
        while at >= 0 {
            if roots.contains(at) { return at }
            // What poms declare does not reach beyond a root of a certain name.
            if isCalled(at, "cached") || isCalled(at, "installed"),
                isCalled(tree.records[Int(at)].parent, "repository")
            {
                return nil
            }
            at = tree.records[Int(at)].parent
        }
        return nil
    }

    /// The roots that the groups of poms show, without those that others contest.
    private func declaredRoots(of versions: [Int32]) -> Set<Int32> {
        var supporters: [Int32: Int] = [:]
        var votes: [(group: Int32, root: Int32)] = []
        for version in sample(of: versions) {
            guard let root = declared(version) else { continue }
            supporters[root, default: 0] += 1
            votes.append((tree.records[Int(tree.records[Int(version)].parent)].parent, root))
        }
        var contested: [Int32: Int] = [:]
        for vote in votes where supporters.count > 1 {
            var at = vote.group
            while at > 0, at != vote.root {
                if supporters[at] != nil { contested[at, default: 0] += 1 }
                at = tree.records[Int(at)].parent
            }
        }
        return Set(supporters.filter { (contested[$0.key] ?? 0) * 10 <= $0.value }.keys)
    }

    /// Some versions of each directory of artifacts, chosen by their names.
    private func sample(of versions: [Int32]) -> [Int32] {
        guard versions.count > Self.mostOfEach else { return versions }
        func group(_ version: Int32) -> Int32 { tree.records[Int(tree.records[Int(version)].parent)].parent }
        var chosen: [Int32] = []
        for (_, all) in Dictionary(grouping: versions, by: group) {
            chosen +=
                all.count <= Self.mostOfEach
                ? all
                : all.map { (tree.path($0), $0) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }
                    .prefix(Self.mostOfEach).map(\.1)
        }
        guard chosen.count > Self.mostPoms else { return chosen }
        return chosen.map { (tree.path($0), $0) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }
            .prefix(Self.mostPoms).map(\.1)
    }

    /// Matches the declared group, last part first, against the directories above the artifact's.
    private func declared(_ version: Int32) -> Int32? {
        guard let group = groupID(version), !group.isEmpty else { return nil }
        let artifact = tree.records[Int(version)].parent
        guard artifact > 0 else { return nil }
        var at = tree.records[Int(artifact)].parent
        for part in group.split(separator: UInt8(ascii: ".")).reversed() {
            guard at > 0, tree.name(at).elementsEqual(part) else { return nil }
            at = tree.records[Int(at)].parent
        }
        return at
    }

    /// Without any pom to read: the innermost directory called `repository`, else the volume.
    private func customary(_ version: Int32) -> Int32 {
        var at = tree.records[Int(version)].parent
        while at > 0 {
            if isCalled(at, "repository") { return at }
            at = tree.records[Int(at)].parent
        }
        return 0
    }
}
