import CacheModel
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// Which of Gradle's transforms are damaged.
@Suite struct TransformTests {
    private static let hash = String(repeating: "0a", count: 16)

    /// A workspace in the making is called `<hash>-<uuid>`, has no metadata, and nothing reads it; a whole one has.
    @Test(
        arguments: [
            ("9.4.0/transforms/\(hash)", ["metadata.bin"], false), ("9.4.0/transforms/\(hash)", [], true),
            ("transforms-4/\(hash)", [], true),
            ("9.4.0/transforms/\(hash)-e9295ee8-c0d8-42ee-bb4a-cb05bb560ad1", [], false),
            ("transforms-4/\(hash)-e9295ee8-c0d8-42ee-bb4a-cb05bb560ad1", [], false),
            ("9.4.0/transforms/\(hash)-e9295ee8", [], true), ("9.4.0/transforms/.internal", [], false),
            ("transforms-2/files-2.1/\(hash)", [], false), ("transforms-3/\(hash)", [], false),
            ("9.4.0/groovy-dsl/.internal", [], false),
        ] as [(String, [String], Bool)])
    func aTransformWithoutMetadataIsDamaged(place: String, files: [String], isDamaged: Bool) throws {
        let bench = try VerificationFixture()
        try bench.directory.write("caches/journal-1/file-access.bin")
        for file in files + ["transformed/x.bin"] {
            try bench.directory.write("caches/\(place)/\(file)", bytes: 300)
        }
        try bench.age("caches")
        let verified = try bench.verify()
        #expect(verified.damaged.map(\.key) == (isDamaged ? ["caches/\(place)"] : []))
        // What is left of a killed build goes like any other unit, and what Gradle reserves does not.
        let isUnit = !place.hasSuffix(".internal")
        #expect(try bench.usage().entries.map(\.key) == (isUnit ? ["caches/\(place)"] : []))
    }
}
