/// A number of bytes.
///
/// Sizes are read as Kubernetes quantities (`20Gi`, `500M`, `1048576`) and written for people with binary
/// units and one decimal (`1.5 GiB`). JSON carries the bare integer.
package struct ByteCount: Hashable, Sendable, Comparable, AdditiveArithmetic {
    /// The number of bytes.
    ///
    /// Negative only as a difference of two sizes.
    package var bytes: Int64

    /// Makes a size of that many bytes.
    package init(_ bytes: Int64) { self.bytes = bytes }

    /// No bytes.
    package static let zero = ByteCount(0)

    /// The sum, pinned at the largest value rather than overflowing.
    package static func + (a: ByteCount, b: ByteCount) -> ByteCount {
        let (sum, overflow) = a.bytes.addingReportingOverflow(b.bytes)
        return ByteCount(overflow ? (a.bytes > 0 ? .max : .min) : sum)
    }

    /// The difference, pinned at the largest value rather than overflowing.
    package static func - (a: ByteCount, b: ByteCount) -> ByteCount {
        let (difference, overflow) = a.bytes.subtractingReportingOverflow(b.bytes)
        return ByteCount(overflow ? (a.bytes > 0 ? .max : .min) : difference)
    }

    /// Whether the first size is the smaller one.
    package static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }

    private static let units: [(suffix: String, factor: Double)] = [
        ("Ki", 1024), ("Mi", 1_048_576), ("Gi", 1_073_741_824), ("Ti", 1_099_511_627_776),
        ("Pi", 1_125_899_906_842_624), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12), ("P", 1e15), ("", 1),
    ]

    /// Reads a Kubernetes quantity: decimal digits with an optional fraction, and a suffix or none.
    ///
    /// The suffixes are `Ki Mi Gi Ti Pi k M G T P`. Returns nil for anything else, for a negative size and for
    /// one over 8 EiB.
    package init?(quantity text: String) {
        guard let unit = Self.units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        let digits = text.dropLast(unit.suffix.count)
        guard let first = digits.first, first.isASCII, first.isNumber, digits.last != ".",
            digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
            let number = Double(String(digits))
        else { return nil }
        let size = (number * unit.factor).rounded()
        guard size < 9.2e18 else { return nil }
        self.init(Int64(size))
    }

    /// The size as the shortest exact Kubernetes quantity: `40Gi`, `1536Mi`, `50G`, `1000`.
    package var quantity: String {
        let (binary, decimal) = (binaryQuantity, decimalQuantity)
        return decimal.map { $0.count < binary.count ? $0 : binary } ?? binary
    }

    /// As somebody claims it, where that is so: `50G`, and nil for what a file system leaves of a claim.
    package var claim: String? { bytes % 1_048_576 == 0 || decimalQuantity != nil ? quantity : nil }

    private var decimalQuantity: String? {
        for (suffix, unit) in [
            ("P", Int64(1_000_000_000_000_000)), ("T", 1_000_000_000_000), ("G", 1_000_000_000),
            ("M", 1_000_000),
        ] where bytes != 0 && bytes % unit == 0 {
            return "\(bytes / unit)\(suffix)"
        }
        return nil
    }

    private var binaryQuantity: String {
        for (suffix, shift) in [("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)] {
            let unit = Int64(1) << shift
            if bytes != 0, bytes % unit == 0 { return "\(bytes / unit)\(suffix)" }
        }
        return "\(bytes)"
    }
}

extension ByteCount: CustomStringConvertible {
    /// The size for people, rounded to the nearest: `0 B`, `512 B`, `9.5 KiB`, `128 MiB`, `1.5 GiB`.
    package var description: String {
        if bytes < 0 { return "-" + ByteCount(bytes == .min ? .max : -bytes).description }
        if bytes < 1024 { return "\(bytes) B" }
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB"]
        for (place, name) in units.enumerated() {
            let unit = Int64(1) << (10 * (place + 1))
            let (whole, rest) = (bytes / unit, bytes % unit)
            let tenths = whole * 10 + (rest * 10 + unit / 2) / unit
            if tenths < 1000 { return "\(tenths / 10).\(tenths % 10) \(name)" }
            let rounded = whole + (rest >= unit / 2 ? 1 : 0)
            if rounded < 1024 || place == units.count - 1 { return "\(rounded) \(name)" }
        }
        return "\(bytes) B"
    }
}

extension ByteCount: Codable {
    /// Reads a bare integer.
    package init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(Int64.self))
    }

    /// Writes a bare integer.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}
