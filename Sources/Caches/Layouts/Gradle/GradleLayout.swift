import CacheModel
import FileAccess

/// A Gradle user home, or a part of one that is mounted by itself.
///
/// gradle/gradle `CacheLayout`, `DefaultCacheConfigurations` and `directory_layout.adoc`:
/// `caches/modules-2/files-2.1/<group>/<name>/<version>/<sha1>/<file>`, `caches/modules-2/metadata-2.N`,
/// `caches/transforms-N/<hash>`, `caches/jars-N/<hash>`, `caches/build-cache-N/<hash>` (files), since 8.8
/// `caches/<Gradle version>/transforms/<hash>`, `wrapper/dists/<distribution>/<hash>`, `jdks/<name>`.
/// Within `caches/<Gradle version>` scripts are cleaned one by one as well: `groovy-dsl/<hash>`,
/// `kotlin-dsl/scripts/<hash>`, `kotlin-dsl/accessors/<hash>` (`ImmutableWorkspaceProvider`), formerly
/// `scripts/<hash>` and `scripts-remapped/<hash>`. Beside them `.internal` holds their locks: no key begins with a dot
/// (`DefaultFineGrainedPersistentCache.getReservedCacheFiles`). Up to Gradle 6.7 transforms lay in
/// `transforms-2/files-2.1/<hash>`, up to 5.0 in `transforms-1/files-1.1/<file>/<hash>`, with one `metadata-N` for all,
/// which goes with none of them. What is not listed is left alone.
///
/// Parts of a home are mounted by subPath under any name, so a directory counts as `caches` for what is in it:
/// `journal-1`, or `modules-2` beside other caches. `modules-2` alone is a read-only dependency cache
/// (`GRADLE_RO_DEP_CACHE`), which must not change while builds read it.
struct GradleLayout: CacheLayout {
    let documentation =
        "gradle, gradle-other: modules, transforms, scripts, distributions and the like in Gradle user homes "
        + "(gradle/gradle, CacheLayout and directory_layout.adoc)"
    let pools: [Pool] = [.gradle, .gradleOther]

    /// What a directory is.
    private enum Region: LayoutRegion {
        case home, caches, modules, files, group, module, entries, versionCache, wrapper, distributions, jdks
        case kotlinScripts, buildCache, readOnlyCaches, oldTransforms, namedEntries

        /// What the path of a key has before what lies below an anchor of that kind.
        var keyPrefix: String {
            switch self {
            case .caches, .readOnlyCaches: "caches/"
            case .modules: "caches/modules-2/"
            case .wrapper: "wrapper/"
            case .distributions: "wrapper/dists/"
            default: ""
            }
        }
    }

    /// Whether a region is a home, in which other things lie beside what is listed here.
    static func isHome(_ region: LayoutRegion) -> Bool { region == Region.home.rawValue }

    func anchors(in tree: DirectoryTree) -> [Int32: LayoutRegion] {
        var marks: [Int32: Marks] = [:]
        var hashes: [Int32: Bool] = [:]
        for index in tree.records.indices.dropFirst() {
            let parent = tree.records[index].parent
            let name = tree.name(Int32(index))
            if let mark = Marks(of: name) { marks[parent, default: []].insert(mark) }
            if let top = Self.topOfFourth(Int32(index), in: tree) {
                hashes[top] = (hashes[top] ?? true) && Self.isHash(name)
            }
        }
        var anchors: [Int32: Region] = [:]
        for (directory, marks) in marks {
            let isCalledCaches = directory > 0 && tree.name(directory).elementsEqual("caches".utf8)
            let parent = tree.records[Int(directory)].parent
            if marks.contains(.modules), !isCalledCaches, !holdsModules(directory, in: tree, marks: marks) {
                continue
            }
            if isCalledCaches, !marks.isDisjoint(with: .ofCaches) {
                anchors[parent] = .home
            } else if marks.contains(.journal) || marks.contains(.modules) && marks != [.modules] {
                anchors[directory] = .caches
            } else if marks == [.modules] {
                anchors[directory] = .readOnlyCaches
            } else if marks.contains(.distributions), anchors[directory] == nil {
                anchors[directory] = .distributions
            }
        }
        // What is not below any of these may be mounted by itself.
        for (directory, marks) in marks where marks.contains(.files) && !isBelow(anchors, directory, in: tree)
        {
            anchors[directory] = .modules
        }
        for (directory, isModules) in hashes where isModules && !isBelow(anchors, directory, in: tree) {
            anchors[directory] = .group
        }
        return anchors.mapValues(\.rawValue)
    }

