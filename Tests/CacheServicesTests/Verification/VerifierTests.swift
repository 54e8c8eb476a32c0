import CacheIndex
import CacheModel
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import CacheServices

/// What a verification finds in real files, and what it does not take for damage.
@Suite struct VerifierTests {
    private func jar(_ name: String) -> String { "\(VerificationFixture.path(name))/\(name)-1.jar" }

    @Test func whatIsWholeIsWhole() throws {
        let bench = try VerificationFixture()
        try bench.add("one")
        try bench.add("two", checksums: ["sha512", "sha1", "md5"])
        try bench.addModule("mod", content: "any bytes")
        let verified = try bench.verify()
        #expect(verified.damaged.isEmpty)
        #expect(verified.isClean)
        #expect(verified.entries == 3)
        #expect(verified.checked == 5)
        #expect(verified.unverifiable.isEmpty)
        #expect(try bench.verify(pool: .gradle).checked == 1)
    }

    @Test func aTruncatedJarIsFound() throws {
        let bench = try VerificationFixture()
        try bench.add("one")
        try bench.add("two")
        try bench.directory.shell("truncate -s 10000 \(jar("one")); touch -d '40 days ago' \(jar("one"))")
        let verified = try bench.verify()
        #expect(verified.damaged.map(\.kind) == [.truncated])
        #expect(verified.damaged.map(\.key) == ["g:one:1"])
        #expect(verified.damaged.map(\.path) == [jar("one")])
        #expect(!verified.isClean)
    }

    /// One flipped bit in the middle of the data, which no archive reader sees before it unpacks that file.
    @Test(arguments: ["sha512", "sha256", "sha1", "md5"]) func aFlippedBitIsFound(sum: String) throws {
        let bench = try VerificationFixture()
        try bench.add("one", checksums: [sum])
        try bench.directory.shell(
            """
            head -c 9001 \(jar("one")) | tail -c 1 | tr '\\000-\\377' '\\001-\\377\\000' > other
            dd if=other of=\(jar("one")) bs=1 seek=9000 conv=notrunc status=none
            touch -d '40 days ago' \(jar("one"))
            """)
        #expect(try bench.verify().damaged.map(\.kind) == [.checksumMismatch])
    }

    /// The strongest checksum decides: a stale weaker one is no damage, nor hides it.
    @Test func theStrongestChecksumDecides() throws {
        let bench = try VerificationFixture()
        try bench.add("one", checksums: ["sha256", "md5"])
        let file = jar("one")
        try bench.directory.shell("tr a-f0-9 0-9a-f < \(file).md5 > x; cat x > \(file).md5; rm x")
        try bench.age(VerificationFixture.path("one"))
        #expect(try bench.verify().damaged.isEmpty)
        try bench.directory.shell(
            "md5sum \(file) > \(file).md5; tr a-f0-9 0-9a-f < \(file).sha256 > x; cat x > \(file).sha256; rm x"
        )
        try bench.age(VerificationFixture.path("one"))
        #expect(try bench.verify().damaged.map(\.kind) == [.checksumMismatch])
    }

    @Test func nonsenseForAChecksumIsNotDamage() throws {
        let bench = try VerificationFixture()
        try bench.add("one")
        try bench.directory.shell("echo '<html>Sign in</html>' > \(jar("one")).sha1")
        try bench.age(VerificationFixture.path("one"))
        let verified = try bench.verify()
        #expect(verified.damaged.isEmpty)
        #expect(verified.unverifiable == ["the .sha1 file beside it holds no checksum": 1])
        try bench.directory.shell("truncate -s 10000 \(jar("one"))")
        try bench.age(VerificationFixture.path("one"))
        #expect(try bench.verify().damaged.map(\.kind) == [.truncated])
    }

    @Test func withoutChecksumsStructureDecides() throws {
        let bench = try VerificationFixture()
        try bench.add("one", checksums: [])
        try bench.directory.write("\(VerificationFixture.path("one"))/one-1.txt", "text")
        try bench.directory.shell(
            "echo 'one-1.txt>central=' >> \(VerificationFixture.path("one"))/_remote.repositories")
        try bench.age(VerificationFixture.path("one"))
        let whole = try bench.verify()
        #expect(whole.damaged.isEmpty)
        #expect(whole.checked == 2)
        #expect(whole.unverifiable == ["there is no checksum beside it": 1])
        try bench.directory.shell("truncate -s 30 \(VerificationFixture.path("one"))/one-1.pom")
        try bench.age(VerificationFixture.path("one"))
        let cut = try bench.verify()
        #expect(cut.damaged.map(\.kind) == [.truncated])
        #expect(cut.damaged.first?.path.hasSuffix("one-1.pom") == true)
    }

