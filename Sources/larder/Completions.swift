import ArgumentParser
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
        // zsh hands over the word with its escapes.
        let prefix = prefix.replacing("\\:", with: ":")
        guard let index = index(words), let names = try? index.names(beginning: prefix, limit: most) else {
            return []
        }
        return offered(names)
    }

    /// Keys of the run on the line that can still be brought back.
    @Sendable static func trashedKeys(_ words: [String], _: Int, _ prefix: String) -> [String] {
        let prefix = prefix.replacing("\\:", with: ":")
        guard let index = index(words), let runs = try? index.trashedRuns(limit: most),
            let run = words.first(where: runs.contains),
            let keys = try? index.trashedKeys(of: run, beginning: prefix, limit: most)
        else { return [] }
        return offered(keys)
    }

    /// Names as the shell takes them: behind a colon zsh's `_describe` expects a description.
    private static func offered(_ names: [String]) -> [String] {
        CompletionShell.requesting == .zsh ? names.map { $0.replacing(":", with: "\\:") } : names
    }

    /// The runs of which something is in the trash, the newest first.
    @Sendable static func runs(_ words: [String], _: Int, _ prefix: String) -> [String] {
        guard let index = index(words), let runs = try? index.trashedRuns(limit: most) else { return [] }
        return runs.filter { $0.hasPrefix(prefix) }
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
