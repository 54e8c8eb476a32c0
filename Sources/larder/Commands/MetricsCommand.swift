import ArgumentParser
import CacheServices
import CacheIndex
import Daemon
import FileAccess
import Reporting

extension Metrics.Format: ExpressibleByArgument {}

/// The figures of the volumes for Prometheus, from the index alone.
struct MetricsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "metrics", "Show the figures of the volumes as Prometheus reads them.",
        """
        Reads the index only. CronJobs cannot be scraped: give 'scan', 'prune' and 'warm' --textfile FILE, in the \
        directory of a node exporter's textfile collector, and they write these figures when they end.
        """, examples: ["larder metrics", "larder metrics --textfile /var/lib/node_exporter/larder.prom"])

    @OptionGroup var volumes: VolumeOptions
    @OptionGroup var textfile: TextfileOptions
    @Option(help: "How the figures are written to standard output.")
    var format: Metrics.Format = .prometheus
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws {
        try await Application.run(global, .text, volume: volumes.volume) { application in
            let report = try application.services.metrics()
            if let file = textfile.textfile ?? application.services.configuration.textfile {
                try application.write(report, to: file)
            } else {
                try Terminal.say(report.text(format))
            }
            return nil
        }
    }
}

/// The option of commands that change what metrics tell.
struct TextfileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write the metrics to a file for a node exporter: DIR/larder.prom.", valueName: "file"))
    var textfile: String?
}

extension Application {
    /// Runs a command's body, then writes the metrics to the file that was named, whether it failed or not.
    func tellingMetrics(
        _ options: TextfileOptions, body: (Application) async throws -> Failure.Code?
    ) async throws -> Failure.Code? {
        defer {
            if let file = options.textfile ?? services.configuration.textfile {
                do { try write(try services.metrics(), to: file) } catch {
                    services.notify(Failure(error).sentence, .warning)
                }
            }
        }
        return try await body(self)
    }

    /// Writes metrics in the older text format, the only one that a node exporter reads from files.
    ///
    /// The file appears whole: it is written beside its place, under a name that the collector passes over, and
    /// renamed.
    func write(_ report: MetricsReport, to file: String) throws {
        do { try replaceFile(at: file, with: report.text(.prometheus), mode: 0o644) } catch {
            throw Failure(
                code: .failed, message: "the metrics cannot be written to \(file): \(error)",
                hint: "name a file that ends in .prom, in a directory that can be written")
        }
    }
}
