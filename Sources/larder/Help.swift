import ArgumentParser
import CacheModel

extension CommandConfiguration {
    /// A command with its help: what it does, examples, and where the options of all commands are told.
    init(
        _ name: String, _ abstract: String, _ discussion: String, examples: [String],
        subcommands: [any ParsableCommand.Type] = [], defaultSubcommand: (any ParsableCommand.Type)? = nil,
        shouldDisplay: Bool = true
    ) {
        let parts = [
            discussion, "Examples:\n" + examples.map { "  \($0)" }.joined(separator: "\n"),
            "Options of every command, such as --config, --state, --color and --quiet: larder --help",
        ]
        self.init(
            commandName: name, abstract: abstract,
            discussion: parts.filter { !$0.isEmpty }.joined(separator: "\n\n"), shouldDisplay: shouldDisplay,
            subcommands: subcommands, defaultSubcommand: defaultSubcommand)
    }
}

/// What somebody who mistyped a command probably meant.
enum CommandGuess {
    /// The first word of a command line that is no command where one is expected, and the command that is closest.
    ///
    /// Nil where every such word is a command, or none is there.
    static func mistyped(_ arguments: [String]) -> (word: String, meant: String?, known: [String])? {
        var command: any ParsableCommand.Type = Larder.self
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if word == "--" { return nil }
            if word.hasPrefix("-") {
                let takesValue = valued.contains(word)
                if takesValue { _ = rest.popFirst() }
                continue
            }
            let subcommands = command.configuration.subcommands
            guard !subcommands.isEmpty else { return nil }
            // All of them are commands; what is only a part of the build is offered to nobody.
            let names = subcommands.map { $0.configuration.commandName ?? "" }
            let shown = names.filter { $0 != "manual" }
            if let next = names.firstIndex(of: word) {
                command = subcommands[next]
                continue
            }
            if word == "help" { return nil }
            return (word, nearest(word, among: shown), shown)
        }
        return nil
    }

    /// The global options that take a value.
    private static let valued: Set<String> = [
        "--config", "--state", "--build-cache", "--image-root", "--socket", "--log-level", "--color",
    ]
}
