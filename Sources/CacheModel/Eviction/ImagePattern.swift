/// A pattern over images, as a person writes their names: `postgres:16*`, `registry.example.com/ci/*`, an ID.
///
/// The one rule by which `keep`, `--key`, `explain` and events find images. It is what Podman makes of a name
/// (containers/common v0.50, libimage/normalize.go; distribution's reference/normalize.go): a name without a tag
/// means `latest`; `docker.io/redis` and `index.docker.io/redis` mean `docker.io/library/redis`; a name without a
/// registry may be one of `localhost/`, of Docker Hub, or of any other registry. `*` and `?` stand for characters as
/// in `KeyPattern`.
package struct ImagePattern: Sendable, Hashable {
    /// The full patterns that the text may stand for, the likeliest first.
    private let patterns: [KeyPattern]
    /// What a name of any other registry must end in; nil where the text names a registry.
    private let suffix: KeyPattern?
    /// The beginning of an image's ID; nil where the text can be none.
    private let id: String?

    /// Takes a pattern as a person writes it.
    package init(_ text: String) {
        let names = Self.names(for: text)
        patterns = names.map { KeyPattern($0) }
        let isShort = !text.hasPrefix("*") && Self.registry(of: text) == nil
        suffix = isShort ? names.last.map { KeyPattern("*/" + Self.withoutHub($0)) } : nil
        id = Self.id(in: text)
    }

    /// Whether an image of that name is meant.
    ///
    /// - Parameters:
    ///   - name: as the store's records have it, with its registry.
    ///   - anyRegistry: whether a short name may be one of any registry, and not only of those that Podman tries
    ///     first. To protect, that is right; to remove, it is not.
    package func matches(_ name: String, anyRegistry: Bool) -> Bool {
        patterns.contains { $0.matches(name) } || anyRegistry && suffix?.matches(name) ?? false
    }

    /// Whether the image of an entry is meant, by its key, a name, a name of its list or its ID.
    package func matches(_ entry: CacheEntry, anyRegistry: Bool) -> Bool {
        matches(entry.found, anyRegistry: anyRegistry)
    }

    /// The same of an entry as a scan finds it.
    package func matches(_ entry: ScannedEntry, anyRegistry: Bool) -> Bool {
        if matches(entry.key, anyRegistry: anyRegistry) { return true }
        guard let image = entry.image else { return false }
        if let id, image.id.hasPrefix(id) { return true }
        return image.names.contains { matches($0, anyRegistry: anyRegistry) }
            || anyRegistry && image.listNames.contains { matches($0, anyRegistry: true) }
    }

    /// The full references that a reference may stand for, the likeliest first; itself before them.
    ///
    /// A tag beside a digest does not count.
    package static func names(for reference: String) -> [String] {
        let parts = reference.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard var repository = parts.first.map(String.init), !repository.isEmpty else { return [reference] }
        var suffix = ":latest"
        let lastSlash = repository.lastIndex(of: "/") ?? repository.startIndex
        if let colon = repository[lastSlash...].lastIndex(of: ":") {
            suffix = String(repository[colon...])
            repository = String(repository[..<colon])
        } else if repository.hasSuffix("*") {
            // The pattern's end stands for the tag too.
            suffix = ""
        }
        if parts.count == 2 { suffix = "@\(parts[1])" }
        let components = repository.split(separator: "/", omittingEmptySubsequences: false)
        var repositories: [String]
        if let registry = registry(of: repository) {
            repositories = [repository]
            if registry == "docker.io" || registry == "index.docker.io" {
                let rest = components.dropFirst().joined(separator: "/")
                repositories.append("docker.io/" + (components.count == 2 ? "library/" : "") + rest)
            }
        } else {
            let library = components.count > 1 ? "" : "library/"
            repositories = ["localhost/\(repository)", "docker.io/\(library)\(repository)"]
        }
        return [reference] + repositories.map { $0 + suffix }
    }

    /// The registry that a reference names; nil for a short name.
    static func registry(of reference: String) -> Substring? {
        guard let slash = reference.firstIndex(of: "/") else { return nil }
        let first = reference[..<slash]
        return first == "localhost" || first.contains(".") || first.contains(":") ? first : nil
    }

    /// `redis:7` of `docker.io/library/redis:7`.
    private static func withoutHub(_ name: String) -> String {
        for hub in ["docker.io/library/", "docker.io/"] where name.hasPrefix(hub) {
            return String(name.dropFirst(hub.count))
        }
        return name
    }

    /// The beginning of an image's ID that a text may be: `sha256:` and digits, or at least 12 digits alone.
    package static func id(in text: String) -> String? {
        let isPrefixed = text.hasPrefix("sha256:")
        let digits = isPrefixed ? String(text.dropFirst(7)) : text
        let isHex = digits.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        return isHex && (12...64).contains(digits.utf8.count) ? digits : nil
    }
}
