import ArgumentParser
import CacheModel
import Reporting

extension Pool: ExpressibleByArgument {}
extension ListReport.Order: ExpressibleByArgument {}

/// The entries with size, last use and evidence.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List entries with size, last use and evidence.",
        discussion: "Reads the index only. Entries marked * are kept whatever the quota says.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions
    @Option(help: "Only entries of that pool.") var pool: Pool?
    @Option(help: "used: least recently used first; bytes: largest first; key.")
    var sort: ListReport.Order = .used
    @Option(help: "At most so many entries.") var limit: Int?

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit takes a number from 1") }
    }

    func run() async throws {
        try await Application.run(global, output) { application in
            try application.say(application.services.list(pool: pool, order: sort, limit: limit))
            return nil
        }
    }
}
