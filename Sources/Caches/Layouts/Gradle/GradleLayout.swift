/// Where things lie in a Gradle user home, as a step from a directory to one in it.
///
/// gradle/gradle `CacheLayout`, `DefaultCacheConfigurations` and `directory_layout.adoc`:
/// `caches/modules-2/files-2.1/<group>/<name>/<version>/<sha1>/<file>`, `caches/modules-2/metadata-2.N`,
/// `caches/transforms-N/<hash>`, `caches/jars-N/<hash>`, `caches/build-cache-N`, since 8.8
/// `caches/<Gradle version>/transforms/<hash>`, `wrapper/dists/<distribution>/<hash>`, `jdks/<name>`.
/// What is not listed is left alone.
package enum GradleLayout {
    /// What a directory is.
    enum Region: UInt8 {
        case outside, home, caches, modules, files, group, module, entries, versionCache, wrapper,
            distributions
        case larder, inEntry
    }

    /// What a directory in a region is: its region and, where it is an entry, its pool.
    enum Step: Equatable {
        case region(Region)
        case moduleVersion
        case otherEntry
        case unmanaged
    }

    static func step(from region: Region, to name: ArraySlice<UInt8>) -> Step {
        switch region {
        case .home:
            if name.elementsEqual("caches".utf8) { return .region(.caches) }
            if name.elementsEqual("wrapper".utf8) { return .region(.wrapper) }
            return name.elementsEqual("jdks".utf8) ? .region(.entries) : .region(.outside)
        case .caches: return inCaches(name)
        case .modules:
            if name.elementsEqual("files-2.1".utf8) { return .region(.files) }
            return isGeneration(name, of: "metadata-2.") || isGeneration(name, of: "resources-2.")
                ? .otherEntry : .unmanaged
        case .files: return .region(.group)
        case .group: return .region(.module)
        case .module: return .moduleVersion
        case .entries: return .otherEntry
        case .versionCache: return name.elementsEqual("transforms".utf8) ? .region(.entries) : .otherEntry
        case .wrapper: return name.elementsEqual("dists".utf8) ? .region(.distributions) : .unmanaged
        case .distributions: return .region(.entries)
        case .outside, .inEntry, .larder: return .unmanaged
        }
    }

    private static func inCaches(_ name: ArraySlice<UInt8>) -> Step {
        if name.elementsEqual("modules-2".utf8) { return .region(.modules) }
        if isGeneration(name, of: "transforms-") || isGeneration(name, of: "jars-") {
            return .region(.entries)
        }
        if isGeneration(name, of: "build-cache-") { return .otherEntry }
        return isGradleVersion(name) ? .region(.versionCache) : .unmanaged
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
    package static func isFileHash(_ name: some Collection<UInt8>) -> Bool {
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
