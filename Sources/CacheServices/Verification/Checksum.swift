import CacheModel
import Digests

/// A checksum that a file should have, as a repository or Gradle's directory names give it.
struct Checksum: Equatable {
    /// How it was taken.
    var algorithm: DigestFunction
    /// The digits, in lower case.
    var digits: String

    /// Reads the text of a checksum file.
    ///
    /// Repositories write the bare digits, `digits  file` (sha1sum), `SHA1(file)= digits` (openssl) or
    /// `file: digits` (gpg --print-md), in either case, with or without a last newline; the first word that has
    /// the right length is taken (apache/maven-resolver 1.9 `ChecksumUtils.read` takes the first word of the
    /// first line, or the last after a `= `). Nil where there is none.
    init?(_ text: [UInt8], algorithm: DigestFunction) {
        let words = text.split { $0 <= 32 || $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: "*") }
        guard let word = words.prefix(64).first(where: { Self.isChecksum($0, algorithm) }) else { return nil }
        self.algorithm = algorithm
        digits = String(decoding: word, as: UTF8.self).lowercased()
    }

    /// Reads the name of the directory that Gradle keeps a file in: its SHA-1 without leading zeros.
    ///
    /// gradle/gradle `GroupedAndNamedUniqueFileStore`, `BigInteger.toString(16)`. Nil for another name.
    init?(gradleDirectory name: some Collection<UInt8>) {
        guard (1...40).contains(name.count), name.allSatisfy(Self.isDigit) else { return nil }
        algorithm = .sha1
        let zeros = String(repeating: "0", count: 40 - name.count)
        digits = zeros + String(decoding: name, as: UTF8.self).lowercased()
    }

    private static func isChecksum(_ word: ArraySlice<UInt8>, _ algorithm: DigestFunction) -> Bool {
        word.count == 2 * algorithm.byteCount && word.allSatisfy(isDigit)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...102).contains(byte) || (65...70).contains(byte)
    }
}
