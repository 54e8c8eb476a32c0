import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// Pools of the user's own: what path patterns match, by units, and what they must leave alone.
@Suite struct OwnPoolTests {
    private static func pool(
        _ name: String, _ patterns: [String], unit: OwnPool.Unit, keep: [String] = []
    ) throws -> OwnPool {
        OwnPool(
            try #require(Pool(named: name)),
            rules: try patterns.map { OwnPool.Rule(try #require(PathPattern($0)), unit: unit) }, keep: keep)
    }

    private static func preset(_ name: String) throws -> OwnPool {
        OwnPool(try #require(Pool(named: name)), rules: try #require(OwnPool.rules(ofPreset: name)))
    }

    private static func scan(
        _ directory: TemporaryDirectory, _ own: [OwnPool], _ snapshots: SnapshotFile? = nil,
        ahead: Span = .zero
    ) throws -> VolumeScan {
        var volume = Volume(name: "build", kind: .buildCache, path: directory.path)
        volume.ownPools = own
        return try VolumeScanner().scan(
            volume, snapshots: snapshots, clock: { WalkerTests.now() + ahead })
    }

    private static func paths(_ scan: VolumeScan, _ pool: String? = nil) -> [String] {
        scan.entries.filter { $0.pool.isOwn && (pool == nil || $0.pool.rawValue == pool) }
            .map(\.path.description)
    }

    /// A tree in which every name occurs at every depth, so that patterns have something to be wrong about.
    private static func grow(in directory: TemporaryDirectory) throws {
        try directory.shell(
            """
            mkdir -p {a,b,bc}/{a,b,bc}/{a,c1,.d}/{a,c2}
            for d in $(find . -type d); do head -c $((RANDOM % 9000)) /dev/zero > $d/f.txt; echo x > $d/g.log; done
            """)
    }

    /// What bash's own globs match, `**` included, is what becomes entries.
    @Test(arguments: [
        "a", "a/*", "*/b*/c?", "**/a", "a/**/c2", "**/b/**/a", "**/.d", "a/**/b/*", "b*/a", "*/*/*/*",
        "**/bc/c1/**/a", "nothing/here", "**/b?",
    ])
    func directoriesAreThoseThatBashMatches(pattern: String) throws {
        let directory = try TemporaryDirectory()
        try Self.grow(in: directory)
        let matched = try directory.shell(
            "shopt -s globstar dotglob nullglob; for p in \(pattern); do [ -d \"$p\" ] && echo \"${p%/}\" || true; done"
        )
        let all = Set(matched.split(separator: "\n").map(String.init))
        // What lies in a unit is a part of it.
        let units = all.filter { path in !all.contains { path.hasPrefix($0 + "/") } }.sorted()
        let scan = try Self.scan(directory, [try Self.pool("reports", [pattern], unit: .directory(depth: 0))])
        #expect(Self.paths(scan).sorted() == units)
        for entry in scan.entries {
            #expect(entry.bytes.bytes == (try WalkerTests.du("\(directory.path)/\(entry.path)")))
            #expect(entry.files == (try WalkerTests.countFiles("\(directory.path)/\(entry.path)")))
            let directories = try directory.shell("find '\(entry.path)' -type d | wc -l")
            #expect("\(entry.directories)\n" == directories)
        }
        #expect(scan.warnings.map(\.code) == (units.isEmpty ? ["pool-matches-nothing"] : []))
        #expect(scan.bytes.bytes == (try WalkerTests.du(directory.path)))
    }

    @Test(arguments: [
        ("a", "a/f.txt"), ("**/g.log", "**/g.log"), ("*/b", "*/b/**"), ("**/*.txt", "**/*.txt"),
        ("bc/**", "bc/**"), ("a/*/f.txt", "a/*/f.txt"),
    ])
    func filesAreThoseThatFindFinds(_ test: (pattern: String, glob: String)) throws {
        let directory = try TemporaryDirectory()
        try Self.grow(in: directory)
        let matched = try directory.shell(
            """
            shopt -s globstar dotglob nullglob
            for p in \(test.pattern); do find "$p" -type f; done | sort -u
            """)
        let scan = try Self.scan(directory, [try Self.pool("logs", [test.pattern], unit: .file)])
        #expect(Self.paths(scan).sorted() == matched.split(separator: "\n").map(String.init).sorted())
        #expect(scan.entries.allSatisfy { $0.traits == .file && $0.files == 1 && $0.directories == 0 })
        let bytes = scan.entries.reduce(Int64(0)) { $0 + $1.bytes.bytes }
        let sum = try directory.shell(
            "shopt -s globstar dotglob; for p in \(test.pattern); do find $p -type f -printf '%b %p\\n'; done | sort -u "
                + "| awk '{s += $1 * 512} END {print s}'")
        #expect("\(bytes)\n" == sum)
        #expect(scan.bytes.bytes == (try WalkerTests.du(directory.path)))
        #expect(scan.files == (try WalkerTests.countFiles(directory.path)))
    }

    @Test func unitsLieAtTheirDepthBelowTheMatch() throws {
        let directory = try TemporaryDirectory()
        for path in [
            "cache/org/mod/jars/a.jar", "cache/org/other/b.jar", "cache/c.properties", "local/org/m/x",
        ] {
            try directory.write("tools/\(path)")
        }
        let scan = try Self.scan(
            directory,
            [
                try Self.pool("ivy2", ["**/cache"], unit: .directory(depth: 2))
            ])
        #expect(Self.paths(scan) == ["tools/cache/org/mod", "tools/cache/org/other"])
    }

    /// Maven's, Gradle's and Larder's own are in no pool of the user's, and count as before.
    @Test func whatOtherCachesHoldIsNeverTaken() throws {
        let directory = try TemporaryDirectory()
        try directory.write("m2/repository/g/a/1/a-1.jar")
        try directory.write("m2/repository/g/a/1/a-1.pom", "<project><groupId>g</groupId></project>")
        try directory.write(
            "m2/repository/g/a/1/_remote.repositories", "a-1.jar>central=\na-1.pom>central=\n")
        try directory.write("m2/repository/.checksums/central/x.sha1")
        try directory.write("gradle/caches/journal-1/file-access.bin")
        try directory.write("gradle/caches/modules-2/files-2.1/g/a/1/abc/a-1.jar")
        try directory.write("gradle/caches/build-cache-1/0123456789abcdef0123456789abcdef", bytes: 900)
        try directory.write("gradle/daemon/8.5/daemon-1.out.log", bytes: 5000)
        try directory.write("gradle/wrapper/dists/gradle-8.5-bin/h/gradle-8.5/x")
        try directory.write(".larder/trash/run/0/x")
        try directory.write("tools/x/y")
        let before = try Self.scan(directory, [])
        let greedy = [
            try Self.pool("whole", ["m2", "gradle", "*"], unit: .directory(depth: 0)),
            try Self.pool("files", ["**/*"], unit: .file),
        ]
        let scan = try Self.scan(directory, greedy)
        #expect(scan.entries.filter { !$0.pool.isOwn } == before.entries)
        #expect(Self.paths(scan) == ["gradle/daemon/8.5/daemon-1.out.log", "tools"])
        #expect(scan.warnings.map(\.code) == ["pool-holds-artifacts"])
        #expect(scan.bytes.bytes == before.bytes.bytes)
        let files = try Self.scan(directory, [greedy[1]])
        #expect(files.entries.filter { !$0.pool.isOwn } == before.entries)
        #expect(Self.paths(files) == ["gradle/daemon/8.5/daemon-1.out.log", "tools/x/y"])
    }

    /// Another volume below this one, and what has the inode of Larder's state directory, whatever it is called.
    @Test func anotherVolumeAndTheStateDirectoryAreNeverTaken() throws {
        let directory = try TemporaryDirectory()
        try directory.shell(
            """
            mkdir -p own/a store/.larder/trash store/vfs state/deep beside
            for d in own/a store store/.larder store/vfs state state/deep beside; do echo x > $d/file; done
            """)
        var status = stat()
        let result = stat("\(directory.path)/state", &status)
        try #require(result == 0)
        var volume = Volume(name: "build", kind: .buildCache, path: directory.path)
        func taken(_ unit: OwnPool.Unit, _ pattern: String) throws -> [String] {
            volume.ownPools = [try Self.pool("all", [pattern], unit: unit)]
            let scan = try VolumeScanner().scan(
                volume, others: [UInt64(status.st_ino)], clock: WalkerTests.now)
            #expect(scan.bytes.bytes == (try WalkerTests.du(directory.path)))
            return Self.paths(scan)
        }
        #expect(try taken(.file, "**/*") == ["beside/file", "own/a/file"])
        #expect(try taken(.directory(depth: 0), "*") == ["beside", "own"])
    }

    @Test func linksAreNotFollowedAndLocksStay() throws {
        let directory = try TemporaryDirectory()
        let outside = try TemporaryDirectory()
        try outside.write("secret")
        try directory.write("logs/one.log")
        try directory.write("logs/.lock")
        try directory.write("logs/half.part")
        try directory.shell("ln -s \(outside.path) logs/link; ln -s \(outside.path)/secret logs/file")
        let scan = try Self.scan(directory, [try Self.pool("logs", ["logs"], unit: .file)])
        #expect(Self.paths(scan) == ["logs/half.part", "logs/one.log"])
        #expect(scan.entries[0].protections == Protections(.inFlight))
        #expect(scan.entries[1].protections == [])
        let linked = try Self.scan(directory, [try Self.pool("l", ["logs/link"], unit: .directory(depth: 0))])
        #expect(Self.paths(linked).isEmpty)
    }

    /// A pool that is configured later finds what an earlier scan had skipped as unchanged.
    @Test func aNewPoolNeedsNoChangeOnDisk() throws {
        let directory = try TemporaryDirectory()
        let state = try TemporaryDirectory()
        try Self.grow(in: directory)
        try directory.shell("find . -depth -exec touch -h -d '10 days ago' {} +")
        let file = WalkerTests.snapshots(in: state)
        let own = try [
            Self.pool("logs", ["**/g.log"], unit: .file), Self.pool("d", ["a/*"], unit: .directory(depth: 0)),
        ]
        #expect(Self.paths(try Self.scan(directory, [], file, ahead: .hours(1))).isEmpty)
        let first = try Self.scan(directory, own, file, ahead: .hours(2))
        let again = try Self.scan(directory, own, file, ahead: .hours(3))
        let fresh = try Self.scan(directory, own, ahead: .hours(3))
        #expect(!first.entries.isEmpty && first.entries == fresh.entries && again.entries == fresh.entries)
        #expect(again.bytes == fresh.bytes)
        #expect(Self.paths(try Self.scan(directory, [], file, ahead: .hours(4))).isEmpty)
    }

    @Test func aDirectoryOfManyFilesIsTakenWhole() throws {
        let directory = try TemporaryDirectory()
        try directory.shell(
            "mkdir -p big; cd big; seq 1 9000 | xargs -n 3000 touch; ln 1 ../linked; for i in 7 8; do ln $i two$i; done"
        )
        let scan = try Self.scan(directory, [try Self.pool("big", ["big"], unit: .file)])
        #expect(scan.entries.count == 9002)
        #expect(scan.files == (try WalkerTests.countFiles(directory.path)))
    }

    /// What is written into a directory in place is in use, though no file in it is read and none is new.
    @Test func writingIntoADirectoryIsAUse() throws {
        let directory = try TemporaryDirectory()
        try directory.write("work/job/out.log")
        try directory.shell(
            "touch -d '20 days ago' work/job/out.log work/job work; touch -m -d '2 days ago' work/job/out.log"
        )
        let scan = try Self.scan(directory, [try Self.pool("work", ["work/*"], unit: .directory(depth: 0))])
        let entry = try #require(scan.entries.first)
        let age = (WalkerTests.now() - entry.accessed).seconds
        #expect((170_000...176_000).contains(age))
        #expect((WalkerTests.now() - entry.fetched).seconds > 19 * 86_400)
    }

    /// Each preset on the layout that its tool makes.
    @Test func presetsKnowTheirTools() throws {
        let directory = try TemporaryDirectory()
        let home = "home/"
        for path in [
            ".gradle/daemon/8.5/daemon-12.out.log", ".gradle/daemon/8.5/registry.bin",
            ".gradle/daemon/8.5/registry.bin.lock", ".npm/_cacache/content-v2/sha512/ab/cd/0123",
            ".npm/_cacache/index-v5/ab/cd/4567", ".npm/_npx/0f1e/node_modules/x/index.js", ".npm/_logs/1.log",
            ".konan/kotlin-native-prebuilt-linux-x86_64-1.9.22/bin/kotlinc",
            ".konan/dependencies/llvm-11/lib/a",
            ".konan/dependencies/.extracted", ".konan/cache/.lock", ".ivy2/cache/org.x/lib/jars/lib-1.jar",
            ".ivy2/cache/org.x/lib/ivy-1.xml", ".ivy2/local/org.x/own/1/jars/own.jar",
            ".cache/coursier/v1/https/repo1.maven.org/maven2/org/x/y/1/y-1.jar",
            ".sonar/cache/0a1b/scanner.jar",
            ".m2/build-cache/v1/com.x/lib/8c9d/local/buildinfo.xml", "builds/group/project/key-1/cache.zip",
        ] { try directory.write(home + path) }
        let names = OwnPool.presets.map(\.name)
        let scan = try Self.scan(directory, try names.map(Self.preset))
        let expected: [String: [String]] = [
            "gradle-daemon-logs": [".gradle/daemon/8.5/daemon-12.out.log"],
            "npm": [".npm/_cacache/content-v2/sha512/ab/cd/0123", ".npm/_npx/0f1e"],
            "konan": [".konan/dependencies/llvm-11", ".konan/kotlin-native-prebuilt-linux-x86_64-1.9.22"],
            "ivy": [".ivy2/cache/org.x/lib"],
            "coursier": [".cache/coursier/v1/https/repo1.maven.org/maven2/org/x/y/1/y-1.jar"],
            "sonar": [".sonar/cache/0a1b"],
            "maven-build-cache": [".m2/build-cache/v1/com.x/lib/8c9d"],
            "runner-cache-zip": ["builds/group/project/key-1/cache.zip"],
        ]
        for name in names { #expect(Self.paths(scan, name) == expected[name]?.map { home + $0 }, "\(name)") }
        #expect(scan.warnings.isEmpty)
    }

    @Test(arguments: ["/abs", "", "a/../b", "..", ".larder/trash", "**", "**/**", "a\nb"])
    func thesePatternsAreNone(text: String) { #expect(PathPattern(text) == nil) }

    @Test func rulesThatDifferHaveOtherFingerprints() throws {
        let a = try #require(FolderRules([try Self.pool("x", ["a/b"], unit: .file)]))
        let b = try #require(FolderRules([try Self.pool("x", ["a", "b"], unit: .file)]))
        let c = try #require(FolderRules([try Self.pool("x", ["a/b"], unit: .directory(depth: 0))]))
        #expect(Set([a, b, c].map(\.fingerprint)).count == 3)
        #expect(FolderRules([]) == nil)
    }
}
