import ArgumentParser
import CacheServices
import FileAccess
import Foundation

/// Writes manual pages, one for each command, from the same help that `--help` shows.
///
/// A part of the build and of no use to people, so that it is not in the list of commands.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Write manual pages into a directory.", shouldDisplay: false)

    @Argument(help: "The directory, such as /usr/share/man/man1.", completion: .directory)
    var directory: String

    func run() throws {
        let tool = try JSONDecoder().decode(Tool.self, from: Data(Larder._dumpHelp().utf8))
        // Where that fails, the first page says why.
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        do {
            for (name, text) in ManualPage.all(of: tool.command) {
                try replaceFile(at: "\(directory)/\(name).1", with: text)
            }
        } catch {
            Failure(
                code: .failed,
                message: "the manual cannot be written to \(directory): \(error)",
                hint: "name a directory that can be written"
            ).report(as: .text)
            throw ExitCode(Failure.Code.failed.rawValue)
        }
    }

    /// What ArgumentParser tells of a program (ToolInfo, serialization version 0), as far as a manual needs it.
    struct Tool: Decodable {
        /// A command.
        struct Command: Decodable {
            var commandName: String
            var abstract: String?
            var discussion: String?
            var shouldDisplay: Bool?
            var subcommands: [Command]?
            var arguments: [Argument]?
        }

        /// An argument, an option or a flag.
        struct Argument: Decodable {
            /// One of its names.
            struct Name: Decodable {
                var kind: String
                var name: String
            }

            var kind: String
            var shouldDisplay: Bool
            var isOptional: Bool
            var isRepeating: Bool
            var names: [Name]?
            var valueName: String?
            var defaultValue: String?
            var abstract: String?
            var discussion: String?
        }

        var command: Command
    }
}

/// A page of the manual in the macros of man(7).
struct ManualPage {
    let command: ManualCommand.Tool.Command
    /// The words that call it: `larder trash list`.
    let words: [String]

    /// The pages of a command and of all below it, by their names.
    static func all(
        of command: ManualCommand.Tool.Command, below parents: [String] = []
    ) -> [(name: String, text: String)] {
        guard command.shouldDisplay ?? true, command.commandName != "help" else { return [] }
        let words = parents + [command.commandName]
        let page = ManualPage(command: command, words: words)
        return [(words.joined(separator: "-"), page.text)]
            + (command.subcommands ?? []).flatMap { all(of: $0, below: words) }
    }

    /// The page.
    var text: String {
        let name = words.joined(separator: "-")
        let title = words.joined(separator: " ")
        var page = ".TH \"\(name.uppercased())\" 1 \"\" \"larder \(LarderVersion.current)\" \"Larder\"\n"
        page += ".SH NAME\n\(Self.escaped(name)) \\- \(Self.escaped(command.abstract ?? ""))\n"
        page += ".SH SYNOPSIS\n.B \(Self.escaped(title))\n\(synopsis)\n"
        let discussion = command.discussion ?? ""
        if !discussion.isEmpty { page += ".SH DESCRIPTION\n" + Self.paragraphs(discussion) }
        let shown = (command.arguments ?? []).filter(\.shouldDisplay)
        if !shown.isEmpty {
            page += ".SH OPTIONS\n"
            for argument in shown { page += Self.entry(argument) }
        }
        let commands = (command.subcommands ?? []).filter {
            $0.shouldDisplay ?? true && $0.commandName != "help"
        }
        if !commands.isEmpty {
            page += ".SH COMMANDS\n"
            for each in commands {
                page +=
                    ".TP\n.BR \(Self.escaped("\(name)-\(each.commandName)")) (1)\n\(Self.escaped(each.abstract ?? ""))\n"
            }
        }
        let above = words.count > 1 ? [words.dropLast().joined(separator: "-")] : []
        if !above.isEmpty {
            page += ".SH SEE ALSO\n" + above.map { ".BR \(Self.escaped($0)) (1)\n" }.joined()
        }
        return page
    }

    private var synopsis: String {
        let shown = (command.arguments ?? []).filter(\.shouldDisplay)
        let words = shown.map { argument -> String in
            var word = Self.label(argument)
            if argument.isRepeating { word += " ..." }
            return argument.isOptional || argument.kind != "positional" ? "[\(word)]" : word
        }
        return words.joined(separator: "\n")
    }

    private static func entry(_ argument: ManualCommand.Tool.Argument) -> String {
        let names = (argument.names ?? []).map { name -> String in
            "\\fB" + escaped((name.kind == "long" ? "--" : "-") + name.name) + "\\fR"
        }
        var label = names.isEmpty ? self.label(argument) : names.joined(separator: ", ")
        if argument.kind == "option" { label += " \\fI\(escaped(argument.valueName ?? "value"))\\fR" }
        var text = ".TP\n\(label)\n\(escaped(argument.abstract ?? argument.discussion ?? ""))"
        if let value = argument.defaultValue, !value.isEmpty { text += " Default: \(escaped(value))." }
        return text + "\n"
    }

    private static func label(_ argument: ManualCommand.Tool.Argument) -> String {
        let value = "\\fI\(escaped(argument.valueName ?? "value"))\\fR"
        guard let name = argument.names?.first(where: { $0.kind == "long" }) ?? argument.names?.first else {
            return value
        }
        let flag = "\\fB" + escaped((name.kind == "long" ? "--" : "-") + name.name) + "\\fR"
        return argument.kind == "option" ? "\(flag) \(value)" : flag
    }

    /// Paragraphs; lines that are indented, as examples are, stay as they are.
    private static func paragraphs(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if line.isEmpty { return ".PP\n" }
            return line.hasPrefix("  ")
                ? ".nf\n\(escaped(String(line)))\n.fi\n" : escaped(String(line)) + "\n"
        }.joined()
    }

    /// Text without what roff reads as a request or an escape (man(7)).
    static func escaped(_ text: String) -> String {
        var safe = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": safe += "\\e"
            case "-": safe += "\\-"
            case _ where scalar.value > 126:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                safe += "\\[u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "]"
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe.hasPrefix(".") || safe.hasPrefix("'") ? "\\&" + safe : safe
    }
}
