import CacheIndex
import CacheModel
import CacheServices
import Foundation

/// What a shell offers for a value: names that the configuration and the index know.
///
/// Nothing here fails or writes: a shell that asks for a completion gets an empty list where nothing is known.
enum Completions {
    /// More than this nobody reads through.
    private static let most = 200

    /// The names of the configured volumes.
    @Sendable static func volumes(_ words: [String], _: Int, _ prefix: String) -> [String] {
        configuration(words)?.volumes.map(\.name).filter { $0.hasPrefix(prefix) } ?? []
    }

    /// Keys and image names that begin so.
    @Sendable static func keys(_ words: [String], _: Int, _ prefix: String) -> [String] {
        guard let index = index(words), let names = try? index.names(beginning: prefix, limit: most) else {
            return []
        }
        return names
    }

    /// The runs that can be in the trash, the newest first.
    @Sendable static func runs(_ words: [String], _: Int, _ prefix: String) -> [String] {
        guard let index = index(words), let page = try? index.runPage(limit: most, lines: 0) else {
            return []
        }
        return page.runs.filter { run in run.volumes.contains { $0.trashedBytes > .zero } }.map(\.id)
            .filter { $0.hasPrefix(prefix) }
    }

    private static func index(_ words: [String]) -> CacheIndex? {
        guard let configuration = configuration(words) else { return nil }
        return try? CacheIndex.open(
            stateDirectory: configuration.stateDirectory, now: Services.systemClock(), readOnly: true)
    }

    /// The configuration that the line on its way would have.
    private static func configuration(_ words: [String]) -> Configuration? {
        func value(_ flag: String) -> String? {
            for (place, word) in words.enumerated() {
                if word == flag, words.indices.contains(place + 1) { return words[place + 1] }
                if word.hasPrefix(flag + "=") { return String(word.dropFirst(flag.count + 1)) }
            }
            return nil
        }
        return try? Configuration.load(
            flags: ConfigurationFlags(config: value("--config"), state: value("--state")),
            environment: ProcessInfo.processInfo.environment)
    }
}
