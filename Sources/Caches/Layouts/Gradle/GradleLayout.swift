import CacheModel
import FileAccess

/// Where things lie in a Gradle user home, as a step from a directory to one in it.
///
/// gradle/gradle `CacheLayout`, `DefaultCacheConfigurations` and `directory_layout.adoc`:
/// `caches/modules-2/files-2.1/<group>/<name>/<version>/<sha1>/<file>`, `caches/modules-2/metadata-2.N`,
/// `caches/transforms-N/<hash>`, `caches/jars-N/<hash>`, `caches/build-cache-N`, since 8.8
/// `caches/<Gradle version>/transforms/<hash>`, `wrapper/dists/<distribution>/<hash>`, `jdks/<name>`.
/// What is not listed is left alone.
struct GradleLayout: CacheLayout {
    let documentation =
        "gradle, gradle-other: modules, transforms, scripts, distributions and the like in Gradle user homes "
        + "(gradle/gradle, CacheLayout and directory_layout.adoc)"
    let pools: [Pool] = [.gradle, .gradleOther]

    /// What a directory is.
    private enum Region: LayoutRegion {
        case home, caches, modules, files, group, module, entries, versionCache, wrapper, distributions
    }

    func anchors(in tree: DirectoryTree) -> [Int32: LayoutRegion] {
        var homes: [Int32: LayoutRegion] = [:]
        for (index, record) in tree.records.enumerated() where record.parent > 0 {
            if tree.name(record.parent).elementsEqual("caches".utf8), Self.marksHome(tree.name(Int32(index)))
            {
                homes[tree.records[Int(record.parent)].parent] = Region.home.rawValue
            }
        }
        return homes
    }

    func key(of directory: Int32, below anchor: Int32, in tree: DirectoryTree) -> [UInt8] {
        if isModuleVersion(directory, in: tree) { return Self.moduleKey(of: directory, in: tree) }
        var path: [UInt8] = []
        tree.append(directory, below: anchor, separator: UInt8(ascii: "/"), to: &path)
        return path
    }

    /// `group:name:version` of a directory that is called by the version, in one for the name, in one for the group.
    static func moduleKey(of directory: Int32, in tree: DirectoryTree) -> [UInt8] {
        let module = tree.records[Int(directory)].parent
        let group = tree.records[Int(module)].parent
        return Array([tree.name(group), tree.name(module), tree.name(directory)].joined(separator: ":".utf8))
    }

    /// Whether it lies in `files-2.1/<group>/<name>`.
    private func isModuleVersion(_ directory: Int32, in tree: DirectoryTree) -> Bool {
        var at = directory
        for _ in 0..<3 where at > 0 { at = tree.records[Int(at)].parent }
        return at >= 0 && tree.name(at).elementsEqual("files-2.1".utf8)
    }

    func step(from region: LayoutRegion, to name: ArraySlice<UInt8>) -> LayoutStep {
        guard let region = Region(rawValue: region) else { return .unmanaged }
        switch region {
        case .home:
            if name.elementsEqual("caches".utf8) { return Self.region(.caches) }
            if name.elementsEqual("wrapper".utf8) { return Self.region(.wrapper) }
            return name.elementsEqual("jdks".utf8) ? Self.region(.entries) : .unmanaged
        case .caches: return Self.inCaches(name)
        case .modules:
            if name.elementsEqual("files-2.1".utf8) { return Self.region(.files) }
            return Self.isGeneration(name, of: "metadata-2.") || Self.isGeneration(name, of: "resources-2.")
                ? .entry(.gradleOther) : .unmanaged
        case .files: return Self.region(.group)
        case .group: return Self.region(.module)
        case .module: return .entry(.gradle)
        case .entries: return .entry(.gradleOther)
        case .versionCache:
            return name.elementsEqual("transforms".utf8) ? Self.region(.entries) : .entry(.gradleOther)
        case .wrapper:
            return name.elementsEqual("dists".utf8) ? Self.region(.distributions) : .unmanaged
        case .distributions: return Self.region(.entries)
        }
    }

    private static func region(_ region: Region) -> LayoutStep { .region(region.rawValue) }

    func holdingBuild(of entry: ScannedEntry, below root: OpenDirectory) -> LayoutHold? {
        guard let home = GradleLocks.home(of: entry), GradleLocks.areHeld(home: home, below: root) else {
            return nil
        }
        return LayoutHold(reason: Protection.gradleRunning.text, home: home)
    }

    /// A module's directory and its group's; a wrapper distribution's.
    func parentsToRemove(of entry: ScannedEntry) -> Int {
        if entry.pool == .gradle { return 2 }
        return entry.key.hasPrefix("wrapper/") ? 1 : 0
    }

    /// A module has its files in one directory for each SHA-1.
    func check(of file: [UInt8], atDepth depth: Int, of entry: ScannedEntry) -> FileCheck? {
        guard entry.pool == .gradle else { return .structure }
        let isInFlight = file.withUnsafeBufferPointer { FileNames.isInFlight($0) }
        return depth == 1 && !isInFlight ? .checksumOfDirectory : nil
    }

    func checksBelow(depth: Int, of entry: ScannedEntry) -> Bool { entry.pool != .gradle || depth == 0 }

    func group(of entry: CacheEntry) -> String {
        entry.pool == .gradle
            ? String(entry.key.prefix { $0 != ":" }) : String(entry.key.prefix { $0 != "/" })
    }

    private static func inCaches(_ name: ArraySlice<UInt8>) -> LayoutStep {
        if name.elementsEqual("modules-2".utf8) { return region(.modules) }
        if isGeneration(name, of: "transforms-") || isGeneration(name, of: "jars-") {
            return region(.entries)
        }
        if isGeneration(name, of: "build-cache-") { return .entry(.gradleOther) }
        return isGradleVersion(name) ? region(.versionCache) : .unmanaged
    }

    /// Whether a directory in `caches` shows that its grandparent is a Gradle user home.
    static func marksHome(_ name: ArraySlice<UInt8>) -> Bool {
        name.elementsEqual("modules-2".utf8) || isGeneration(name, of: "transforms-")
            || isGeneration(name, of: "jars-") || isGeneration(name, of: "journal-")
            || isGeneration(name, of: "build-cache-")
    }

    private static func isGeneration(_ name: ArraySlice<UInt8>, of prefix: StaticString) -> Bool {
        let start = UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
        return name.count > start.count && name.starts(with: start)
            && name.dropFirst(start.count).allSatisfy { $0 >= 48 && $0 <= 57 }
    }

    /// Whether a directory of a module version is named as Gradle names it: by a SHA-1, leading zeros left out
    /// (gradle/gradle `GroupedAndNamedUniqueFileStore`).
    static func isFileHash(_ name: some Collection<UInt8>) -> Bool {
        (1...40).contains(name.count)
            && name.allSatisfy { ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) }
    }

    /// `4.4.1`, `8.10`, `9.0-rc-1`: digits, a dot, and a digit.
    private static func isGradleVersion(_ name: ArraySlice<UInt8>) -> Bool {
        let major = name.prefix { $0 >= 48 && $0 <= 57 }
        let rest = name.dropFirst(major.count)
        guard !major.isEmpty, rest.first == UInt8(ascii: "."), let minor = rest.dropFirst().first else {
            return false
        }
        return minor >= 48 && minor <= 57
    }
}
