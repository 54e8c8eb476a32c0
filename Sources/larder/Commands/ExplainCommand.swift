import ArgumentParser
import CacheIndex
import CacheModel
import Daemon
import Reporting

/// Everything known of one entry.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show everything known of one entry, and what would happen to it.",
        discussion: "Reads the index only.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions
    @Argument(help: "group:artifact:version, an image's reference, or a path as 'list' shows it.")
    var key: String

    func run() async throws {
        try await Application.run(global, output) { try run($0) }
    }

    func run(_ application: Application) throws -> Failure.Code? {
        let index = try application.index(readOnly: true)
        let found = try index.entries(matching: key)
        let ghosts = try index.ghosts(matching: key)
        if found.count > 1 {
            let places = found.map { "\($0.volume): \($0.entry.found.path)" }.joined(separator: "; ")
            throw Failure(
                code: .usage, message: "\(found.count) entries are called \(key): \(places)",
                hint: "name one of them by its path")
        }
        if let (volume, entry) = found.first {
            try application.say(try report(on: entry, volume, ghosts, index, application))
        }
        if found.isEmpty {
            guard let ghost = ghosts.first else {
                throw Failure(
                    code: .failed, message: "no entry is called \(key)",
                    hint: "'larder list --sort key' shows what there is; a scan finds what is new")
            }
            try application.say(
                ExplainReport(
                    key: ghost.key, volume: ghost.volume, entry: nil, verdict: nil, evictions: 0,
                    accesses: try accesses(of: ghost.id, index), ghost: .init(ghost)))
        }
        return nil
    }

    private func report(
        on entry: CacheEntry, _ volume: String, _ ghosts: [GhostRecord], _ index: CacheIndex,
        _ application: Application
    ) throws -> ExplainReport {
        var report = ExplainReport(
            key: entry.key, volume: volume, entry: entry, verdict: nil, evictions: 0,
            accesses: try accesses(of: entry.id, index),
            ghost: ghosts.first { $0.id == entry.id }.map { .init($0) })
        if let (configured, usage) = try application.usages(index).first(where: { $0.volume.name == volume })
        {
            let plan = application.policy(for: configured)
                .plan(
                    usage, under: configured.quota(capacity: usage.capacity.total), now: application.clock())
            report.verdict = plan.verdict(on: entry)
            report.evictions = Int64(plan.evict.count)
            report.trust = usage.scan.atimeTrust
        }
        return report
    }

    private func accesses(of id: Int64, _ index: CacheIndex) throws -> [ExplainReport.Access] {
        try index.accesses(of: id, limit: 20).map { .init($0) }
    }
}
