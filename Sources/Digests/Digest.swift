import CNettle

/// The functions by which files, images and locks are named and checked.
package enum DigestFunction: String, Sendable, CaseIterable {
    /// In the order of strength.
    case sha512, sha256, sha1, md5

    /// How many bytes a digest has.
    package var byteCount: Int {
        switch self {
        case .sha512: 64
        case .sha256: 32
        case .sha1: 20
        case .md5: 16
        }
    }

    /// Its name for people.
    package var name: String {
        switch self {
        case .sha512: "SHA-512"
        case .sha256: "SHA-256"
        case .sha1: "SHA-1"
        case .md5: "MD5"
        }
    }

    /// The digest of bytes that are at hand.
    package func digest(of bytes: some Collection<UInt8>) -> [UInt8] {
        var digest = Digest(self)
        digest.update(bytes)
        return digest.bytes
    }

    /// The same in lower-case hexadecimal digits.
    package func hex(of bytes: some Collection<UInt8>) -> String { digest(of: bytes).hex }
}

/// A digest that is taken piece by piece (Nettle's); a copy goes on by itself.
package struct Digest {
    private enum State {
        case sha512(sha512_ctx)
        case sha256(sha256_ctx)
        case sha1(sha1_ctx)
        case md5(md5_ctx)
    }

    private var state: State

    /// Begins to take one.
    package init(_ function: DigestFunction) {
        switch function {
        case .sha512:
            var context = sha512_ctx()
            nettle_sha512_init(&context)
            state = .sha512(context)
        case .sha256:
            var context = sha256_ctx()
            nettle_sha256_init(&context)
            state = .sha256(context)
        case .sha1:
            var context = sha1_ctx()
            nettle_sha1_init(&context)
            state = .sha1(context)
        case .md5:
            var context = md5_ctx()
            nettle_md5_init(&context)
            state = .md5(context)
        }
    }

    /// Takes further bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let base = bytes.bindMemory(to: UInt8.self).baseAddress
        switch state {
        case .sha512(var context):
            nettle_sha512_update(&context, bytes.count, base)
            state = .sha512(context)
        case .sha256(var context):
            nettle_sha256_update(&context, bytes.count, base)
            state = .sha256(context)
        case .sha1(var context):
            nettle_sha1_update(&context, bytes.count, base)
            state = .sha1(context)
        case .md5(var context):
            nettle_md5_update(&context, bytes.count, base)
            state = .md5(context)
        }
    }

    /// Takes further bytes.
    package mutating func update(_ bytes: some Collection<UInt8>) {
        let isTaken: Void? = bytes.withContiguousStorageIfAvailable { update(UnsafeRawBufferPointer($0)) }
        if isTaken == nil { Array(bytes).withUnsafeBytes { update($0) } }
    }

    /// The digest of what was taken until now; more can follow.
    package var bytes: [UInt8] {
        switch state {
        case .sha512(var context): Self.filled(64) { nettle_sha512_digest(&context, $0, $1) }
        case .sha256(var context): Self.filled(32) { nettle_sha256_digest(&context, $0, $1) }
        case .sha1(var context): Self.filled(20) { nettle_sha1_digest(&context, $0, $1) }
        case .md5(var context): Self.filled(16) { nettle_md5_digest(&context, $0, $1) }
        }
    }

    /// The same in lower-case hexadecimal digits.
    package var hex: String { bytes.hex }

    private static func filled(_ count: Int, by write: (Int, UnsafeMutablePointer<UInt8>?) -> Void) -> [UInt8]
    {
        [UInt8](unsafeUninitializedCapacity: count) { space, filled in
            write(count, space.baseAddress)
            filled = count
        }
    }
}

extension Sequence<UInt8> {
    /// Two lower-case hexadecimal digits for each byte.
    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
