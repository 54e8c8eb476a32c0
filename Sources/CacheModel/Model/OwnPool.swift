/// A pool of the user's own: what lies at paths of the configuration, by units.
package struct OwnPool: Sendable, Hashable {
    /// What one entry is.
    package enum Unit: Sendable, Hashable {
        /// Each regular file that the pattern matches, or that lies below a directory that it matches.
        case file
        /// Each directory so many levels below one that the pattern matches; 0 is that one itself.
        case directory(depth: Int)
    }

    /// A pattern with its unit.
    package struct Rule: Sendable, Hashable {
        /// The pattern.
        package var pattern: PathPattern
        /// What one entry is.
        package var unit: Unit

        /// Makes a rule from both.
        package init(_ pattern: PathPattern, unit: Unit) {
            self.pattern = pattern
            self.unit = unit
        }
    }

    /// Its name.
    package var pool: Pool
    /// Where its entries lie; of several that match, the first counts.
    package var rules: [Rule]
    /// Globs over its keys, which are paths below the volume's root; what matches is never evicted.
    package var keep: [String]

    /// Makes a pool from its three parts.
    package init(_ pool: Pool, rules: [Rule], keep: [String] = []) {
        self.pool = pool
        self.rules = rules
        self.keep = keep
    }
}

/// A pattern over paths below a volume's root, name by name.
///
/// `*` stands for any characters of a name and `?` for one; a name of `**` stands for any number of directories, none
/// included.
package struct PathPattern: Sendable, Hashable {
    /// One name of the pattern.
    package enum Part: Sendable, Hashable {
        /// Any number of directories.
        case anyDepth
        /// A name.
        case name(KeyPattern)
    }

    /// The pattern as it was written.
    package let text: String
    /// Its names.
    package let parts: [Part]

    /// The most names that a pattern may have.
    package static let mostParts = 16

    /// Reads a pattern; nil for an absolute path, for one that leads outside or nowhere, and for Larder's own folder.
    package init?(_ text: String) {
        guard !text.hasPrefix("/"), !text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
        else { return nil }
        let names = text.split(separator: "/", omittingEmptySubsequences: true).filter { $0 != "." }
        guard !names.isEmpty, names.count <= Self.mostParts, !names.contains(".."), names[0] != ".larder",
            // What matches all there is names nothing.
            names.contains(where: { $0 != "**" })
        else { return nil }
        self.text = text
        parts = names.map { $0 == "**" ? .anyDepth : .name(KeyPattern(String($0))) }
    }
}
