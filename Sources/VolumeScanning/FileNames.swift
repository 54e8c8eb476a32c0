/// What Maven's and Gradle's file names tell, on raw bytes.
///
/// Maven names: apache/maven-resolver 1.9 `EnhancedLocalRepositoryManager`, `DefaultLocalPathComposer`,
/// `BasicRepositoryConnector` (`.part`), 2.0 (`.tmp`).
public enum FileNames {
    static let tracking = Array("_remote.repositories".utf8)

    private static let checksums = [".sha1", ".md5", ".sha256", ".sha512", ".asc"].map { Array($0.utf8) }
    private static let inFlight = [".part", ".tmp", ".lock"].map { Array($0.utf8) }
    private static let pom = Array(".pom".utf8)
    private static let lastUpdated = Array(".lastUpdated".utf8)
    private static let bookkeeping = [
        "_remote.repositories", "_maven.repositories", "resolver-status.properties",
        "m2e-lastUpdated.properties",
    ].map { Array($0.utf8) }
    private static let buildCache = Array("build-cache-".utf8)
    private static let lock = Array(".lock".utf8)
    private static let cleanupNote = Array("gc.properties".utf8)
    private static let metadata = Array("maven-metadata".utf8)

    /// Whether no job reads the file for its own sake, so that it cannot witness a use.
    public static func isChecksum(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        checksums.contains { name.hasSuffix($0) }
    }

    /// Whether Maven reads the file each time it resolves a version that is there.
    static func isReadByMaven(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.hasSuffix(pom) || name.count == tracking.count && name.starts(with: tracking)
    }

    /// Whether the name is one that a download in progress, or a lock, has.
    public static func isInFlight(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        inFlight.contains { name.hasSuffix($0) }
    }

    /// Whether it is the name of a local build cache of Gradle: `build-cache-1`.
    static func isBuildCache(_ directory: [UInt8]) -> Bool { directory.starts(with: buildCache) }

    /// Whether the file in a build cache is one that Gradle opens at every build, whatever it finds there
    /// (gradle/gradle `DirectoryBuildCacheServiceFactory`, `DefaultPersistentDirectoryCache`).
    static func isGradlesOwn(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.hasSuffix(lock) || name.count == cleanupNote.count && name.starts(with: cleanupNote)
    }

    /// Whether the file is an artifact: something whose origin `_remote.repositories` must name.
    public static func isArtifact(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        !isChecksum(name) && !isInFlight(name) && !name.hasSuffix(lastUpdated)
            && !bookkeeping.contains { $0.count == name.count && name.starts(with: $0) }
            && !name.starts(with: metadata)
    }
}

extension UnsafeBufferPointer<UInt8> {
    func hasSuffix(_ suffix: [UInt8]) -> Bool {
        count >= suffix.count && self[(count - suffix.count)...].elementsEqual(suffix)
    }
}
