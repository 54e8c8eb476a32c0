extension ValueFormat<String?> {
    /// The value of a label of metrics, or none.
    static var labelOrNone: Self {
        Self(
            accepted: "1 to 253 of the characters A-Z, a-z, 0-9, `.`, `_` and -, or none",
            read: { text in
                if text == "none" { return .some(nil) }
                let isLabel = (1...253).contains(text.utf8.count) && text.utf8.allSatisfy(isLabelByte)
                return isLabel ? .some(text) : nil
            })
    }

    @Sendable private static func isLabelByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
