import ArgumentParser
import CacheModel
import CacheServices
import Foundation
import Reporting
import RunnerLint

/// Looks at what Larder needs, in its pod or on a laptop.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Find the setting that is wrong, and say what puts it right.",
        discussion: """
            Looks at mounts, access times, permissions, the state directory, image stores and who shares them, \
            Podman's socket, and what the kernel allows; names the tier of Podman that can run here and the one \
            setting in the way of the next. It writes nothing but a probe in Larder's own folder on each volume. \
            Ends with 0 where there is no problem, with 4 where there is one; warnings do not count.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions
    @Option(help: ArgumentHelp("Check a GitLab Runner config.toml too.", valueName: "file"))
    var runnerConfig: String?

    func run() async throws {
        try await Application.run(global, output) { try await run($0) }
    }

    func run(_ application: Application) async throws -> Failure.Code? {
        let configuration = application.configuration
        // Nobody waits half a minute for a socket that hangs.
        let deadline = min(configuration.podmanDeadline, .seconds(10))
        var diagnosis = await DoctorExamination(
            volumes: configuration.volumes, sockets: configuration.sockets,
            stateDirectory: configuration.stateDirectory, deadline: deadline, clock: application.clock
        ).diagnosis()
        if let runnerConfig { diagnosis.findings += try Self.lint(runnerConfig) }
        try application.say(DoctorReport(diagnosis, at: application.clock()))
        return diagnosis.count(.problem) > 0 ? .inPart : nil
    }

    private static func lint(_ file: String) throws -> [Diagnosis.Finding] {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Failure(
                code: .failed, message: "\(file) cannot be read",
                hint: "name the runner's config.toml; in its pod it is /etc/gitlab-runner/config.toml")
        }
        let found = RunnerLint().check(String(decoding: data, as: UTF8.self))
        guard !found.isEmpty else {
            return [.init(.runner, "runner-config", ok: "nothing to find fault with")]
        }
        return found.map { finding in
            Diagnosis.Finding(
                .runner, finding.rule, finding.severity == .error ? .problem : .warning,
                "line \(finding.line): \(finding.problem)", why: finding.reason, cure: finding.cure)
        }
    }
}
