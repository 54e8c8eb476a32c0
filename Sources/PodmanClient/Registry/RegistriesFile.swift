import CacheModel
import Foundation
import TOMLSettings

/// Where Podman finds registries: `registries.conf` in version 2, with the files of `registries.conf.d`.
///
/// Of several prefixes that a name begins with the longest counts; its mirrors come before its own location, and
/// what is insecure may be asked without TLS (containers-registries.conf(5), containers/image v5.23.1,
/// pkg/sysregistriesv2). Larder reads it so that it asks the same registries as Podman does.
package struct RegistriesFile: Sendable {
    /// A registry's address for one image.
    struct Place: Sendable, Hashable {
        /// HOST or HOST:PORT, as a name has it: `docker.io`.
        var host: String
        /// The repository there.
        var repository: String
        /// Whether it may be asked without TLS, or with a certificate that nobody vouches for.
        var insecure = false
    }

    private struct Location: Sendable {
        var path: String
        var insecure: Bool
        var tags: Bool
        var digests: Bool
    }

    private struct Entry: Sendable {
        var prefix: String
        var own: Location
        var mirrors: [Location]
        var isBlocked: Bool
    }

    private var entries: [String: Entry] = [:]

    /// Registries that all speak TLS, have no mirrors and are where their names say.
    package init() {}

    /// Reads a file, and those beside it whose directory is named after it with `.d`, in the order of their names.
    ///
    /// - Throws: `RegistriesFileError`.
    package init(contentsOf path: String) throws(RegistriesFileError) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path + ".d")) ?? []
        let more = names.filter { $0.hasSuffix(".conf") }.sorted().map { "\(path).d/\($0)" }
        for file in [path] + more { try read(file) }
    }

    private mutating func read(_ path: String) throws(RegistriesFileError) {
        let file: MountedFile
        do { file = try MountedFile(path) } catch {
            throw RegistriesFileError(path: path, reason: error.reason)
        }
        let document: Setting
        do { document = try Setting(document: String(decoding: file.data, as: UTF8.self)) } catch {
            throw RegistriesFileError(
                path: path, reason: "line \(error.line): no TOML: \(escaped(error.description.utf8))")
        }
        for registry in document["registry"]?.elements ?? [] {
            guard registry.isTable else { continue }
            let location = registry["location"]?.text ?? ""
            let prefix = registry["prefix"]?.text ?? location
            guard !prefix.isEmpty else {
                throw RegistriesFileError(
                    path: path,
                    reason: "line \(registry.line): a registry has neither prefix nor location")
            }
            let digestOnly = registry["mirror-by-digest-only"]?.boolean ?? false
            let mirrors = (registry["mirror"]?.elements ?? []).filter(\.isTable).map { mirror in
                let use = mirror["pull-from-mirror"]?.text ?? (digestOnly ? "digest-only" : "all")
                return Location(
                    path: mirror["location"]?.text ?? "", insecure: mirror["insecure"]?.boolean ?? false,
                    tags: use != "digest-only", digests: use != "tag-only")
            }
            entries[prefix] = Entry(
                prefix: prefix,
                own: Location(
                    path: location, insecure: registry["insecure"]?.boolean ?? false, tags: true,
                    digests: true),
                mirrors: mirrors, isBlocked: registry["blocked"]?.boolean ?? false)
        }
    }

    /// Where to ask for an image, the mirrors first; empty for a short name and where the registry is blocked.
    func places(of reference: ImageReference) -> [Place] {
        guard let registry = reference.registry else { return [] }
        let name = "\(registry)/\(reference.repository)"
        let candidates = entries.values.compactMap { entry in
            Self.length(of: entry.prefix, in: name).map { (entry: entry, length: $0) }
        }
        guard let best = candidates.max(by: { $0.entry.prefix.utf8.count < $1.entry.prefix.utf8.count })
        else { return [Place(host: registry, repository: reference.repository)] }
        if best.entry.isBlocked { return [] }
        let rest = String(name.dropFirst(best.length))
        let mirrors = best.entry.mirrors.filter { reference.digest == nil ? $0.tags : $0.digests }
        return (mirrors + [best.entry.own]).compactMap { location in
            let path = location.path.isEmpty ? name : location.path + rest
            guard let slash = path.firstIndex(of: "/") else { return nil }
            return Place(
                host: String(path[..<slash]), repository: String(path[path.index(after: slash)...]),
                insecure: location.insecure)
        }
    }

    /// How much of a name the prefix covers; nil where the name does not begin with it.
    private static func length(of prefix: String, in name: String) -> Int? {
        if prefix.hasPrefix("*.") {
            let host = name.prefix { $0 != "/" && $0 != ":" }
            return host.hasSuffix(prefix.dropFirst()) ? host.count : nil
        }
        guard name.hasPrefix(prefix) else { return nil }
        let next = name.dropFirst(prefix.count).first
        return next == nil || next == "/" || next == ":" ? prefix.count : nil
    }
}

/// Why a `registries.conf` cannot be used.
package struct RegistriesFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file's path.
    package var path: String
    /// What is wrong.
    package var reason: String

    /// What is wrong with which file.
    package var description: String { "registries file \(escaped(path.utf8)): \(reason)" }
}
