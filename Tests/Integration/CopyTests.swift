import Foundation
import TestSupport
import Testing

/// A cache that was filled elsewhere and is brought to a volume that has been scanned: nobody fetched that.
@Suite struct CopyTests {
    private static let count = 12

    /// Two directories: a volume with one artifact, and a cache of another place that was filled 40 days ago.
    private struct Site {
        let directory: TemporaryDirectory
        let larder: Program

        init() throws {
            directory = try TemporaryDirectory()
            larder = Program(cache: directory.path + "/volume")
            try directory.shell(
                """
                artifact() {
                  d="$1/.m2/repository/org/example/$2/1"; mkdir -p "$d"
                  head -c 9000 /dev/zero > "$d/$2-1.jar"; echo '<project/>' > "$d/$2-1.pom"
                  printf "$2-1.jar>central=\\n$2-1.pom>central=\\n" > "$d/_remote.repositories"
                }
                artifact volume there
                for n in $(seq \(CopyTests.count)); do artifact elsewhere "lib$n"; done
                d=elsewhere/gradle/caches/modules-2/files-2.1/org.example/module/1/0123456789abcdef0123456789abcdef01234567
                mkdir -p "$d"; head -c 5000 /dev/zero > "$d/module-1.jar"
                find volume elsewhere -exec touch -d '40 days ago' {} +
                """)
            try larder("scan").checked()
        }

        /// Brings the cache here, scans, and says what became of it.
        func bring(_ script: String) throws -> (copied: Int64?, hits: Int, misses: Int) {
            try directory.shell(script)
            return try scan()
        }

        func scan() throws -> (copied: Int64?, hits: Int, misses: Int) {
            let before = try accesses()
            let volume = try larder.json("scan").volume("build")
            let after = try accesses()
            let copied = volume["copied"]["entries"].integer
            return (copied, after.hits - before.hits, after.misses - before.misses)
        }

        /// What the index wrote down, read by sqlite3.
        private func accesses() throws -> (hits: Int, misses: Int) {
            let database = try #require(larder.state).path + "/state/larder.db"
            let line = try run(
                "/usr/bin/env", "sqlite3", "-readonly", database,
                "SELECT ifnull(sum(hit), 0) || ' ' || ifnull(sum(NOT hit), 0) FROM accesses"
            ).checked().output
            let figures = line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
            return (figures[0], figures[1])
        }
    }

    private static let ways: [(name: String, script: String)] = [
        ("cp -a", "cp -a elsewhere/. volume/"), ("tar", "tar -C elsewhere -cf - . | tar -C volume -xf -"),
        ("rsync -a", "rsync -a elsewhere/ volume/"),
    ]

