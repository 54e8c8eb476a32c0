import CacheModel
import Crypto

/// A checksum that a file should have, as a repository or Gradle's directory names give it.
struct Checksum: Equatable {
    /// How it was taken.
    enum Algorithm: String, CaseIterable {
        /// In the order of strength: of several the first is held against the file.
        case sha512, sha256, sha1, md5

        /// Its length in hexadecimal digits.
        var digits: Int {
            switch self {
            case .sha512: 128
            case .sha256: 64
            case .sha1: 40
            case .md5: 32
            }
        }

        /// Its name for people.
        var name: String {
            switch self {
            case .sha512: "SHA-512"
            case .sha256: "SHA-256"
            case .sha1: "SHA-1"
            case .md5: "MD5"
            }
        }
    }

    /// How it was taken.
    var algorithm: Algorithm
    /// The digits, in lower case.
    var digits: String

    /// Reads the text of a checksum file.
    ///
    /// Repositories write the bare digits, `digits  file` (sha1sum), `SHA1(file)= digits` (openssl) or
    /// `file: digits` (gpg --print-md), in either case, with or without a last newline; the first word that has
    /// the right length is taken (apache/maven-resolver 1.9 `ChecksumUtils.read` takes the first word of the
    /// first line, or the last after a `= `). Nil where there is none.
    init?(_ text: [UInt8], algorithm: Algorithm) {
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

    private static func isChecksum(_ word: ArraySlice<UInt8>, _ algorithm: Algorithm) -> Bool {
        word.count == algorithm.digits && word.allSatisfy(isDigit)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...102).contains(byte) || (65...70).contains(byte)
    }
}

/// Takes a checksum piece by piece.
protocol ChecksumTaking {
    mutating func update(_ bytes: UnsafeRawBufferPointer)
    func digits() -> String
}

extension Checksum.Algorithm {
    /// Begins to take one.
    func begin() -> any ChecksumTaking {
        switch self {
        case .sha512: Taking(function: SHA512())
        case .sha256: Taking(function: SHA256())
        case .sha1: Taking(function: Insecure.SHA1())
        case .md5: Taking(function: Insecure.MD5())
        }
    }
}

private struct Taking<Function: HashFunction>: ChecksumTaking {
    var function: Function

    mutating func update(_ bytes: UnsafeRawBufferPointer) { function.update(bufferPointer: bytes) }

    func digits() -> String {
        let alphabet = Array("0123456789abcdef".utf8)
        let digits = function.finalize().flatMap { [alphabet[Int($0 >> 4)], alphabet[Int($0 & 15)]] }
        return String(decoding: digits, as: UTF8.self)
    }
}