    /// `mvn install` over a fetched version leaves the checksum of what was fetched.
    @Test func aLocallyInstalledFileIsNotHeldAgainstAStaleChecksum() throws {
        let bench = try VerificationFixture()
        try bench.add("one")
        try bench.directory.shell(
            """
            cd \(VerificationFixture.path("one"))
            echo new > data; python3 -m zipfile -c one-1.jar data; rm data
            echo 'one-1.jar>=' >> _remote.repositories
            """)
        try bench.age(VerificationFixture.path("one"))
        #expect(try bench.verify().damaged.isEmpty)
    }

    @Test func gradleFilesAreHeldAgainstTheirDirectory() throws {
        let bench = try VerificationFixture()
        // The SHA-1 of "65" begins with two zeros' worth of bits: 0a… is found by search below.
        let content = try bench.directory.shell(
            "for i in $(seq 1 2000); do s=$(printf %s $i | sha1sum); [ ${s:0:2} = 00 ] && { printf %s $i; break; }; done"
        )
        try #require(!content.isEmpty)
        try bench.addModule("zeros", content: content)
        try bench.addModule("plain", content: "plain")
        let names = try bench.directory.shell("ls caches/modules-2/files-2.1/org.x/zeros/1.0")
        #expect(names.dropLast().count < 39)
        #expect(try bench.verify().damaged.isEmpty)
        let directory = "caches/modules-2/files-2.1/org.x/zeros/1.0"
        try bench.directory.shell("printf x >> \(directory)/*/zeros-1.0.jar")
        try bench.age(directory)
        let verified = try bench.verify()
        #expect(verified.damaged.map(\.key) == ["org.x:zeros:1.0"])
        #expect(verified.damaged.map(\.pool) == [.gradle])
    }

    /// What is being written is not damage: the download under its last name, or a writer that just stopped.
    @Test func whatWasJustWrittenIsNotDamage() throws {
        let bench = try VerificationFixture()
        try bench.add("one")
        try bench.directory.shell("truncate -s 10000 \(jar("one"))")
        let verified = try bench.verify()
        #expect(verified.damaged.isEmpty)
        #expect(verified.unsettled.map(\.path) == [jar("one")])
        #expect(verified.unsettled.first?.reason.contains("perhaps not to its end yet") == true)
        #expect(verified.isClean)
        // Nothing is remembered of it: the next run looks again.
        #expect(try bench.sql("SELECT count(*) FROM verifications") == "0")
        try bench.age(VerificationFixture.path("one"))
        #expect(try bench.verify().damaged.count == 1)
    }

    /// A file that grows under the reader: the wait of the pace is where it does.
    @Test func whatChangesWhileItIsReadIsNotDamage() throws {
        let bench = try VerificationFixture()
        try bench.add("one", kilobytes: 2000)
        let path = bench.directory.path + "/" + jar("one")
        let changes = Mutex(0)
        let verified = try bench.verify(
            pace: ReadingPace(rate: ByteCount(1)),
            wait: { _ in
                changes.withLock { count in
                    count += 1
                    if count == 1 {
                        _ = try? run(
                            "/bin/sh", "-c", "printf x >> '\(path)'; touch -d '40 days ago' '\(path)'")
                    }
                }
            })
        #expect(verified.damaged.isEmpty)
        #expect(verified.unsettled.map(\.reason) == ["it changed while it was read"])
    }

    @Test func verifyingIsNoUse() throws {
        let bench = try VerificationFixture()
        try bench.add("one")
        try bench.addModule("mod", content: "bytes")
        _ = try bench.usage()
        let times = "find .m2 caches -type f -printf '%p %A@ %T@\\n' | sort"
        let before = try bench.directory.shell(times)
        _ = try bench.verify()
        #expect(try bench.directory.shell(times) == before)
        _ = try bench.usage()
        #expect(try bench.sql("SELECT count(*) FROM accesses") == "0")
        // The same read by a job is one.
        try bench.directory.shell("cat \(VerificationFixture.path("one"))/one-1.pom > /dev/null")
        _ = try bench.usage()
        #expect(try bench.sql("SELECT count(*) FROM accesses WHERE hit") == "1")
    }

    @Test func linksPipesAndDevicesAreNotRead() throws {
        let bench = try VerificationFixture()
        let outside = try TemporaryDirectory()
        try outside.write("precious.jar", "not a jar")
        try bench.add("one")
        try bench.directory.shell(
            """
            cd \(VerificationFixture.path("one")); mkfifo pipe.jar; ln -s '\(outside.path)/precious.jar' link.jar
            ln -s /dev/zero endless.jar; mkfifo one-1.jar.sha512; mkdir one-1-dir.jar
            """)
        try bench.age(VerificationFixture.path("one"))
        let verified = try bench.verify()
        #expect(verified.checked == 2)
        #expect(verified.damaged.isEmpty)
    }
}
