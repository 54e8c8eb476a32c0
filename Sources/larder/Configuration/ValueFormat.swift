import CacheModel
import CacheServices
import Logging

/// How one kind of value is written, the same in the file, in the environment and as a flag.
struct ValueFormat<Value: Sendable>: Sendable {
    /// What is accepted, for a message that refuses something else.
    var accepted: String
    /// Reads a value; nil for anything else.
    var read: @Sendable (String) -> Value?
    /// What somebody who wrote this probably meant; nil where that is anyone's guess.
    var guess: @Sendable (String) -> String? = { _ in nil }

    /// What is wrong with a text, where more can be said than that it was refused.
    var flaw: @Sendable (String) -> String? = { _ in nil }

    /// Why a text was refused: what was found, what is accepted, what was probably meant.
    func refusal(of text: String) -> String { "found \"\(quotable(text))\"; \(advice(on: text))" }

    /// What is wrong with a text, what is accepted, and what was probably meant.
    func advice(on text: String) -> String {
        let wrong = flaw(text).map { "\($0); " } ?? ""
        let meant = guess(text).map { "; did you mean \($0)?" } ?? ""
        return "\(wrong)accepted: \(accepted)\(meant)"
    }
}

extension ValueFormat where Value: CaseIterable & RawRepresentable<String> {
    /// One of some words.
    static var word: Self {
        let words = Value.allCases.map(\.rawValue)
        return Self(
            accepted: words.joined(separator: ", "), read: { Value(rawValue: $0) },
            guess: { nearest($0, among: words).map { "`\($0)`" } })
    }
}

extension ValueFormat<Span> {
    /// A length of time, zero included.
    static var span: Self {
        Self(
            accepted: Span.accepted, read: { Span($0) }, guess: { Span.meant(by: $0) })
    }

    /// A length of time above zero.
    static var positiveSpan: Self {
        Self(
            accepted: "a duration above zero, such as 30s, 1h30m or 14d (units w, d, h, m, s)",
            read: { Span($0).flatMap { $0 > .zero ? $0 : nil } }, guess: { Span.meant(by: $0) })
    }
}

extension ValueFormat<Int> {
    /// A number of entries.
    static var count: Self {
        Self(
            accepted: "a whole number from 1 to 10000000",
            read: { text in
                guard text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
                return Int(text).flatMap { (1...10_000_000).contains($0) ? $0 : nil }
            })
    }
}

extension ValueFormat<String> {
    /// The name of a volume.
    static var volumeName: Self {
        Self(
            accepted: "1 to 40 of the characters a-z, 0-9 and -",
            read: { text in
                let isPlain = text.utf8.allSatisfy {
                    (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-")
                }
                return isPlain && (1...40).contains(text.utf8.count) ? text : nil
            })
    }

    /// The path of a directory; doubled and trailing slashes are dropped.
    static var path: Self {
        Self(
            accepted: "an absolute path without `..`, such as /cache", read: normalised)
    }

    /// What the URL of a Podman socket begins with.
    static var socketScheme: String { "unix://" }

    /// The URL of a Unix socket.
    ///
    /// 107 bytes is what `sun_path` holds (`sys/un.h` of Linux).
    static var socket: Self {
        Self(
            accepted: "unix:// and an absolute path of at most 107 bytes, such as "
                + Configuration.deployedSocket,
            read: { text in
                guard text.hasPrefix(socketScheme), !text.hasSuffix("/"),
                    let path = normalised(String(text.dropFirst(socketScheme.count))), path.utf8.count <= 107
                else { return nil }
                return socketScheme + path
            },
            guess: { $0.hasPrefix("/") ? normalised($0).map { "`unix://\(quotable($0))`" } : nil })
    }

    @Sendable private static func normalised(_ text: String) -> String? {
        guard text.hasPrefix("/"), text.utf8.count < 4096,
            !text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
        else { return nil }
        let components = text.split(separator: "/").filter { $0 != "." }
        return components.contains("..") ? nil : "/" + components.joined(separator: "/")
    }
}

extension ValueFormat<String?> {
    /// A storage driver whose stores Larder reads, or `none` to find out.
    static var storageDriver: Self {
        Self(
            accepted: "vfs, overlay, none",
            read: { text in
                switch text {
                case "none": .some(nil)
                case "vfs", "overlay": .some(text)
                default: nil
                }
            })
    }
}
