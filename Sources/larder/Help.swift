import ArgumentParser
import CacheModel
import CacheServices

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

    /// The command that has a word as its subcommand: `trash restore` for `restore`.
    static func elsewhere(_ word: String) -> String? {
        for command in Larder.configuration.subcommands {
            let names = command.configuration.subcommands.map { $0.configuration.commandName ?? "" }
            if names.contains(word) { return "\(command.configuration.commandName ?? "") \(word)" }
        }
        return nil
    }

    /// What is wrong with a command line that has an option before the command which only stands behind one.
    ///
    /// Nil where there is no such option, and where no command follows.
    static func misplacedOption(_ arguments: [String]) -> Failure? {
        let commands = Larder.configuration.subcommands.map { $0.configuration.commandName ?? "" }
        var rest = arguments[...]
        while let word = rest.popFirst(), word.hasPrefix("-"), word != "--" {
            let name = String(word.prefix { $0 != "=" })
            if valued.contains(name) {
                if name == word { _ = rest.popFirst() }
                continue
            }
            if flags.contains(name) { continue }
            guard let place = rest.firstIndex(where: commands.contains) else { return nil }
            if let meant = nearest(name, among: valued.union(flags).sorted()) {
                return Failure(
                    code: .usage, message: "no option is called \(quotable(name)); did you mean \(meant)?")
            }
            let value = rest[..<place].first.map { $0.hasPrefix("-") ? [] : [$0] } ?? []
            let line = (["larder", rest[place], word] + value).joined(separator: " ")
            return Failure(
                code: .usage,
                message:
                    "\(quotable(name)) stands before the command, where only the options of every command can",
                hint: "write it behind the command: \(quotable(line))")
        }
        return nil
    }

    /// The global options without a value.
    private static let flags: Set<String> = ["--quiet", "-q", "--help", "-h", "--version"]

    /// The global options that take a value.
    private static let valued: Set<String> = [
        "--config", "--state", "--build-cache", "--image-root", "--socket", "--log-level", "--color",
    ]
}
