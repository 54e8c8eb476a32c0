import CZlib
import CacheModel

/// Reads compressed content to its end and holds it against the length and the CRC-32 that are written down for it.
///
/// zlib does the unpacking, in pieces, so that what a file claims to unpack to takes no memory.
struct ContentCheck {
    /// What content is held against.
    struct Expected {
        /// The CRC-32 of the unpacked bytes.
        var checksum: UInt32
        /// How many unpacked bytes there are.
        var length: Int64
    }

    /// How packed bytes are unpacked.
    enum Packing {
        /// As they are.
        case stored
        /// DEFLATE without a frame (RFC 1951), as in zip archives.
        case deflated
        /// Gzip members one after the other (RFC 1952), with checksum and length of their own.
        case gzip
    }

    private static let piece = 1 << 16

    /// How much the content of one file may unpack to: more than what any tool packs does, and no more than two seconds
    /// of a processor for what a few bytes claim.
    final class Allowance {
        private(set) var left: Int64
        /// All of it.
        let all: ByteCount

        /// Makes the allowance of a file of so many bytes.
        init(fileSize: Int64) {
            left = (Int64(512) << 20).addingPinned(fileSize.multipliedPinned(by: 8))
            all = ByteCount(left)
        }

        fileprivate func use(_ count: Int) { left -= Int64(count) }
    }

    /// More was unpacked than may be.
    struct BeyondAllowance: Error {}

    /// Reads packed bytes: those at an offset, as many, fewer at the file's end only; nil where the time is over.
    let read: (_ offset: Int64, _ count: Int) throws -> [UInt8]?
    /// How much may be unpacked; it is used up.
    let allowance: Allowance

    init(_ allowance: Allowance, read: @escaping (_ offset: Int64, _ count: Int) throws -> [UInt8]?) {
        self.allowance = allowance
        self.read = read
    }

    /// What is wrong with the packed bytes in that range of the file; nil where nothing is.
    ///
    /// Throws what `read` throws, `Unfinished` where the time is over, and `BeyondAllowance`.
    func fault(
        in range: Range<Int64>, _ packing: Packing, expected: Expected?
    ) throws -> String? {
        switch packing {
        case .stored:
            var sum = crc32(0, nil, 0)
            var at = range.lowerBound
            while at < range.upperBound {
                let bytes = try piece(at, range)
                if bytes.isEmpty { return "it ends too early" }
                sum = crc32(sum, bytes, UInt32(bytes.count))
                at += Int64(bytes.count)
            }
            return Self.difference(UInt32(truncatingIfNeeded: sum), Int64(range.count), expected)
        case .deflated, .gzip: return try unpack(range, packing, expected)
        }
    }

    /// The time is over before all is read.
    struct Unfinished: Error {}

    private func piece(_ at: Int64, _ range: Range<Int64>) throws -> [UInt8] {
        guard let bytes = try read(at, Int(min(Int64(Self.piece), range.upperBound - at))) else {
            throw Unfinished()
        }
        return bytes
    }

    private func unpack(_ range: Range<Int64>, _ packing: Packing, _ expected: Expected?) throws -> String? {
        var stream = z_stream()
        // Negative: no frame. 16 more: a gzip frame (zlib.h, inflateInit2).
        let window = packing == .gzip ? MAX_WBITS + 16 : -MAX_WBITS
        guard
            inflateInit2_(&stream, window, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw Unfinished() }
        defer { inflateEnd(&stream) }
        var output = [UInt8](repeating: 0, count: Self.piece)
        var sum = crc32(0, nil, 0)
        var length: Int64 = 0
        var at = range.lowerBound
        var state = Z_OK
        while at < range.upperBound {
            var input = try piece(at, range)
            if input.isEmpty { return "it ends too early" }
            at += Int64(input.count)
            let problem = input.withUnsafeMutableBufferPointer { input -> String? in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                while stream.avail_in > 0 {
                    if state == Z_STREAM_END {
                        // What follows a gzip member is another one, or padding of zeros, as tar leaves it.
                        guard packing == .gzip, stream.next_in?.pointee != 0 else { return nil }
                        inflateReset(&stream)
                    }
                    repeat {
                        state = output.withUnsafeMutableBufferPointer { output in
                            stream.next_out = output.baseAddress
                            stream.avail_out = UInt32(output.count)
                            return inflate(&stream, Z_NO_FLUSH)
                        }
                        guard state == Z_OK || state == Z_STREAM_END || state == Z_BUF_ERROR else {
                            return stream.msg.map { String(cString: $0) } ?? "it cannot be unpacked"
                        }
                        let count = output.count - Int(stream.avail_out)
                        sum = crc32(sum, output, UInt32(count))
                        length += Int64(count)
                        allowance.use(count)
                        if allowance.left < 0 { return nil }
                        if let expected, length > expected.length {
                            return "it unpacks to more than it should"
                        }
                    } while state == Z_OK && stream.avail_out == 0
                    if state == Z_BUF_ERROR, stream.avail_in > 0 { return "it cannot be unpacked" }
                }
                return nil
            }
            if let problem { return problem }
            if allowance.left < 0 { throw BeyondAllowance() }
        }
        guard state == Z_STREAM_END else { return "it ends too early" }
        return Self.difference(UInt32(truncatingIfNeeded: sum), length, expected)
    }

    private static func difference(_ sum: UInt32, _ length: Int64, _ expected: Expected?) -> String? {
        guard let expected else { return nil }
        if length != expected.length { return "it unpacks to \(length) bytes, not \(expected.length)" }
        return sum == expected.checksum ? nil : "its CRC-32 is not the one written down"
    }
}
