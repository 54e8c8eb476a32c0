/// Which directories are roots of Maven local repositories.
///
/// A version directory `…/org/example/tool/1.0` does not say where its group begins. The group that its pom
/// declares does: the root is what is left of the path. One pom is enough for all that lies below the same
/// root, which also finds the prefixes of a split repository (`installed/`, `cached/releases/`).
struct MavenRoots {
    private let tree: DirectoryTree
    private let groupID: (Int32) -> [UInt8]?
    private var isRoot: [Bool]
    private var pomsLeft = 1000

    /// `groupID` reads the group from the pom of a version directory; nil where there is none to read.
    init(tree: DirectoryTree, groupID: @escaping (Int32) -> [UInt8]?) {
        self.tree = tree
        self.groupID = groupID
        isRoot = Array(repeating: false, count: tree.records.count)
    }

    /// The root above each of those version directories.
    mutating func roots(of versions: [Int32]) -> [Int32] {
        var found = versions.map { known(above: $0) }
        for at in versions.indices where found[at] == nil {
            found[at] = known(above: versions[at]) ?? declared(versions[at])
        }
        return versions.indices.map { found[$0] ?? known(above: versions[$0]) ?? customary(versions[$0]) }
    }

    private func known(above version: Int32) -> Int32? {
        var at = tree.records[Int(version)].parent
        while at >= 0 {
            if isRoot[Int(at)] { return at }
            at = tree.records[Int(at)].parent
        }
        return nil
    }

    /// Matches the declared group, last part first, against the directories above the artifact's.
    private mutating func declared(_ version: Int32) -> Int32? {
        guard pomsLeft > 0 else { return nil }
        pomsLeft -= 1
        guard let group = groupID(version), !group.isEmpty else { return nil }
        let artifact = tree.records[Int(version)].parent
        guard artifact > 0 else { return nil }
        var at = tree.records[Int(artifact)].parent
        for part in group.split(separator: UInt8(ascii: ".")).reversed() {
            guard at > 0, tree.name(at).elementsEqual(part) else { return nil }
            at = tree.records[Int(at)].parent
        }
        isRoot[Int(at)] = true
        return at
    }

    /// Without any pom to read: the directory called `repository`, as in `.m2/repository`, else the volume.
    private func customary(_ version: Int32) -> Int32 {
        var at = tree.records[Int(version)].parent
        while at > 0 {
            if tree.name(at).elementsEqual("repository".utf8) { return at }
            at = tree.records[Int(at)].parent
        }
        return 0
    }
}
