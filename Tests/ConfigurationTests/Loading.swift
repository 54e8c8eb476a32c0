import Foundation

@testable import CacheServices
@testable import larder

/// A directory for one test, removed with it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/larder-configuration-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    func write(_ text: String, as name: String = "larder.yaml") throws -> String {
        try write(bytes: Array(text.utf8), as: name)
    }

    func write(bytes: [UInt8], as name: String = "larder.yaml") throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
        return path + "/" + name
    }
}

/// Loads a text as the configuration file.
func load(
    _ yaml: String, flags: ConfigurationFlags = ConfigurationFlags(), environment: [String: String] = [:]
) throws -> Configuration {
    let scratch = try Scratch()
    var flags = flags
    flags.config = try scratch.write(yaml)
    return try load(flags: flags, environment: environment)
}

/// Loads without a file, with a home directory and no deployment around.
func load(
    flags: ConfigurationFlags = ConfigurationFlags(), environment: [String: String] = [:]
) throws -> Configuration {
    var configuration = try Configuration.load(
        flags: flags, environment: ["HOME": "/home/ci"].merging(environment) { $1 },
        deployedState: "/nowhere/at/all")
    // Where caches were looked for is no setting.
    configuration.searched = []
    return configuration
}

/// The problems of a text, each as one line beginning with line and column of the file; none where it loads.
func problems(
    _ yaml: String, flags: ConfigurationFlags = ConfigurationFlags(), environment: [String: String] = [:]
) throws -> [String] {
    do {
        _ = try load(yaml, flags: flags, environment: environment)
        return []
    } catch let error as ConfigurationError {
        return error.description.split(separator: "\n").map { line in
            guard let name = line.range(of: "larder.yaml:") else { return String(line) }
            return String(line[name.upperBound...])
        }
    }
}

/// A configuration of one build cache with these further lines; the first of them is line 5 of the file.
func buildCache(_ lines: String) -> String {
    "volumes:\n  - name: build\n    kind: build-cache\n    path: /cache\n" + indented(lines)
}

/// A configuration of one image store with these further lines; the first of them is line 5 of the file.
func imageStore(_ lines: String) -> String {
    "volumes:\n  - name: images\n    kind: image-store\n    path: /store\n" + indented(lines)
}

private func indented(_ lines: String) -> String {
    lines.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)\n" }.joined()
}