    @Test(arguments: ways.map(\.name)) func aCopyIsNeitherHitNorMiss(_ name: String) throws {
        let script = try #require(Self.ways.first { $0.name == name }).script
        let program = String(try #require(script.split(separator: " ").first))
        guard try run("/bin/sh", "-c", "command -v \(program)").status == 0 else { return }
        let site = try Site()
        let found = try site.bring(script)
        #expect(found.copied == Int64(Self.count) + 1)
        #expect((found.hits, found.misses) == (0, 0))
        // From then on they are like all others: what is read is a hit.
        try site.directory.shell("sleep 1.1; cat volume/.m2/repository/org/example/lib3/1/*.jar > /dev/null")
        let used = try site.scan()
        #expect((used.copied, used.hits, used.misses) == (0, 1, 0))
    }

    @Test func aClaimThatWasMovedToAnotherOneWasNotFetched() throws {
        let site = try Site()
        _ = try site.bring("cp -a elsewhere/. volume/")
        let moved = try site.bring("cp -a volume/.m2 new; rm -r volume/.m2; mv new volume/.m2")
        #expect(moved.copied == Int64(Self.count) + 1)
        #expect((moved.hits, moved.misses) == (0, 0))
    }

    /// Maven gives artifacts the times of the server, but not what it keeps beside them.
    @Test func whatWasFetchedIsAMissThoughArtifactsAreOld() throws {
        let site = try Site()
        let fetched = try site.bring(
            """
            cp -r elsewhere/. volume/
            find volume/.m2 -name '*.jar' -exec touch -d '3 years ago' {} +
            """)
        #expect(fetched.copied == 0)
        #expect((fetched.hits, fetched.misses) == (0, Self.count + 1))
    }

    /// One file that a job fetches into a copied directory puts it in doubt, and what is in doubt is a miss; what a job
    /// installs into one is neither.
    @Test(arguments: [(isFetched: true, misses: 1), (false, 0)])
    func whatAJobWroteToIsNoCopy(_ row: (isFetched: Bool, misses: Int)) throws {
        let site = try Site()
        let tracking = row.isFetched ? "echo 'lib5-1-sources.jar>central=' >> $lib/_remote.repositories" : ":"
        let found = try site.bring(
            """
            cp -a elsewhere/. volume/; lib=volume/.m2/repository/org/example/lib5/1
            echo x > $lib/lib5-1-sources.jar; \(tracking)
            """)
        #expect(found.copied == Int64(Self.count))
        #expect((found.hits, found.misses) == (0, row.misses))
    }

    /// Who restores a cache with its old times is about to build with it; what the first scan found is not protected so.
    @Test func whatArrivedByCopyStaysForTheIdleFloor() throws {
        let site = try Site()
        try site.directory.shell(
            "cp -a elsewhere/. volume/; find volume -type f -exec touch -a -d '40 days ago' {} +")
        #expect(try site.larder("scan").status == 0)
        func planned(_ options: String...) throws -> [String] {
            let state = try #require(site.larder.state).path + "/state"
            let words = ["--state", state] + site.larder.options + ["plan", "--to", "0", "--format", "json"]
            let plan = try JSON(run(Program.path, words + options).output).volume("build")
            return plan["evict"].array.compactMap { $0["key"].string }.filter { $0.contains("org.example:") }
                .sorted()
        }
        #expect(try planned() == ["org.example:there:1"])
        let libraries = (1...Self.count).map { "org.example:lib\($0):1" }
        #expect(try Set(planned("--idle-floor", "0s")).isSuperset(of: libraries))
        let explained = try site.larder("explain", "org.example:lib3:1").checked().output
        #expect(explained.contains("it came by copy"), "\(explained)")
        // So does what arrives just before a prune, which scans first.
        try site.directory.shell(
            "cp -a elsewhere/.m2/repository/org/example/lib1 volume/.m2/repository/org/example/late")
        try site.directory.shell(
            """
            cd volume/.m2/repository/org/example/late/1; for f in lib1*; do mv $f late${f#lib1}; done
            printf 'late-1.jar>central=\\nlate-1.pom>central=\\n' > _remote.repositories
            find . -exec touch -d '40 days ago' {} +
            """)
        _ = try site.larder("prune", "--to", "0", "--force-limit")
        #expect(site.directory.exists("volume/.m2/repository/org/example/late/1/late-1.jar"))
        #expect(site.directory.exists("volume/.m2/repository/org/example/lib3/1/lib3-1.jar"))
        #expect(!site.directory.exists("volume/.m2/repository/org/example/there/1"))
    }

    @Test func theScanSaysSo() throws {
        let site = try Site()
        try site.directory.shell("cp -a elsewhere/. volume/")
        let text = try site.larder("scan").checked().output.replacing(/\s+/, with: " ")
        #expect(
            text.contains("13 entries, ")
                && text.contains(" arrived by copy and count as neither hit nor miss"))
        #expect(!(try site.larder("scan").checked().output.contains("arrived by copy")))
        // Of 14 entries 13 were copied: the report says that as well.
        let report = try site.larder("report").checked().output.replacing(/\s+/, with: " ")
        #expect(
            report.contains("13 entries, ") && report.contains("arrived by copy in the window"), "\(report)")
    }
}
