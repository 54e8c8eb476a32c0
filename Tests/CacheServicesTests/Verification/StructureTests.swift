import CacheModel
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// Archives and poms, judged by their structure; Python's zipfile and XML parser are the reference.
@Suite struct StructureTests {
    private func verdict(onZip bytes: [UInt8]) throws -> FileVerdict {
        try ZipArchive(size: Int64(bytes.count)) { offset, count in
            Array(bytes[Int(offset)..<min(bytes.count, Int(offset) + count)])
        }.verdict()
    }

    /// Archives of every make: plain, without entries, with a comment, with a stub, stored, zip64, with another
    /// archive stored as the last entry.
    private func archives() throws -> [String: [UInt8]] {
        let directory = try TemporaryDirectory()
        try run(
            "/usr/bin/python3", "-c",
            """
            import io, os, sys, zipfile
            os.chdir(sys.argv[1])
            def make(name, entries=3, comment=b"", method=zipfile.ZIP_DEFLATED, wide=False, inner=None):
                with zipfile.ZipFile(name, "w", method) as z:
                    for i in range(entries):
                        with z.open(f"dir/entry{i}.class", "w", force_zip64=wide) as f: f.write(os.urandom(3000))
                    if inner: z.write(inner, "lib/inner.jar", zipfile.ZIP_STORED)
                    z.comment = comment
            make("plain"); make("none", 0); make("comment", comment=b"PK\\5\\6 in a comment" * 40)
            make("stored", method=zipfile.ZIP_STORED); make("wide", wide=True)
            make("fat", inner="plain"); make("many", entries=300)
            open("stub", "wb").write(b"#!/bin/sh\\nexec java -jar $0\\n" + open("plain", "rb").read())
            # The zip64 records, which zipfile itself writes from 65,536 entries on only.
            zipfile.ZIP_FILECOUNT_LIMIT = 2
            make("zip64")
            full = bytearray(open("zip64", "rb").read()); full[-14:-2] = b"\\xff" * 12
            open("zip64-full", "wb").write(full)
            """, directory.path
        ).checked()
        var all: [String: [UInt8]] = [:]
        for name in try directory.shell("ls").split(separator: "\n").map(String.init) {
            all[name] = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/\(name)")))
        }
        return all
    }

