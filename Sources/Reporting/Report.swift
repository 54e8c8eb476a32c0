import CacheModel

/// The width of what is no terminal: nothing is wrapped, and no list is cut.
package let unboundedWidth = Int.max

/// A document that a command answers with: for people as text, for scripts as JSON.
package protocol Report: Sendable {
    /// The text, with a trailing newline. No line is wider than `width` columns, which is at least 40, and nothing is
    /// shortened: what does not fit goes on in the next line. With `unboundedWidth` each line and each list is whole.
    /// `color` adds terminal colours, which take no columns. Ages count up to `now`.
    func text(width: Int, color: Bool, now: Timestamp) -> String

    /// One JSON object with a trailing newline, its keys in the contract's order. Throws where a number is not
    /// finite.
    func json() throws -> String
}

/// A volume that a command passed over, and why.
package struct SkippedVolume: Sendable, Hashable {
    /// Its name.
    package var name: String
    /// Its absolute path.
    package var path: String
    /// Why: `not mounted`, `another Larder holds it`.
    package var reason: String

    /// Makes a record from its three texts.
    package init(name: String, path: String, reason: String) {
        self.name = name
        self.path = path
        self.reason = reason
    }
}

extension SkippedVolume {
    var jsonValue: JSONValue {
        ["name": .text(name), "path": .text(path), "reason": .text(reason)]
    }
}

extension TextPage {
    /// Names the volumes that were passed over.
    mutating func skipped(_ volumes: [SkippedVolume]) {
        guard !volumes.isEmpty else { return }
        blank()
        for volume in volumes {
            paragraph("Skipped \(volume.name) (\(volume.path)): \(volume.reason)", tone: .warning)
        }
    }
}
