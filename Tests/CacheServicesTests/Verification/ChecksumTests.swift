import Digests
import Testing

@testable import CacheServices

/// What a checksum file may look like, and what is read from it.
@Suite struct ChecksumTests {
    private static let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

    @Test(arguments: [
        sha1, sha1 + "\n", sha1.uppercased(), "  \(sha1)\r\n", "\(sha1)  lib-1.0.jar\n",
        "\(sha1) *lib-1.0.jar",
        "SHA1(lib-1.0.jar)= \(sha1)\n", "lib-1.0.jar: \(sha1)", "\(sha1)\n\(sha1.reversed())\n",
    ])
    func theUsualFormsAreRead(text: String) throws {
        let checksum = try #require(Checksum(Array(text.utf8), algorithm: .sha1))
        #expect(checksum.digits == Self.sha1)
    }

    @Test(arguments: [
        "", "\n", "<html><body>Sign in</body></html>", String(sha1.dropLast()), sha1 + "0",
        "g" + sha1.dropFirst(),
        String(repeating: "\u{0}", count: 40), "404 Not Found",
    ])
    func nonsenseIsNone(text: String) {
        #expect(Checksum(Array(text.utf8), algorithm: .sha1) == nil)
    }

    /// Gradle strips the leading zeros of the SHA-1 it names a directory by.
    @Test func gradlesNamesGetTheirZerosBack() throws {
        #expect(
            Checksum(gradleDirectory: Array("5c".utf8))?.digits == String(repeating: "0", count: 38) + "5c")
        #expect(Checksum(gradleDirectory: Array(Self.sha1.utf8))?.digits == Self.sha1)
        for name in ["", "xyz", Self.sha1 + "0", "1.0", ".."] {
            #expect(Checksum(gradleDirectory: Array(name.utf8)) == nil, "\(name)")
        }
    }

    @Test(arguments: zip(DigestFunction.allCases, ["sha512sum", "sha256sum", "sha1sum", "md5sum"]))
    func digestsAreThoseOfCoreutils(algorithm: DigestFunction, program: String) throws {
        let bench = try VerificationFixture()
        try bench.directory.shell("head -c 3000001 /dev/urandom > file")
        let expected = try bench.directory.shell("\(program) file | cut -d' ' -f1").dropLast()
        #expect(try bench.digits(of: "file", algorithm) == expected)
    }
}
