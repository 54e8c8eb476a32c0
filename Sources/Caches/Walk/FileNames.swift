import CLinux
import CacheModel
import Glibc

/// What Maven's and Gradle's file names tell, on raw bytes.
///
/// Maven names: apache/maven-resolver 1.9 `EnhancedLocalRepositoryManager`, `DefaultLocalPathComposer`,
/// `BasicRepositoryConnector` (`.part`), 2.0 (`.tmp`).
package enum FileNames {
    static let tracking = Array("_remote.repositories".utf8)

    /// Whether no job reads the file for its own sake, so that it cannot sentinel a use.
    package static func isChecksum(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.hasSuffix(".sha1") || name.hasSuffix(".md5") || name.hasSuffix(".sha256")
            || name.hasSuffix(".sha512") || name.hasSuffix(".asc")
    }

    /// Whether the name is one that a download in progress, or a lock, has.
    package static func isInFlight(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.hasSuffix(".part") || name.hasSuffix(".tmp") || name.hasSuffix(".lock")
    }

    /// Whether the name is a lock's.
    static func isLock(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.hasSuffix(".lock") || name.hasSuffix(".lck")
    }

    /// Whether a download into a file of that name is under way, or a lock of it in use: it moved within a day.
    ///
    /// A change of owner or mode, as by a pod's fsGroup, moves a file's ctime and not its mtime, and is no download.
    package static func isUnderWay(
        _ name: UnsafeBufferPointer<UInt8>, _ stat: larder_stat, now: Timestamp
    ) -> Bool { isInFlight(name) && stat.mtime > (now - .days(1)).nanoseconds }

    /// Whether it is the name of a local build cache of Gradle: `build-cache-1`.
    static func isBuildCache(_ directory: [UInt8]) -> Bool { directory.starts(with: "build-cache-".utf8) }

    /// Whether a file in a local build cache is one of its units: an entry, which Gradle calls by its hash, of 32
    /// digits or more, one that it could not unpack (`<hash>.failed`), or what a killed build left of one
    /// (`<hash><random number>.part`).
    ///
    /// Gradle's own cleanup takes each by its age (gradle/gradle `DirectoryBuildCacheServiceFactory`,
    /// `DirectoryBuildCacheService`).
    static func isBuildCacheEntry(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        let hash = name.prefix { (48...57).contains($0) || (97...102).contains($0) }
        guard hash.count >= 32 else { return false }
        let rest = name[hash.endIndex...]
        return rest.isEmpty || rest.elementsEqual(".failed".utf8) || rest.elementsEqual(".part".utf8)
    }

    /// Whether a tool marks by such a file what it downloaded itself: Gradle's JDKs (`.ready`, formerly
    /// `provisioned.ok`; gradle/gradle `DefaultJdkCacheDirectory`) and distributions (`<zip>.ok` and `.lck`;
    /// `org.gradle.wrapper.Install`).
    static func isMark(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.hasSuffix(".ok") || name.hasSuffix(".lck") || name.isSame(as: ".ready")
    }

    /// Whether Maven remembers by it that a download failed, so that it does not try again for a while.
    package static func isFailedDownload(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.hasSuffix(".lastUpdated")
    }

    /// Whether it says nothing but that downloads failed, or when they were tried: nobody misses it.
    package static func tellsOnlyOfFailures(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        isFailedDownload(name) || name.isSame(as: "resolver-status.properties")
            || name.isSame(as: "m2e-lastUpdated.properties")
    }

    /// Whether the file in a build cache is one that Gradle opens at every build, whatever it finds there
    /// (gradle/gradle `DirectoryBuildCacheServiceFactory`, `DefaultPersistentDirectoryCache`).
    static func isGradlesOwn(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.hasSuffix(".lock") || name.isSame(as: "gc.properties")
    }

    /// Whether the file is an artifact: something whose origin `_remote.repositories` must name.
    package static func isArtifact(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        !isChecksum(name) && !isInFlight(name) && !isFailedDownload(name) && !isBookkeeping(name)
            && !name.hasPrefix("maven-metadata")
    }

    private static func isBookkeeping(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.isSame(as: "_remote.repositories") || name.isSame(as: "_maven.repositories")
            || name.isSame(as: "resolver-status.properties") || name.isSame(as: "m2e-lastUpdated.properties")
    }
}

// Against literals, as they lie in the program: a scan asks this millions of times.
extension UnsafeBufferPointer<UInt8> {
    fileprivate func hasSuffix(_ suffix: StaticString) -> Bool {
        holds(suffix, at: count - suffix.utf8CodeUnitCount)
    }

    fileprivate func hasPrefix(_ prefix: StaticString) -> Bool { holds(prefix, at: 0) }

    fileprivate func isSame(as name: StaticString) -> Bool {
        count == name.utf8CodeUnitCount && holds(name, at: 0)
    }

    private func holds(_ part: StaticString, at start: Int) -> Bool {
        guard let base = baseAddress, start >= 0, start + part.utf8CodeUnitCount <= count else {
            return false
        }
        return memcmp(base + start, part.utf8Start, part.utf8CodeUnitCount) == 0
    }
}
