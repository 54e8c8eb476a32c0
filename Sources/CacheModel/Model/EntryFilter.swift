/// How a list of entries is sorted.
///
/// Ties are broken the same everywhere: by size, the larger first, then by key, volume and path, each by its bytes.
package enum EntryOrder: String, Sendable, Hashable, CaseIterable {
    /// By last use, the least recent first: those that a prune takes first.
    case used
    /// By size, the largest first.
    case bytes
    /// By key.
    case key
    /// By what their removal would free, the most first: an image's own layers, of other entries all they occupy.
    case frees

    /// Whether an entry stands before another one.
    package func precedes(
        _ one: CacheEntry, on volume: String, _ other: CacheEntry, on otherVolume: String
    ) -> Bool {
        if self == .used, one.lastUsed != other.lastUsed { return one.lastUsed < other.lastUsed }
        if self == .frees, one.removalFrees != other.removalFrees {
            return one.removalFrees > other.removalFrees
        }
        if self != .key, one.bytes != other.bytes { return one.bytes > other.bytes }
        if one.key != other.key { return one.key.utf8.lexicographicallyPrecedes(other.key.utf8) }
        if volume != otherVolume { return volume.utf8.lexicographicallyPrecedes(otherVolume.utf8) }
        return one.found.path.bytes.lexicographicallyPrecedes(other.found.path.bytes)
    }
}