    @Test func wholeArchivesAreIntact() throws {
        let all = try archives()
        #expect(all.count == 10)
        for (name, bytes) in all { #expect(try verdict(onZip: bytes) == .intact, "\(name)") }
    }

    /// A small archive that claims to hold far more than any tool packs is named and not unpacked to its end.
    @Test func aBombIsNotUnpacked() throws {
        let directory = try TemporaryDirectory()
        try run(
            "/usr/bin/python3", "-c",
            """
            import os, struct, sys, zipfile, zlib
            os.chdir(sys.argv[1])
            raw = bytes(1 << 26); c = zlib.compressobj(9, zlib.DEFLATED, -15); packed = c.compress(raw) + c.flush()
            def entry(offset):
                return struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, 8, 0, 33, zlib.crc32(raw), len(packed),
                                   len(raw), 1, 0, 0, 0, 0, 0, offset) + b"a"
            local = struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, 8, 0, 33, zlib.crc32(raw), len(packed), len(raw), 1,
                                0) + b"a" + packed
            def make(name, locals, entries):
                directory = b"".join(entries)
                open(name, "wb").write(local * locals + directory + struct.pack(
                    "<IHHHHIIH", 0x06054b50, 0, 0, len(entries), len(entries), len(directory), len(local) * locals, 0))
            make("overlap", 1, [entry(0)] * 1000); make("one", 1, [entry(0)])
            make("apart", 20, [entry(i * len(local)) for i in range(20)])
            assert zipfile.ZipFile("apart").testzip() is None
            """, directory.path
        ).checked()
        func verdict(_ name: String) throws -> FileVerdict {
            try self.verdict(
                onZip: [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/\(name)"))))
        }
        #expect(try verdict("one") == .intact)
        guard case .unverifiable(let shared) = try verdict("overlap"),
            case .unverifiable(let more) = try verdict("apart")
        else {
            Issue.record("\(try verdict("overlap")), \(try verdict("apart"))")
            return
        }
        #expect(shared.contains("share the same bytes"))
        #expect(more.hasPrefix("it unpacks to more than 52"), "\(more)")
    }

    /// Wherever an archive is cut off, it shows: also just behind another archive that is stored in it.
    @Test func everyTruncationShows() throws {
        var cuts = 0
        for (name, bytes) in try archives() {
            let nested = name == "fat" ? [bytes.count - 300...bytes.count - 1] : []
            let step = max(1, bytes.count / 60)
            let places = Array(stride(from: 0, to: bytes.count, by: step)) + nested.flatMap { Array($0) }
            for length in places {
                let verdict = try verdict(onZip: Array(bytes[..<length]))
                guard case .damaged = verdict else {
                    Issue.record("\(name) cut at \(length) of \(bytes.count): \(verdict)")
                    continue
                }
                cuts += 1
            }
        }
        #expect(cuts > 800)
    }

    @Test func anArchiveCutBehindAnotherOneInItIsTruncated() throws {
        let fat = try #require(try archives()["fat"])
        let plain = try #require(try archives()["plain"])
        // The stored archive ends where the outer central directory begins.
        let end = try #require(
            (0..<fat.count - 46).last { fat[$0...].starts(with: [0x50, 0x4b, 5, 6]) && $0 < fat.count - 100 })
        #expect(plain.count < fat.count)
        #expect(
            try verdict(onZip: Array(fat[..<(end + 22)]))
                == .damaged(.truncated, "its end is missing: the last record is of an archive in it"))
    }

    /// What is written over content shows, whatever way it is packed.
    @Test(arguments: ["plain", "stored", "wide", "fat", "stub", "zip64"])
    func overwrittenContentShows(name: String) throws {
        let whole = try #require(try archives()[name])
        // The first entry's header of 30 bytes, its name and the like, then 3,000 bytes that hardly compress.
        for at in stride(from: 200, to: 2_800, by: 130) {
            var bytes = whole
            bytes[at] ^= 0x55
            guard case .damaged(.malformed, let why) = try verdict(onZip: bytes) else {
                Issue.record("\(name) changed at \(at): \(try verdict(onZip: bytes))")
                continue
            }
            #expect(why.hasPrefix("the content of entry "), "\(why)")
        }
    }

    @Test func anArchiveThatTakesTooLongIsNotJudged() throws {
        let whole = try #require(try archives()["plain"])
        let archive = ZipArchive(size: Int64(whole.count), isTimeOver: { true }) { offset, count in
            Array(whole[Int(offset)..<min(whole.count, Int(offset) + count)])
        }
        #expect(try archive.verdict() == .unverifiable("reading it takes longer than a verification may"))
    }

    /// Python's gzip writes them: one member, several, none of them with anything in it, with tar's padding behind.
    @Test func gzipIsReadToItsEnd() throws {
        let directory = try TemporaryDirectory()
        try run(
            "/usr/bin/python3", "-c",
            """
            import gzip, os, sys
            os.chdir(sys.argv[1])
            def write(name, data): open(name, "wb").write(data)
            write("one", gzip.compress(os.urandom(90000))); write("empty", gzip.compress(b""))
            write("dense", gzip.compress(bytes(3000000)))
            write("several", b"".join(gzip.compress(os.urandom(n)) for n in (70000, 0, 5)))
            write("padded", gzip.compress(os.urandom(300)) + bytes(512))
            """, directory.path
        ).checked()
        func fault(_ bytes: [UInt8]) throws -> String? {
            let check = ContentCheck(.init(fileSize: Int64(bytes.count))) { offset, count in
                Array(bytes[min(bytes.count, Int(offset))..<min(bytes.count, Int(offset) + count)])
            }
            return try check.fault(in: 0..<Int64(bytes.count), .gzip, expected: nil)
        }
        for name in try directory.shell("ls").split(separator: "\n").map(String.init) {
            let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/\(name)")))
            #expect(try fault(whole) == nil, "\(name)")
            let content = name == "padded" ? whole.count - 512 : whole.count
            for at in [0, 2, content / 2, content - 5] {
                var bytes = whole
                bytes[at] ^= 0x55
                #expect(try fault(bytes) != nil, "\(name) changed at \(at)")
            }
            for length in [1, content / 2, content - 1] {
                #expect(try fault(Array(whole[..<length])) != nil, "\(name) cut at \(length)")
            }
        }
    }

    @Test func whatDoesNotHoldTogetherIsMalformed() throws {
        let plain = try #require(try archives()["plain"])
        let end = plain.count - 22
        let directory = Int(plain[end + 16]) | Int(plain[end + 17]) << 8 | Int(plain[end + 18]) << 16
        func changed(_ at: Int, _ byte: UInt8) -> [UInt8] {
            var bytes = plain
            bytes[at] = byte
            return bytes
        }
        // The count of entries, an entry's signature, its offset and its length.
        for bytes in [
            changed(end + 10, 9), changed(directory, 0), changed(directory + 44, 9),
            changed(directory + 23, 9),
        ] {
            guard case .damaged(.malformed, _) = try verdict(onZip: bytes) else {
                Issue.record("\(try verdict(onZip: bytes))")
                continue
            }
        }
        #expect(
            try verdict(onZip: Array("<html>Sign in</html>".utf8))
                == .damaged(.malformed, "it is no zip archive"))
        #expect(
            try verdict(onZip: [UInt8](repeating: 0, count: 9000))
                == .damaged(.truncated, "its end is missing: no central directory"))
    }

    /// Whatever bytes are put in, an answer comes and no fault.
    @Test func garbageEndsNothing() throws {
        var random = SeededGenerator(seed: 7)
        let whole = Array(try archives().sorted { $0.key < $1.key }.map(\.value))
        for round in 0..<1000 {
            var bytes = whole[round % whole.count]
            for _ in 0...Int.random(in: 0...4, using: &random) {
                let tail = max(0, bytes.count - 200)
                bytes[Int.random(in: (round % 2 == 0 ? 0 : tail)..<bytes.count, using: &random)] =
                    [0, 0xff, 0x7f, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random)
                    ?? 0
            }
            _ = try verdict(onZip: bytes)
            _ = PomText.verdict(on: bytes)
        }
    }

    private static let pom = """
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE project [ <!ENTITY x "a > b"> ]>
        <!-- <project> -->
        <project xmlns="http://maven.apache.org/POM/4.0.0" name='a>b'>
          <groupId>g</groupId><empty/><![CDATA[ </project> ]]>
          <build><plugins ></plugins></build>
        </project >
        <!-- the end -->

        """

    @Test func everyTruncatedPomShows() throws {
        let text = Array(Self.pom.utf8)
        #expect(PomText.verdict(on: text) == .intact)
        let end = try #require(Self.pom.range(of: "</project >\n<!--"))
        let whole = Self.pom.utf8.distance(from: Self.pom.startIndex, to: end.lowerBound) + 11
        for length in 0..<whole {
            guard case .damaged(.truncated, _) = PomText.verdict(on: Array(text[..<length])) else {
                Issue.record("cut at \(length): \(PomText.verdict(on: Array(text[..<length])))")
                continue
            }
        }
    }

    @Test(arguments: [
        "<html><head></head></html>", "<project><a></b></project>", "<project></project><project/>",
        "<project></project>x", "plain text", "<project></project>\u{0}\u{0}", "<project>\u{0}</project>",
        "</project>", "<project>a < b</project>",
    ])
    func whatIsNoPomIsMalformed(text: String) {
        guard case .damaged(.malformed, _) = PomText.verdict(on: Array(text.utf8)) else {
            Issue.record("\(PomText.verdict(on: Array(text.utf8)))")
            return
        }
    }

    /// Every archive and pom of Debian's Maven repository, held against Python's own judgement.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/share/maven-repo")))
    func realFilesAreJudgedAsPythonDoes() throws {
        let list = try run(
            "/usr/bin/python3", "-c",
            """
            import os, xml.parsers.expat, zipfile
            seen = set()
            for top, _, files in os.walk("/usr/share/maven-repo"):
                for name in files:
                    path = os.path.realpath(os.path.join(top, name))
                    if path in seen or not os.path.isfile(path): continue
                    seen.add(path)
                    if path.endswith(".jar"): whole = zipfile.is_zipfile(path) and zipfile.ZipFile(path) is not None
                    elif path.endswith(".pom"):
                        try: xml.parsers.expat.ParserCreate().Parse(open(path, "rb").read(), True); whole = True
                        except xml.parsers.expat.ExpatError: whole = False
                    else: continue
                    print(int(whole), path)
            """
        ).checked().output.split(separator: "\n")
        var jars = 0
        for line in list {
            let path = String(line.dropFirst(2))
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            let isJar = path.hasSuffix(".jar")
            if isJar { jars += 1 }
            let found = isJar ? try verdict(onZip: bytes) : PomText.verdict(on: bytes)
            #expect((found == .intact) == (line.first == "1"), "\(path): \(found)")
        }
        #expect(jars > 20)
        #expect(list.count - jars > 20)
    }
}
