import CacheModel

/// The name of an image as people write it, in Podman's normal form.
///
/// The grammar is that of distribution/reference (v2.8.1, reference.go and normalize.go): the first component
/// is a registry if it holds a dot or a colon or is `localhost`; `docker.io/redis` stands for
/// `docker.io/library/redis`; without a tag or a digest the tag is `latest`; beside a digest a tag says nothing.
/// Unlike Docker, Podman knows no registry for a short name: its own configuration resolves that.
package struct ImageReference: Sendable, Hashable {
    /// `docker.io`, `registry.example.com:5000`; nil for a short name.
    package let registry: String?
    /// `library/redis`.
    package let repository: String
    /// `7`; nil beside a digest.
    package let tag: String?
    /// `sha256:…`.
    package let digest: String?

    /// Reads a reference.
    ///
    /// - Throws: `InvalidReference` for what is none, and for an image ID, which no registry knows.
    package init(_ text: String) throws(InvalidReference) {
        func refused(_ reason: String) -> InvalidReference { InvalidReference(text: text, reason: reason) }
        let halves = text.split(separator: "@", omittingEmptySubsequences: false)
        guard halves.count <= 2, var rest = halves.first, !rest.isEmpty else {
            throw refused("it has no name")
        }
        digest = halves.count == 2 ? String(halves[1]) : nil
        if let digest, !Self.isDigest(digest) {
            throw refused("the digest is not sha256: and 64 digits of 0-9a-f")
        }
        var tag: String?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        if let tag, !Self.isTag(tag) { throw refused("the tag is not 1 to 128 of A-Z a-z 0-9 _ . -") }
        var components = rest.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var registry: String?
        if components.count > 1, let first = components.first, Self.namesRegistry(first) {
            guard Self.isRegistry(first) else {
                throw refused("the registry is no host name with a port or without")
            }
            registry = first == "index.docker.io" ? "docker.io" : first
            components.removeFirst()
        }
        guard components.allSatisfy(Self.isComponent) else {
            throw refused(
                "the repository must be lower-case letters and digits, with . _ - and / between them")
        }
        if registry == "docker.io", components.count == 1 { components.insert("library", at: 0) }
        repository = components.joined(separator: "/")
        guard repository.utf8.count + (registry?.utf8.count ?? 0) < 255 else {
            throw refused("it is too long")
        }
        if registry == nil, digest == nil, tag == nil, Self.isHex(repository, 64) {
            throw refused("it is an image ID, which no registry knows")
        }
        self.registry = registry
        self.tag = digest == nil ? tag ?? "latest" : nil
    }

    /// Whether Podman has to find the registry itself.
    package var isShort: Bool { registry == nil }

    /// The whole name: `docker.io/library/redis:7`, `registry.example.com/db@sha256:…`.
    package var name: String {
        let path = registry.map { "\($0)/\(repository)" } ?? repository
        return digest.map { "\(path)@\($0)" } ?? "\(path):\(tag ?? "latest")"
    }

    /// Whether an image of that name in the store is meant; a short name means it in any registry.
    package func means(_ stored: String) -> Bool {
        stored == name || isShort && stored.hasSuffix("/\(name)")
    }

    private static func namesRegistry(_ text: String) -> Bool {
        text.contains(".") || text.contains(":") || text == "localhost" || text != text.lowercased()
    }

    private static func isRegistry(_ text: String) -> Bool {
        // An IPv6 address stands in brackets, and its colons are no port.
        let end = text.hasPrefix("[") ? text.firstIndex(of: "]") : nil
        let parts = text[(end.map { text.index(after: $0) } ?? text.startIndex)...]
            .split(separator: ":", omittingEmptySubsequences: false)
        if let end {
            let address = text[text.index(after: text.startIndex)..<end]
            guard !address.isEmpty, address.allSatisfy({ $0.isHexDigit || $0 == ":" }), parts.first == ""
            else {
                return false
            }
        } else {
            guard let host = parts.first, !host.isEmpty,
                host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isLabel)
            else { return false }
        }
        return parts.count == 1
            || parts.count == 2 && UInt16(parts[1]) != nil
                && parts[1].utf8.allSatisfy { (48...57).contains($0) }
    }

    private static func isLabel(_ text: Substring) -> Bool {
        !text.isEmpty && text.first != "-" && text.last != "-"
            && text.utf8.allSatisfy { isLower($0) || isDigit($0) || (65...90).contains($0) || $0 == 45 }
    }

    private static func isComponent(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last, isLower(first) || isDigit(first),
            isLower(last) || isDigit(last)
        else { return false }
        // Between letters and digits: one dot, one or two underscores, or any number of dashes.
        return bytes.split(whereSeparator: { isLower($0) || isDigit($0) }).allSatisfy { separator in
            separator.elementsEqual([46]) || separator.elementsEqual([95])
                || separator.elementsEqual([95, 95])
                || separator.allSatisfy { $0 == 45 }
        }
    }

    private static func isTag(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.first != "." && text.first != "-"
            && text.utf8.allSatisfy {
                isLower($0) || isDigit($0) || (65...90).contains($0) || $0 == 95 || $0 == 46 || $0 == 45
            }
    }

    private static func isDigest(_ text: String) -> Bool {
        text.hasPrefix("sha256:") && isHex(String(text.dropFirst(7)), 64)
    }

    private static func isHex(_ text: String, _ count: Int) -> Bool {
        text.utf8.count == count && text.utf8.allSatisfy { isDigit($0) || (97...102).contains($0) }
    }

    private static func isLower(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}

/// A text that is no image reference.
package struct InvalidReference: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was given.
    package var text: String
    /// What is wrong with it.
    package var reason: String

    /// What is wrong, and what was expected, in one line that is safe to print.
    package var description: String {
        "\"\(escaped(text.utf8))\" is no image reference: \(reason); expected registry/repository:tag, such as "
            + "docker.io/library/postgres:16"
    }
}
