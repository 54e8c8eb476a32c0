import CacheModel
import FileAccess

/// Maven's local repository: an entry is the directory of a version, `<group>/<artifact>/<version>`.
///
/// Such a directory is told by its own files (`DirectoryLister`), wherever it lies; where its group begins is for
/// `MavenRoots` to find.
struct MavenLayout: CacheLayout {
    let documentation =
        "maven: versions in local repositories of Maven, `<group>/<artifact>/<version>`, also split ones "
        + "(maven-resolver, DefaultLocalPathComposer and EnhancedLocalRepositoryManager)"
    let pools: [Pool] = [.maven]

    func anchors(in tree: DirectoryTree) -> [Int32: LayoutRegion] { [:] }

    func step(from region: LayoutRegion, to name: ArraySlice<UInt8>) -> LayoutStep { .unmanaged }

    func key(of directory: Int32, below anchor: Int32, in tree: DirectoryTree) -> [UInt8] {
        var key: [UInt8] = []
        let artifact = tree.records[Int(directory)].parent
        let group = tree.records[Int(artifact)].parent
        tree.append(group, below: anchor, separator: UInt8(ascii: "."), to: &key)
        for part in [artifact, directory] {
            key.append(UInt8(ascii: ":"))
            tree.appendName(part, to: &key)
        }
        return key
    }

    func holdingBuild(of entry: ScannedEntry, below root: OpenDirectory) -> LayoutHold? {
        MavenLocks.isHeld(on: entry, below: root) ? LayoutHold(reason: MavenLocks.reason) : nil
    }

    /// The artifact's directory and those of its group.
    func parentsToRemove(of entry: ScannedEntry) -> Int { Self.groupDepth(of: entry) + 1 }

    func check(of file: [UInt8], atDepth depth: Int, of entry: ScannedEntry) -> FileCheck? {
        file.withUnsafeBufferPointer { FileNames.isArtifact($0) } ? .checksumBeside : nil
    }

    func checksBelow(depth: Int, of entry: ScannedEntry) -> Bool { false }

    func group(of entry: CacheEntry) -> String { String(entry.key.prefix { $0 != ":" }) }

    /// How many directories the group of an entry's key is: 2 for `g.h:a:v`.
    static func groupDepth(of entry: ScannedEntry) -> Int {
        entry.key.prefix { $0 != ":" }.split(separator: ".").count
    }
}
