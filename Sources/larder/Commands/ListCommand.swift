import ArgumentParser
import CacheIndex
import CacheModel
import CacheServices
import Reporting

extension Pool: ExpressibleByArgument {
    /// A pool's name; whether there is one of that name is seen once the configuration is read.
    public init?(argument: String) { self.init(named: argument) }

    /// The names that are offered to be completed.
    public static var allValueStrings: [String] { allCases.map(\.rawValue) }
}

extension EntryOrder: ExpressibleByArgument {}

/// The entries with size, last use and evidence.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "list", "List entries with size, last use and evidence.",
        """
        Reads the index only. Entries marked * are kept whatever the quota says. Several filters must all hold; a \
        filter is \(EntryFilter.accepted).
        """,
        examples: [
            "larder list --sort bytes --limit 20",
            "larder list --filter 'com.example:*' --filter 'age>30d'",
            "larder list --filter never-used --format csv",
        ])

    /// How the list is written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, jsonl, csv
    }

    @OptionGroup var volumes: VolumeOptions
    @Option(help: "Only entries of that pool.") var pool: Pool?
    @Option(
        help: ArgumentHelp("Only entries that meet a condition; may be repeated.", valueName: "condition"))
    var filter: [String] = []
    @Option(
        help: """
            used: least recently used first; bytes: largest first; frees: those whose removal frees most first; key.
            """)
    var sort: EntryOrder = .used
    @Option(
        parsing: .unconditional, help: ArgumentHelp("At most so many entries.", valueName: "number"),
        transform: { try ValueFormat<Int>.count.argument($0) })
    var limit: Int?
    @Option(
        help: ArgumentHelp("Begin where the page before ended: its next_cursor.", valueName: "cursor"))
    var cursor: String?
    @Option(help: "How the list is written; jsonl: one JSON object on each line.") var format: Format = .text
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws {
        var output = FormatOptions()
        output.format = format == .json || format == .jsonl ? .json : .text
        try await Application.run(global, output, volume: volumes.volume) { application in
            let report = try application.services.list(question(), conditions())
            switch format {
            case .text, .json: try application.say(report)
            case .jsonl: try Terminal.say(try report.jsonLines())
            case .csv: try Terminal.say(report.csv())
            }
            return nil
        }
    }

    private func conditions() throws -> EntryFilter {
        do { return try EntryFilter(filter) } catch { throw Failure.usage("\(error)") }
    }

    private func question() throws -> EntryQuestion {
        var question = EntryQuestion(pool: pool, order: sort, limit: limit)
        if let cursor {
            guard let place = EntryQuestion.Cursor(cursor), place.order == sort else {
                throw Failure.usage("--cursor takes the next_cursor of a list with the same --sort")
            }
            question.after = place
        }
        return question
    }
}