    /// What the names in a directory tell of it.
    private struct Marks: OptionSet {
        let rawValue: UInt8
        static let modules = Marks(rawValue: 1)
        static let journal = Marks(rawValue: 2)
        static let generation = Marks(rawValue: 4)
        static let version = Marks(rawValue: 8)
        static let files = Marks(rawValue: 16)
        static let distributions = Marks(rawValue: 32)
        static let metadata = Marks(rawValue: 64)
        /// Any of these in a directory called `caches` shows a home.
        static let ofCaches: Marks = [.modules, .journal, .generation]

        init(rawValue: UInt8) { self.rawValue = rawValue }

        init?(of name: ArraySlice<UInt8>) {
            guard let first = name.first else { return nil }
            switch first {
            case UInt8(ascii: "m"):
                if name.elementsEqual("modules-2".utf8) { self = .modules; return }
                guard isGeneration(name, of: "metadata-2.") else { return nil }
                self = .metadata
            case UInt8(ascii: "j"):
                if isGeneration(name, of: "journal-") { self = .journal; return }
                guard isGeneration(name, of: "jars-") else { return nil }
                self = .generation
            case UInt8(ascii: "t"), UInt8(ascii: "b"):
                guard isGeneration(name, of: "transforms-") || isGeneration(name, of: "build-cache-") else {
                    return nil
                }
                self = .generation
            case UInt8(ascii: "f"):
                guard name.elementsEqual("files-2.1".utf8) else { return nil }
                self = .files
            case UInt8(ascii: "g"):
                guard isDistribution(name) else { return nil }
                self = .distributions
            case 48...57:
                guard isGradleVersion(name) else { return nil }
                self = .version
            default: return nil
            }
        }
    }

    /// Whether the `modules-2` in a directory is Gradle's: it has files or metadata, or other caches beside it.
    private func holdsModules(_ directory: Int32, in tree: DirectoryTree, marks: Marks) -> Bool {
        if marks.contains(.journal) { return true }
        return tree.records.indices.dropFirst().contains { index in
            let parent = tree.records[index].parent
            guard parent > 0, tree.records[Int(parent)].parent == directory else { return false }
            guard tree.name(parent).elementsEqual("modules-2".utf8) else { return false }
            let mark = Marks(of: tree.name(Int32(index)))
            return mark == .files || mark == .metadata
        }
    }

    private func isBelow(_ anchors: [Int32: Region], _ directory: Int32, in tree: DirectoryTree) -> Bool {
        var at = directory
        while at >= 0 {
            if anchors[at] != nil { return true }
            at = tree.records[Int(at)].parent
        }
        return false
    }

    /// The directory at the root that a fourth one below it lies in, where `files-2.1` may be mounted as the root:
    /// `<group>/<name>/<version>/<sha1>`.
    private static func topOfFourth(_ index: Int32, in tree: DirectoryTree) -> Int32? {
        var at = index
        for _ in 0..<3 {
            at = tree.records[Int(at)].parent
            guard at > 0 else { return nil }
        }
        return tree.records[Int(at)].parent == 0 ? at : nil
    }

