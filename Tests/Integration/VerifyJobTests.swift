import Foundation
import TestSupport
import Testing

/// A damaged cache in the hands of real builds: it breaks them until it is quarantined.
@Suite(.enabled(if: Testbed.shared != nil, "\(Testbed.absence)"))
struct VerifyJobTests {
    private struct Bench {
        let own: OwnTestbed
        let cache: String
        let larder: Program

        init() throws {
            own = try OwnTestbed("--no-images")
            cache = try own.testbed.setting("CACHE")
            larder = Program(cache: cache)
            try shell("find . -exec touch -h -d '3 days ago' {} +")
        }

        @discardableResult
        func shell(_ script: String) throws -> String {
            try run("/bin/bash", "-ec", "cd '\(cache)'; \(script)").checked().output
        }

        func maven() throws -> Int32 { try own.testbed.run("maven", "alpha").status }
        func gradle() throws -> Int32 { try own.testbed.run("gradle", "delta", "--", "clean").status }
    }

    @Test func aQuarantineHealsBuilds() throws {
        let bench = try Bench()
        #expect(try bench.larder.json("verify")["damaged"].array.isEmpty)
        let files = try bench.shell(
            "find . -name 'commons-lang3-debian.jar' -o -name 'commons-compress-1.22.jar'"
        ).split(separator: "\n").map(String.init).sorted()
        try #require(files.count == 2)
        let sums = try bench.shell("sha1sum \(files.joined(separator: " "))")
        for file in files {
            try bench.shell("truncate -s 40000 '\(file)'; touch -d '3 days ago' '\(file)'")
        }

        // Found, and nothing touched.
        let found = try bench.larder.json("verify", status: 4)
        #expect(found["damaged"].array.compactMap { $0["path"].string.map { "./" + $0 } }.sorted() == files)
        #expect(found["damaged"].array.allSatisfy { $0["kind"].string == "truncated" })
        #expect(found["damaged"].array.allSatisfy { $0["quarantined"].bool == false })

        // Neither tool looks at the files again: both builds fail, and would for ever.
        #expect(try bench.maven() != 0)
        #expect(try bench.gradle() != 0)
        #expect(try bench.shell("stat -c %s \(files.joined(separator: " "))") == "40000\n40000\n")

        // The builds were a use.
        let kept = try bench.larder.json("verify", "--quarantine", status: 4)
        #expect(kept["damaged"].array.allSatisfy { $0["quarantined"].bool == false })
        let moved = try bench.larder.json("verify", "--quarantine", "--idle-floor", "0s")
        #expect(moved["damaged"].array.count == 2)
        #expect(moved["damaged"].array.allSatisfy { $0["quarantined"].bool == true })
        for file in files { #expect(!FileManager.default.fileExists(atPath: "\(bench.cache)/\(file)")) }

        #expect(try bench.maven() == 0)
        #expect(try bench.gradle() == 0)
        // Not by Larder's own hand: what is there now is what was there before.
        #expect(try bench.shell("sha1sum \(files.joined(separator: " "))") == sums)
        #expect(try bench.larder.json("verify", "--idle-floor", "0s")["damaged"].array.isEmpty)

        // What was moved is in the trash still; its place is taken, and nothing is overwritten.
        let restored = try bench.larder.json("trash", "restore", try #require(moved["run"].string), status: 4)
        #expect(restored["restored"].array.isEmpty)
        #expect(restored["refused"].array.count == 2)
        try bench.larder("scan").checked()
        let state = try #require(bench.larder.state)
        #expect(
            try state.shell("sqlite3 state/larder.db 'SELECT count(*) FROM accesses WHERE regret'") == "0\n")
    }

    /// All real files of the cache against sha1sum, one by one.
    @Test func everyFileIsJudgedAsSha1sumDoes() throws {
        let bench = try Bench()
        // Flip a byte in some files, fetched and installed, jars and poms.
        try bench.shell(
            """
            find . -name '*.jar' -o -name '*.pom' | sort | awk 'NR % 7 == 0' | while read f; do
                printf '\\377' | dd of="$f" bs=1 seek=33 conv=notrunc status=none; touch -h -d '3 days ago' "$f"
            done
            """)
        let reference = try bench.shell(
            """
            find . -name '*.sha1' | while read s; do
                f=${s%.sha1}; [ "$(cut -c1-40 $s)" = "$(sha1sum < $f | cut -c1-40)" ] || echo "$f"
            done
            find caches/modules-2/files-2.1 -type f | while read f; do
                d=$(basename $(dirname $f)); [ "$(sha1sum < $f | cut -c1-40 | sed 's/^0*//')" = "$d" ] || echo "./$f"
            done
            """
        ).split(separator: "\n").map { String($0.dropFirst(2)) }
        #expect(reference.count > 10)
        let found = try bench.larder.json("verify", status: 4)
        let mismatches = found["damaged"].array.filter {
            $0["path"].string?.contains("example/local") == false
        }
        #expect(mismatches.compactMap { $0["path"].string }.sorted() == reference.sorted())
    }
}
