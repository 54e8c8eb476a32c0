import CacheModel

// A bare number is a number of bytes. Whoever writes `limit: 20` or `high: 85` means something else, and a
// quota of 20 bytes would evict all there is: bare numbers below a mebibyte are refused.
private let leastBareNumber: Int64 = 1_048_576

private func size(_ text: String) -> ByteCount? {
    guard let size = ByteCount(quantity: text), size > .zero else { return nil }
    let isBare = text.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: ".") }
    return isBare && (size.bytes < leastBareNumber || text.contains(".")) ? nil : size
}

extension ValueFormat<ByteCount?> {
    /// The limit of a volume; nil stands for the file system's capacity.
    static var volumeLimit: Self {
        Self(
            accepted: "`capacity`, or a quantity such as 20Gi, 500M or 21474836480 (bytes, from 1048576 up)",
            read: { $0 == "capacity" ? .some(nil) : size($0).map { .some($0) } },
            guess: { ByteCount.meant(by: $0) })
    }

    /// The limit of a pool; nil stands for no quota of its own.
    static var poolLimit: Self {
        Self(
            accepted: "`none`, or a quantity such as 20Gi, 500M or 21474836480 (bytes, from 1048576 up)",
            read: { $0 == "none" ? .some(nil) : size($0).map { .some($0) } },
            guess: { ByteCount.meant(by: $0) })
    }
}

extension ValueFormat<Watermark> {
    /// A level within a limit.
    static var watermark: Self {
        Self(
            accepted: "a percentage from 0% to 100% such as 85% or 82.5%, or a quantity such as 18Gi",
            read: { percentage($0) ?? size($0).map { .size($0) } },
            guess: { guessPercentage($0) ?? ByteCount.meant(by: $0) })
    }

    /// A part of a whole, above zero.
    static var share: Self {
        Self(
            accepted: "a percentage above 0% and up to 100%, such as 50%",
            read: { percentage($0).flatMap { $0 == .share(basisPoints: 0) ? nil : $0 } },
            guess: guessPercentage)
    }
}

private func percentage(_ text: String) -> Watermark? {
    let isPlain = text.utf8.dropLast().allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: ".") }
    return text.hasSuffix("%") && isPlain ? Watermark(text) : nil
}

@Sendable private func guessPercentage(_ text: String) -> String? {
    let digits = text.filter { $0 != " " && $0 != "%" }
    guard let number = Double(digits), number > 0, number <= 100 else { return nil }
    let percent = number < 1 && !text.contains("%") ? "\(Int((number * 100).rounded()))%" : digits + "%"
    return percentage(percent) == nil ? nil : "`\(percent)`"
}