/// Which entries a list shows: those that meet every condition.
///
/// A condition is written in one word, the same for `larder list --filter` and for `filter` of the API:
///
/// - `com.example:*`: the key, or a name of the image, matches the pattern; a text without `*` and `?` is looked for
///   anywhere in it. `key=` and `key!=` before a pattern say the same and the opposite.
/// - `age>30d`, `age<1h`: the time since the last use; `size>100Mi`, `size<=1Gi`: what it occupies.
/// - `pool=maven`, `pool!=images`.
/// - `protected`, `unprotected`: whether a prune would keep it whatever the quota says.
/// - `never-used`, `used`: whether a use was ever seen.
package struct EntryFilter: Sendable, Hashable {
    private enum Comparison: String, Sendable, Hashable {
        case atLeast = ">="
        case atMost = "<="
        case isNot = "!="
        case above = ">"
        case below = "<"
        case equal = "="

        /// The longer ones first, so that `>=` is not read as `>`.
        static let all: [Comparison] = [.atLeast, .atMost, .isNot, .above, .below, .equal]

        func holds<Value: Comparable>(_ a: Value, _ b: Value) -> Bool {
            switch self {
            case .atLeast: a >= b
            case .atMost: a <= b
            case .isNot: a != b
            case .above: a > b
            case .below: a < b
            case .equal: a == b
            }
        }
    }

    private enum Condition: Sendable, Hashable {
        case key(KeyPattern, isWanted: Bool)
        case pool(Pool, isWanted: Bool)
        case age(Comparison, Span)
        case size(Comparison, ByteCount)
        case isProtected(Bool)
        case isUsed(Bool)
    }

    /// Why a condition cannot be read.
    package struct Malformed: Error, Sendable, Hashable, CustomStringConvertible {
        /// The condition as it was given.
        package var text: String
        /// What is wrong with it, and what is accepted.
        package var description: String
    }

    /// What is accepted, for help and messages.
    package static let accepted =
        "a pattern such as 'com.example:*', age>30d, size>100Mi, pool=maven, protected, unprotected, never-used or used"

    private var conditions: [Condition] = []

    /// A filter that every entry passes.
    package init() {}

    /// Reads conditions.
    ///
    /// - Throws: `Malformed` for the first that cannot be read.
    package init(_ texts: [String]) throws(Malformed) {
        for text in texts { conditions.append(try Self.condition(text)) }
    }

    /// Whether every entry passes.
    package var isEmpty: Bool { conditions.isEmpty }

    /// Whether an entry meets every condition.
    ///
    /// - Parameters:
    ///   - entry: what is asked about.
    ///   - protection: why no prune would take it; nil where one could.
    ///   - now: what ages are counted from.
    package func admits(_ entry: CacheEntry, protection: Protection?, now: Timestamp) -> Bool {
        conditions.allSatisfy { condition in
            switch condition {
            case .key(let pattern, let isWanted):
                let names = [entry.key] + (entry.found.image?.names ?? [])
                return names.contains { pattern.matches($0) } == isWanted
            case .pool(let pool, let isWanted): return (entry.pool == pool) == isWanted
            case .age(let comparison, let span): return comparison.holds(now - entry.lastUsed, span)
            case .size(let comparison, let size): return comparison.holds(entry.bytes, size)
            case .isProtected(let wanted): return (protection != nil) == wanted
            case .isUsed(let wanted): return entry.isUsed == wanted
            }
        }
    }

    private static func condition(_ text: String) throws(Malformed) -> Condition {
        let text = trimmed(text[...])
        switch text {
        case "protected": return .isProtected(true)
        case "unprotected": return .isProtected(false)
        case "never-used": return .isUsed(false)
        case "used": return .isUsed(true)
        case "": throw refused(text, "empty")
        default: break
        }
        let letters = text.prefix { $0.isASCII && ($0.isLetter || $0 == "_" || $0 == "-") }
        let rest = text.dropFirst(letters.count).drop { $0 == " " }
        guard let comparison = Comparison.all.first(where: { rest.hasPrefix($0.rawValue) }) else {
            if let meant = nearest(text, among: ["protected", "unprotected", "never-used"]),
                !text.contains(":")
            {
                throw refused(text, "did you mean \(meant)?")
            }
            return .key(pattern(text), isWanted: true)
        }
        let value = trimmed(rest.dropFirst(comparison.rawValue.count))
        switch (letters, comparison) {
        case ("key", .equal), ("key", .isNot):
            guard !value.isEmpty else { throw refused(text, "a pattern is missing") }
            return .key(pattern(value), isWanted: comparison == .equal)
        case ("pool", .equal), ("pool", .isNot):
            guard let pool = Pool(rawValue: value) else {
                throw refused(text, "the pools are \(Pool.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return .pool(pool, isWanted: comparison == .equal)
        case ("age", _):
            guard let span = Span(value) else {
                throw refused(text, value, accepted: Span.accepted, meant: Span.meant(by: value))
            }
            return .age(comparison, span)
        case ("size", _):
            guard let size = ByteCount(quantity: value) else {
                throw refused(text, value, accepted: ByteCount.accepted, meant: ByteCount.meant(by: value))
            }
            return .size(comparison, size)
        default:
            guard letters.isEmpty else {
                let meant = nearest(String(letters), among: ["age", "size", "pool", "key"])
                    .map { "did you mean \($0)\(comparison.rawValue)\(value)?" }
                throw refused(text, meant ?? "nothing is called \(letters)")
            }
            return .key(pattern(text), isWanted: true)
        }
    }

    /// Without the spaces around it, as of `age > 6d`.
    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private static func pattern(_ text: String) -> KeyPattern {
        KeyPattern(text.contains("*") || text.contains("?") ? text : "*\(text)*")
    }

    /// One value that is refused, in the words that the configuration has for it.
    private static func refused(
        _ text: String, _ value: String, accepted: String, meant: String?
    ) -> Malformed {
        let meant = meant.map { "; did you mean \($0)?" } ?? ""
        return Malformed(
            text: text,
            description: "the filter \"\(escaped(text.utf8.prefix(80)))\": found "
                + "\"\(escaped(value.utf8.prefix(80)))\"; accepted: \(accepted)\(meant)")
    }

    private static func refused(_ text: String, _ problem: String) -> Malformed {
        Malformed(
            text: text,
            description: "the filter \"\(escaped(text.utf8.prefix(80)))\": \(problem); accepted: \(accepted)")
    }
}

extension CacheEntry {
    /// Whether a use was ever seen: one was recorded, or what shows uses is newer than the fetch by more than the job
    /// that fetched it would read it for.
    package var isUsed: Bool {
        switch evidence {
        case .firstSeen, .mtime: uses > 0
        case .atime, .gradleJournal, .podmanEvents, .jobLog: uses > 0 || lastUsed - found.fetched > .hours(1)
        }
    }

    /// What its removal would free by itself: an image's own layers, of other entries all they occupy.
    package var removalFrees: ByteCount { found.image?.exclusiveBytes ?? bytes }
}
