import Foundation
import TestSupport
import Testing

/// What is asked of entries where two volumes hold the same artifact.
@Suite struct SeveralVolumesTests {
    /// Two build caches that both hold `org.both:lib:1.0`, and one more artifact on the first.
    static func program() throws -> (Program, TemporaryDirectory) {
        let directory = try TemporaryDirectory()
        for (place, artifact) in [
            ("one", "org/both/lib/1.0"), ("two", "org/both/lib/1.0"), ("one", "org/both/lib/2.0"),
        ] {
            let version = artifact.suffix(3)
            try directory.write("\(place)/.m2/repository/\(artifact)/lib-\(version).jar", bytes: 30_000)
            try directory.write(
                "\(place)/.m2/repository/\(artifact)/_remote.repositories", "lib-\(version).jar>central=\n")
        }
        try directory.write("one/junk/sub/file", bytes: 20_000)
        try directory.shell("find one two -exec touch -h -d '40 days ago' {} +")
        try directory.write(
            "larder.yaml",
            """
            state: \(directory.path)/state
            volumes:
              - {name: first-one, kind: build-cache, path: \(directory.path)/one, limit: 10Mi}
              - {name: other, kind: build-cache, path: \(directory.path)/two, limit: 10Mi}

            """)
        var larder = Program()
        larder.options = ["--config", directory.path + "/larder.yaml"]
        larder.folder = directory
        #expect(try larder("scan").status == 0)
        return (larder, directory)
    }

    @Test func aListNamesTheVolumeWhereThereAreSeveral() throws {
        let (larder, _) = try Self.program()
        let list = try larder("list", "--filter", "org.both:lib:1.0").output
        let rows = list.split(separator: "\n").filter { $0.hasSuffix("org.both:lib:1.0") }
        #expect(rows.count == 2 && Set(rows).count == 2, "\(list)")
        #expect(rows.contains { $0.contains(" first-one ") } && rows.contains { $0.contains(" other ") })
        // On a page with rows of one volume only, too.
        #expect(try larder("list", "--limit", "1").output.contains(" volume "))
        #expect(try !larder("list", "--volume", "other").output.contains(" volume "))
    }
}
