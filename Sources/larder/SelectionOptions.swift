import ArgumentParser
import CacheModel

/// The options that name the entries to go, in place of the quota.
struct SelectionOptions: ParsableArguments {
    @Option(
        name: .customLong("key"),
        help: ArgumentHelp(
            "Take exactly the entries with such a key, such as 'com.example:*', whatever the quota; may be repeated.",
            valueName: "pattern"), completion: .custom(Completions.keys))
    var keys: [String] = []
    @Option(help: "With --key: only in this pool.") var pool: Pool?

    func validate() throws {
        if pool != nil, keys.isEmpty { throw ValidationError("--pool can be used with --key only") }
        if keys.contains(where: \.isEmpty) {
            throw ValidationError("--key needs a key or a pattern, such as 'com.example:*'")
        }
    }

    /// What they name; nil without any.
    var selection: EntrySelection? { keys.isEmpty ? nil : EntrySelection(keys: keys, pool: pool) }
}
