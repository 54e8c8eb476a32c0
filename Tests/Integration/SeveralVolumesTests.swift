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
        let larder = try Program.scanned(
            """
            state: \(directory.path)/state
            volumes:
              - {name: first-one, kind: build-cache, path: \(directory.path)/one, limit: 10Mi}
              - {name: other, kind: build-cache, path: \(directory.path)/two, limit: 10Mi}

            """, in: directory)
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

    @Test(arguments: [
        ("24Mi", "24Mi", true), ("24Mi", "40Mi", true), ("24Mi", "20Mi", false), ("", "20Mi", true),
    ])
    func limitsTogetherAboveOneDiskAreTold(one: String, two: String, isTooMuch: Bool) throws {
        let directory = try TemporaryDirectory()
        try directory.shell("mkdir disk && mount -t tmpfs -o size=47m,nr_inodes=1000 tmpfs disk")
        defer { _ = try? directory.shell("umount -l disk") }
        for place in ["one", "two"] {
            try directory.write("disk/\(place)/.m2/repository/g/\(place)/1/\(place)-1.jar", bytes: 30_000)
        }
        let larder = try Program.scanned(
            """
            state: \(directory.path)/state
            volumes:
              - {name: one, kind: build-cache, path: \(directory.path)/disk/one\(one.isEmpty ? "" : ", limit: \(one)")}
              - {name: two, kind: build-cache, path: \(directory.path)/disk/two, limit: \(two)}

            """, in: directory)
        let status = try larder.json("status")
        let told = status["warnings"].array.filter { $0["code"].string == "limits-beyond-capacity" }
        #expect(told.count == (isTooMuch ? 1 : 0), "\(status)")
        let disk = try larder.json("report")["shared_disks"]
        let sizes = try directory.shell("df -B1 --output=used,avail disk | tail -1").split(separator: " ")
            .compactMap { Int64($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        #expect(disk.array.count == 1 && disk[0]["usable_bytes"].integer == sizes.reduce(0, +))
        #expect(try larder("report").output.contains("share a file system"))
        // A contradiction within the configuration is told by every command.
        let said = try larder("list").errors
        #expect(said.contains("with each of them within its limit") == (isTooMuch && !one.isEmpty), "\(said)")
    }

    @Test func aDirectoryIsExplainedByWhatLiesBelowIt() throws {
        let (larder, directory) = try Self.program()
        for path in ["\(directory.path)/one/.m2/repository/org/both/lib", ".m2/repository/org/both/"] {
            let said = try larder("explain", path)
            #expect(said.status == 0 && said.output.contains("2 entries"), "\(said.output)\(said.errors)")
            #expect(said.output.contains("org.both:lib:1.0") && said.output.contains("org.both:lib:2.0"))
        }
        let junk = try larder("explain", directory.path + "/one/junk")
        #expect(junk.status == 0 && junk.output.contains("junk/sub"), "\(junk.output)\(junk.errors)")
        let root = try larder.json("explain", directory.path + "/one")
        #expect(root["below"][0]["entries"].integer == 2)
        #expect(root["below"][0]["volume"].string == "first-one")
        #expect(try larder("explain", directory.path + "/one/nothing").status == 1)
    }

    @Test func aMistypedPatternIsToldWhatWasMeant() throws {
        let (larder, _) = try Self.program()
        for (pattern, meant) in [
            ("org.btoh:*", "'org.both:*'"), ("org.both:lbi:*", "'org.both:lib:*'"),
            ("org.bohh*:lib:1.0", "'org.both*:lib:1.0'"),
        ] {
            let wrong = try larder.json("explain", pattern, status: 1)
            #expect(
                wrong["hint"].string?.contains("did you mean \(meant)?") == true, "\(wrong["hint"].value)")
        }
        #expect(
            try larder.json("explain", "nothing.like.it:*", status: 1)["hint"].string?.contains("?") == false)
    }

    @Test func whatWasNeverUsedIsNotCalledUsed() throws {
        let (larder, _) = try Self.program()
        let unused = try larder("list", "--filter", "never-used").output
        #expect(unused.contains("never, there 40 d") && !unused.contains(" ago "), "\(unused)")
        let said = try larder("explain", ".m2/repository/org/both/lib/2.0").output
        #expect(
            said.contains("no use seen") && said.contains("the newest access time, which shows no use"),
            "\(said)")
        #expect(!said.contains("newest use"))
    }

    /// Ten mebibytes with a few kibibytes in it are not to be enlarged.
    @Test func anEmptyVolumeIsNotToBeEnlarged() throws {
        let (larder, directory) = try Self.program()
        try directory.write("one/.m2/repository/org/new/lib/1/lib-1.jar", bytes: 9000)
        try directory.write("one/.m2/repository/org/new/lib/1/_remote.repositories", "lib-1.jar>central=\n")
        #expect(try larder("scan").status == 0)
        let said = try larder("explain", "org.new:lib:1").output
        #expect(said.contains("idle floor") && said.contains("It can go once"), "\(said)")
        #expect(!said.contains("Enlarge"))
    }
}
