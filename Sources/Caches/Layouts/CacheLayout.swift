import CacheModel
import FileAccess

/// All that Larder knows of one kind of cache, in one folder of `Layouts`.
///
/// A scan asks how its directories are recognised, what an entry is and what it is called; a prune asks whether a
/// build is using it and which directories exist for its sake; a verification asks what each file can be held
/// against; a report asks what it is grouped by. Whoever adds a kind writes one type and names it in
/// `CacheLayouts.all`.
///
/// A layout knows its directories by regions: numbers of its own for what a directory is, of which only it knows
/// the meaning.
protocol CacheLayout: Sendable {
    /// What the kind is called, and where its format is described.
    var documentation: String { get }
    /// The pools of its entries.
    var pools: [Pool] { get }

    /// The directories that show by themselves where such a cache begins, with their regions.
    func anchors(in tree: DirectoryTree) -> [Int32: LayoutRegion]
    /// What a directory in a region is, or a file of those that the walk sets apart.
    func step(
        from region: LayoutRegion, to name: ArraySlice<UInt8>, _ facts: DirectoryFacts
    ) -> LayoutStep
    /// The raw key of the entry that begins with a directory, below the anchor that it was reached from.
    func key(of directory: Int32, in pool: Pool, below anchor: LayoutAnchor, in tree: DirectoryTree)
        -> [UInt8]
    /// What forbids the eviction of the entry that begins with a directory, beyond what its files show.
    func protections(of directory: Int32, below anchor: LayoutAnchor, in tree: DirectoryTree) -> Protections
    /// The directories and files within an entry that are entries by themselves, with what is added to its key.
    func parts(of entries: [Int32: Int], in tree: DirectoryTree) -> [LayoutPart]

    /// Why a build may be using an entry at this moment; nil where nothing shows that one is.
    func holdingBuild(of entry: ScannedEntry, below root: OpenDirectory) -> LayoutHold?
    /// How many directories above an entry exist for its sake alone, and go with it once they are empty.
    func parentsToRemove(of entry: ScannedEntry) -> Int
    /// What a file of an entry can be held against, `depth` directories below it; nil where it is not looked at.
    func check(of file: [UInt8], atDepth depth: Int, of entry: ScannedEntry) -> FileCheck?
    /// Whether the directories of an entry at that depth may hold files to be checked.
    func checksBelow(depth: Int, of entry: ScannedEntry) -> Bool
    /// What entries that belong together have in common, such as a group id.
    func group(of entry: CacheEntry) -> String
}

/// What a directory is to its layout.
typealias LayoutRegion = UInt8

/// Where a cache begins.
struct LayoutAnchor {
    var directory: Int32
    var region: LayoutRegion
}

/// A part of an entry that is an entry by itself.
struct LayoutPart {
    /// The directory, or the record of files.
    var directory: Int32
    /// The number of the entry that it is a part of.
    var whole: Int
    /// What its key has behind the whole's.
    var suffix: [UInt8]
}

/// What a layout says of a directory within one of its regions.
enum LayoutStep: Equatable {
    /// It is a part of the cache, and no entry.
    case region(LayoutRegion)
    /// An entry begins with it.
    case entry(Pool)
    /// It belongs to no entry.
    case unmanaged
}

/// Why an entry stays for now.
package struct LayoutHold: Sendable {
    /// The reason, for people.
    package var reason: String
    /// What is held as a whole, so that all in it stays for the rest of the run; nil where it is the entry alone.
    package var home: VolumePath?
}

/// What a file can be held against.
package enum FileCheck: Sendable, Equatable {
    /// The checksum beside it, else its own structure; whether it was fetched says its tracking file.
    case checksumBeside
    /// The SHA-1 that its directory is called by.
    case checksumOfDirectory
    /// Its own structure.
    case structure
}

extension CacheLayout {
    func protections(
        of directory: Int32, below anchor: LayoutAnchor, in tree: DirectoryTree
    ) -> Protections { [] }

    func parts(of entries: [Int32: Int], in tree: DirectoryTree) -> [LayoutPart] { [] }
}

/// The kinds of build caches that are known, and what they say of an entry.
package enum CacheLayouts {
    /// The kinds; the first one that knows a directory has it.
    static let all: [any CacheLayout] = [GradleLayout(), MavenLayout()]

    private static func layout(of pool: Pool) -> (any CacheLayout)? {
        pool.isOwn ? FolderLayout() : all.first { $0.pools.contains(pool) }
    }

    /// Whether a directory of a Gradle module version is named as Gradle names it, by a SHA-1.
    package static func isGradleFileHash(_ name: some Collection<UInt8>) -> Bool {
        GradleLayout.isFileHash(name)
    }

    /// Why a build may be using an entry at this moment; nil where nothing shows that one is.
    ///
    /// What cannot be asked counts as in use.
    package static func holdingBuild(of entry: ScannedEntry, below root: OpenDirectory) -> LayoutHold? {
        layout(of: entry.pool)?.holdingBuild(of: entry, below: root)
    }

    /// How many directories above an entry go with it once they are empty.
    package static func parentsToRemove(of entry: ScannedEntry) -> Int {
        layout(of: entry.pool)?.parentsToRemove(of: entry) ?? 0
    }

    /// What a file of an entry can be held against, `depth` directories below it; nil where it is not looked at.
    package static func check(of file: [UInt8], atDepth depth: Int, of entry: ScannedEntry) -> FileCheck? {
        layout(of: entry.pool)?.check(of: file, atDepth: depth, of: entry)
    }

    /// Whether the directories of an entry at that depth may hold files to be checked.
    package static func checksBelow(depth: Int, of entry: ScannedEntry) -> Bool {
        layout(of: entry.pool)?.checksBelow(depth: depth, of: entry) ?? false
    }

    /// Whether an entry is a workspace of Gradle's that must hold a `metadata.bin`: a transform in
    /// `transforms-4` or in `caches/<version>/transforms`.
    ///
    /// Not one that a killed build left: it is called `<hash>-<uuid>` until it is whole, and nothing reads it
    /// (gradle/gradle `CacheBasedImmutableWorkspaceProvider`).
    package static func hasWorkspaceMetadata(_ entry: ScannedEntry) -> Bool {
        let parts = entry.key.split(separator: "/")
        guard parts.count >= 3, parts[0] == "caches" else { return false }
        if let name = parts.last, GradleLayout.isTemporary(name.utf8) { return false }
        if parts[1] == "transforms-4" { return parts.count == 3 }
        return parts.count == 4 && parts[2] == "transforms" && parts[1].first?.isNumber == true
    }

    /// What entries that belong together have in common; the key where nothing is known.
    package static func group(of entry: CacheEntry) -> String {
        layout(of: entry.pool)?.group(of: entry) ?? entry.key
    }

    /// What each kind is, a sentence or two for each, for `doctor` and the documentation.
    package static var documentation: [String] { (all + [FolderLayout()]).map(\.documentation) }
}
