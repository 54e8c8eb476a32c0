import ArgumentParser
import CacheIndex
import CacheModel
import Daemon
import Reporting

/// How the volumes stand, from the index alone.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show size against quota, hit rates and the last runs.",
        discussion: "Reads the index only: it is as fresh as the last scan, and says how old that is.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions

    func run() async throws {
        try await Application.run(global, output) { try Self.run($0) }
    }

    static func run(_ application: Application) throws -> Failure.Code? {
        let index = try application.index(readOnly: true)
        let now = application.clock()
        let all = Dictionary(try index.figures().map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        let known = application.configuration.volumes.compactMap { volume in
            all[volume.name].map { (volume, $0) }
        }
        guard !known.isEmpty else { throw application.nothingKnown }
        try application.say(try StatusReport(known, index, now: now))
        return nil
    }
}
