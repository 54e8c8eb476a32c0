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

    func step(
        from region: LayoutRegion, to name: ArraySlice<UInt8>, _ facts: DirectoryFacts
    ) -> LayoutStep { .unmanaged }

    func key(
        of directory: Int32, in pool: Pool, below anchor: LayoutAnchor, in tree: DirectoryTree
    ) -> [UInt8] {
        // A build of a SNAPSHOT is called by its own version, `g:a:1.0-20260901.120000-7`.
        let isBuild = tree.records[Int(directory)].facts.contains(.files)
        let version = isBuild ? tree.records[Int(directory)].parent : directory
        var key: [UInt8] = []
        let artifact = tree.records[Int(version)].parent
        let group = tree.records[Int(artifact)].parent
        tree.append(group, below: anchor.directory, separator: UInt8(ascii: "."), to: &key)
        key.append(UInt8(ascii: ":"))
        tree.appendName(artifact, to: &key)
        key.append(UInt8(ascii: ":"))
        if isBuild {
            key += tree.name(directory).dropFirst(tree.name(artifact).count + 1)
        } else {
            tree.appendName(directory, to: &key)
        }
        return key
    }

    /// Whether a directory of a local repository holds records and no artifacts.
    ///
    /// Trusted checksums, which nothing fetches again, locks and the like (maven-resolver). No group begins with a
    /// dot.
    static func holdsRecords(_ name: ArraySlice<UInt8>) -> Bool {
        [".meta", ".checksums", ".locks", ".tracking"].contains { name.elementsEqual($0.utf8) }
    }

    /// Whether a directory is another tool's that only looks like versions of Maven's: Coursier's cache, and the p2
    /// bundles that Tycho keeps in the local repository.
    static func isForeign(_ name: ArraySlice<UInt8>, in parent: ArraySlice<UInt8>) -> Bool {
        name.elementsEqual("v1".utf8) && parent.elementsEqual("coursier".utf8)
            || name.elementsEqual("osgi".utf8) && parent.elementsEqual("p2".utf8)
    }

    func holdingBuild(of entry: ScannedEntry, below root: OpenDirectory) -> LayoutHold? {
        MavenLocks.isHeld(on: entry, below: root) ? LayoutHold(reason: MavenLocks.reason) : nil
    }

    /// The artifact's directory and those of its group; of a build none, as the rest of the SNAPSHOT is there.
    func parentsToRemove(of entry: ScannedEntry) -> Int {
        entry.traits.contains(.files) ? 0 : Self.groupDepth(of: entry) + 1
    }

    func check(of file: [UInt8], atDepth depth: Int, of entry: ScannedEntry) -> FileCheck? {
        file.withUnsafeBufferPointer { FileNames.isArtifact($0) } ? .checksumBeside : nil
    }

    func checksBelow(depth: Int, of entry: ScannedEntry) -> Bool { false }

    func group(of entry: CacheEntry) -> String {
        String(Substring(entry.key.utf8.prefix { $0 != UInt8(ascii: ":") }))
    }

    /// How many directories the group of an entry's key is: 2 for `g.h:a:v`.
    static func groupDepth(of entry: ScannedEntry) -> Int {
        entry.key.prefix { $0 != ":" }.split(separator: ".").count
    }
}
