import CacheModel

/// The entries that were used on one day, packed: about seven bytes for each.
///
/// A row for each use of a year would fill the state volume, and what is needed of one that is long past is the
/// day, the order of last uses and the size. For each entry, in the order of ids: the distance from the id before
/// (a variable-length integer, seven bits to a byte, the lowest first, as in Protocol Buffers); a byte with the
/// pool's code in its lowest three bits, where 7 stands for a code that follows, then a bit for misses, one for regret, and the number of hits in the
/// highest three, where 7 stands for a number that follows; the minute of the day of the last use in two bytes,
/// the lower first; the size in blocks of 512 bytes, rounded up; and where there were misses, how many and what
/// they fetched, in such blocks.
struct UseDay {
    /// What is known of an entry on that day.
    struct Use: Equatable {
        var entry: Int64
        var pool: Pool
        var hits: Int64
        var misses: Int64
        var isRegret: Bool
        /// The last use, in minutes from the beginning of the day.
        var minute: Int64
        var size: ByteCount
        /// What the misses fetched.
        var fetched: ByteCount

        /// The same with another part of the same day.
        mutating func add(_ other: Use) {
            hits += other.hits
            misses += other.misses
            isRegret = isRegret || other.isRegret
            fetched = fetched + other.fetched
            if other.minute >= minute { (minute, size) = (other.minute, other.size) }
        }
    }

    private static let block: Int64 = 512
    private static let many: Int64 = 7
    /// Stands in the lowest bits for a pool whose code follows.
    private static let otherPool: Int64 = 7

    /// Packs uses that are in the order of their entries.
    static func packed(_ uses: [Use]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(uses.count * 8)
        func number(_ value: Int64) {
            var rest = UInt64(bitPattern: max(0, value))
            while rest >= 0x80 {
                bytes.append(UInt8(rest & 0x7f) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        func blocks(_ size: ByteCount) {
            let size = max(0, size.bytes)
            number(size / block + (size % block > 0 ? 1 : 0))
        }
        var last: Int64 = 0
        for use in uses {
            number(use.entry - last)
            last = use.entry
            var head = UInt8(min(use.pool.code, otherPool))
            if use.misses > 0 { head |= 8 }
            if use.isRegret { head |= 16 }
            head |= UInt8(min(max(0, use.hits), many)) << 5
            bytes.append(head)
            if use.pool.code >= otherPool { number(use.pool.code) }
            if use.hits >= many { number(use.hits) }
            let minute = UInt16(min(max(0, use.minute), 1439))
            bytes += [UInt8(minute & 0xff), UInt8(minute >> 8)]
            blocks(use.size)
            if use.misses > 0 {
                number(use.misses)
                blocks(use.fetched)
            }
        }
        return bytes
    }

    /// Unpacks them.
    ///
    /// - Throws: `UnreadableRow` where no Larder wrote that.
    static func unpacked(_ bytes: [UInt8]) throws -> [Use] {
        var place = 0
        func byte() throws -> UInt8 {
            guard place < bytes.count else { throw UnreadableRow(what: "a day of uses ends too early") }
            place += 1
            return bytes[place - 1]
        }
        func number() throws -> Int64 {
            var (value, shift): (UInt64, UInt64) = (0, 0)
            while true {
                let next = try byte()
                guard shift < 63 else { throw UnreadableRow(what: "a day of uses has too large a number") }
                value |= UInt64(next & 0x7f) << shift
                if next & 0x80 == 0 { return Int64(bitPattern: value & UInt64(Int64.max)) }
                shift += 7
            }
        }
        func blocks() throws -> ByteCount {
            ByteCount(try number().multipliedReportingOverflow(by: block).partialValue)
        }
        var uses: [Use] = []
        var last: Int64 = 0
        while place < bytes.count {
            last = last &+ (try number())
            let head = try byte()
            var code = Int64(head & 7)
            if code == otherPool { code = try number() }
            let pool = try Pool(code: code)
            var hits = Int64(head >> 5)
            if hits == many { hits = try number() }
            let minute = Int64(try byte()) | Int64(try byte()) << 8
            let size = try blocks()
            let isMissed = head & 8 != 0
            uses.append(
                Use(
                    entry: last, pool: pool, hits: hits,
                    misses: isMissed ? try number() : 0, isRegret: head & 16 != 0, minute: minute, size: size,
                    fetched: isMissed ? try blocks() : .zero))
        }
        return uses
    }
}
