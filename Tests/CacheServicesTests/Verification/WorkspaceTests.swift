import CacheModel
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// What keeps builds failing though no checksum is wrong.
@Suite struct WorkspaceTests {
    /// From 8.x on Gradle reads `metadata.bin` of each transform: without a whole one every build that needs it fails.
    @Test func aTransformWithoutAWholeMetadataFileIsDamaged() throws {
        let bench = try VerificationFixture()
        try bench.directory.write("caches/journal-1/file-access.properties")
        for (name, bytes) in [("whole", 61), ("cut", 27), ("empty", 0)] {
            try bench.directory.write("caches/8.14/transforms/\(name)/transformed/x.txt")
            try bench.directory.write("caches/8.14/transforms/\(name)/metadata.bin", bytes: bytes)
        }
        try bench.directory.write("caches/transforms-4/missing/transformed/x.txt")
        // Older formats have none.
        try bench.directory.write("caches/transforms-2/old/transformed/x.txt")
        try bench.age("caches")
        let verified = try bench.quarantine()
        #expect(
            verified.damaged.map { "\($0.key): \($0.detail)" }.sorted() == [
                "caches/8.14/transforms/cut: its metadata.bin is cut off after 27 bytes",
                "caches/8.14/transforms/empty: its metadata.bin is empty",
                "caches/transforms-4/missing: its metadata.bin is missing",
            ])
        #expect(verified.damaged.map(\.isQuarantined) == [true, true, true])
        #expect(bench.directory.exists("caches/8.14/transforms/whole/metadata.bin"))
        #expect(bench.directory.exists("caches/transforms-2/old"))
        #expect(!bench.directory.exists("caches/transforms-4/missing"))
    }

    /// Maven does not try again for a while where it remembers a failure: the memory is offered as quarantine.
    @Test func theMemoryOfAFailedDownloadIsOffered() throws {
        let bench = try VerificationFixture()
        try bench.directory.write(".m2/repository/g/gone/1/gone-1.pom.lastUpdated", "central.error=\n")
        try bench.add("good")
        try bench.age(".m2/repository/g/gone")
        let verified = try bench.quarantine()
        #expect(verified.damaged.map(\.key) == ["g:gone:1"])
        #expect(!bench.directory.exists(".m2/repository/g/gone/1"))
    }
}