    /// Whether it is a SHA-1 as Gradle calls directories by it, without leading zeros.
    private static func isHash(_ name: ArraySlice<UInt8>) -> Bool {
        (35...40).contains(name.count)
            && name.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    func key(
        of directory: Int32, in pool: Pool, below anchor: LayoutAnchor, in tree: DirectoryTree
    ) -> [UInt8] {
        if pool == .gradle {
            return Self.moduleKey(of: directory, in: tree)
        }
        var path = Array((Region(rawValue: anchor.region)?.keyPrefix ?? "").utf8)
        var below: [UInt8] = []
        tree.append(directory, below: anchor.directory, separator: UInt8(ascii: "/"), to: &below)
        path += below
        return path
    }

    /// `group:name:version` of a directory that is called by the version, in one for the name, in one for the group.
    static func moduleKey(of directory: Int32, in tree: DirectoryTree) -> [UInt8] {
        let module = tree.records[Int(directory)].parent
        let group = tree.records[Int(module)].parent
        return Array([tree.name(group), tree.name(module), tree.name(directory)].joined(separator: ":".utf8))
    }

    func step(
        from region: LayoutRegion, to name: ArraySlice<UInt8>, _ facts: DirectoryFacts
    ) -> LayoutStep {
        guard let region = Region(rawValue: region) else { return .unmanaged }
        if facts.contains(.file) { return region == .buildCache ? .entry(.gradleOther) : .unmanaged }
        switch region {
        case .home:
            if name.elementsEqual("caches".utf8) { return Self.region(.caches) }
            if name.elementsEqual("wrapper".utf8) { return Self.region(.wrapper) }
            return name.elementsEqual("jdks".utf8) ? Self.region(.jdks) : .unmanaged
        case .caches: return Self.inCaches(name)
        case .readOnlyCaches:
            return name.elementsEqual("modules-2".utf8) ? Self.region(.modules) : .unmanaged
        case .modules:
            if name.elementsEqual("files-2.1".utf8) { return Self.region(.files) }
            return isGeneration(name, of: "metadata-2.") || isGeneration(name, of: "resources-2.")
                ? .entry(.gradleOther) : .unmanaged
        case .files: return Self.region(.group)
        case .group: return Self.region(.module)
        case .module: return .entry(.gradle)
        case .entries where name.first == UInt8(ascii: "."): return .unmanaged
        case .entries, .jdks: return .entry(.gradleOther)
        case .oldTransforms:
            if name.elementsEqual("files-2.1".utf8) { return Self.region(.entries) }
            return name.elementsEqual("files-1.1".utf8) ? Self.region(.namedEntries) : .unmanaged
        case .versionCache:
            if ["transforms", "groovy-dsl", "scripts", "scripts-remapped"].contains(where: {
                name.elementsEqual($0.utf8)
            }) {
                return Self.region(.entries)
            }
            return name.elementsEqual("kotlin-dsl".utf8) ? Self.region(.kotlinScripts) : .entry(.gradleOther)
        case .kotlinScripts:
            return name.elementsEqual("scripts".utf8) || name.elementsEqual("accessors".utf8)
                ? Self.region(.entries) : .entry(.gradleOther)
        case .buildCache: return .unmanaged
        case .wrapper:
            return name.elementsEqual("dists".utf8) ? Self.region(.distributions) : .unmanaged
        // A distribution that lies there unpacked, without the wrapper's directory for its address, is no entry.
        case .distributions, .namedEntries: return Self.region(.entries)
        }
    }

    func protections(
        of directory: Int32, below anchor: LayoutAnchor, in tree: DirectoryTree
    ) -> Protections {
        if anchor.region == Region.readOnlyCaches.rawValue { return Protections(.readOnlyCache) }
        let parent = tree.records[Int(directory)].parent
        if tree.name(parent).elementsEqual("jdks".utf8) {
            return isMarked(directory, in: tree) ? [] : Protections(.handPlaced)
        }
        let above = tree.records[Int(parent)].parent
        if above >= 0, tree.name(above).elementsEqual("dists".utf8), !isDistribution(tree.name(parent)),
            !isMarked(directory, in: tree)
        {
            return Protections(.handPlaced)
        }
        return []
    }

    /// Whether a directory, or one in it, holds the mark that Gradle leaves where it downloaded something.
    private func isMarked(_ directory: Int32, in tree: DirectoryTree) -> Bool {
        if tree.records[Int(directory)].facts.contains(.marked) { return true }
        // Few homes have more than some JDKs, and directories come after those that they are in.
        return tree.records[Int(directory)...].contains {
            $0.parent == directory && $0.facts.contains(.marked)
        }
    }

    /// In a SNAPSHOT the directories of replaced builds: each build adds one, called by the file's SHA-1, and
    /// Gradle cleans them one by one (`files-2.1` at depth 4).
    ///
    /// Of the directories that hold one file of the same name, all but the newest are replaced.
    func parts(of entries: [Int32: Int], in tree: DirectoryTree) -> [LayoutPart] {
        let snapshots = entries.filter { tree.name($0.key).suffix(9).elementsEqual("-SNAPSHOT".utf8) }
        guard !snapshots.isEmpty else { return [] }
        var builds: [Int32: [ArraySlice<UInt8>: [Int32]]] = [:]
        for (index, record) in tree.records.enumerated()
        where record.files == 1 && snapshots[record.parent] != nil && Self.isBuild(tree.name(Int32(index))) {
            let names = tree.sentinels(Int32(index)).split(separator: 0)
            guard names.count == 1 else { continue }
            builds[record.parent, default: [:]][names[0], default: []].append(Int32(index))
        }
        return builds.flatMap { version, names in
            names.values.flatMap { directories -> [LayoutPart] in
                let newest = directories.map { tree.records[Int($0)].mtime }.max() ?? 0
                return directories.filter { tree.records[Int($0)].mtime < newest }.map { directory in
                    LayoutPart(
                        directory: directory, whole: snapshots[version] ?? 0,
                        suffix: Array("/".utf8) + tree.name(directory))
                }
            }
        }.sorted { $0.directory < $1.directory }
    }

    private static func isBuild(_ name: ArraySlice<UInt8>) -> Bool {
        (30...40).contains(name.count)
            && name.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    private static func region(_ region: Region) -> LayoutStep { .region(region.rawValue) }

    func holdingBuild(of entry: ScannedEntry, below root: OpenDirectory) -> LayoutHold? {
        guard let place = GradleLocks.place(of: entry), place.isHeld(below: root) else { return nil }
        return LayoutHold(reason: Protection.gradleRunning.text, home: place.directory)
    }

    /// A module's directory and its group's; a wrapper distribution's.
    func parentsToRemove(of entry: ScannedEntry) -> Int {
        if entry.traits.contains(.part) || entry.traits.contains(.file) { return 0 }
        if entry.pool == .gradle { return 2 }
        return entry.key.hasPrefix("wrapper/") ? 1 : 0
    }

    /// A module has its files in one directory for each SHA-1.
    func check(of file: [UInt8], atDepth depth: Int, of entry: ScannedEntry) -> FileCheck? {
        guard entry.pool == .gradle else { return .structure }
        let isInFlight = file.withUnsafeBufferPointer { FileNames.isInFlight($0) }
        let isThere = depth == (entry.traits.contains(.part) ? 0 : 1)
        return isThere && !isInFlight ? .checksumOfDirectory : nil
    }

    func checksBelow(depth: Int, of entry: ScannedEntry) -> Bool {
        entry.pool != .gradle || depth == 0 && !entry.traits.contains(.part)
    }

    func group(of entry: CacheEntry) -> String {
        let end = UInt8(ascii: entry.pool == .gradle ? ":" : "/")
        return String(Substring(entry.key.utf8.prefix { $0 != end }))
    }

    private static func inCaches(_ name: ArraySlice<UInt8>) -> LayoutStep {
        if name.elementsEqual("modules-2".utf8) { return region(.modules) }
        if name.elementsEqual("transforms-1".utf8) || name.elementsEqual("transforms-2".utf8) {
            return region(.oldTransforms)
        }
        if isGeneration(name, of: "transforms-") || isGeneration(name, of: "jars-") {
            return region(.entries)
        }
        if isGeneration(name, of: "build-cache-") { return region(.buildCache) }
        return isGradleVersion(name) ? region(.versionCache) : .unmanaged
    }

    /// Whether a workspace is one in the making: `<hash>-<uuid>`.
    static func isTemporary(_ name: some BidirectionalCollection<UInt8>) -> Bool {
        let fields = name.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return fields.count == 6 && fields.dropFirst().map(\.count) == [8, 4, 4, 4, 12]
            && fields.allSatisfy { field in
                !field.isEmpty && field.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
            }
    }

    /// Whether a directory of a module version is named as Gradle names it: by a SHA-1, leading zeros left out
    /// (gradle/gradle `GroupedAndNamedUniqueFileStore`).
    static func isFileHash(_ name: some Collection<UInt8>) -> Bool {
        (1...40).contains(name.count)
            && name.allSatisfy { ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) }
    }
}

private func isGeneration(_ name: ArraySlice<UInt8>, of prefix: StaticString) -> Bool {
    let start = UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
    return name.count > start.count && name.starts(with: start)
        && name.dropFirst(start.count).allSatisfy { $0 >= 48 && $0 <= 57 }
}

/// `4.4.1`, `8.10`, `9.0-rc-1`: digits, a dot, and a digit.
private func isGradleVersion(_ name: ArraySlice<UInt8>) -> Bool {
    let major = name.prefix { $0 >= 48 && $0 <= 57 }
    let rest = name.dropFirst(major.count)
    guard !major.isEmpty, rest.first == UInt8(ascii: "."), let minor = rest.dropFirst().first else {
        return false
    }
    return minor >= 48 && minor <= 57
}

/// `gradle-8.5-bin`, as the wrapper calls what it downloaded.
private func isDistribution(_ name: ArraySlice<UInt8>) -> Bool {
    name.starts(with: "gradle-".utf8) && isGradleVersion(name.dropFirst(7))
        && [Array("-bin".utf8), Array("-all".utf8)].contains { name.suffix(4).elementsEqual($0) }
}
