/// The hash FNV-1a of 64 bits (Fowler, Noll, Vo): the same for the same bytes in every process.
package struct FNV1a: Sendable {
    /// The hash of what was added until now.
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Begins with nothing.
    package init() {}

    /// Adds one byte.
    package mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }

    /// The hash of some bytes.
    package static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash = FNV1a()
        for byte in bytes { hash.add(byte) }
        return hash.value
    }
}
