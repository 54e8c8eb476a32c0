import ArgumentParser
import CacheServices
import Foundation
import Reporting
import RunnerLint

extension RunnerVersion: ExpressibleByArgument {
    /// Reads `17.4`.
    package init?(argument: String) { self.init(argument) }
}

/// Checks a GitLab Runner `config.toml`.
struct LintRunnerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "lint-runner", "Check a GitLab Runner configuration for keys that do nothing.",
        """
        Reads a config.toml, values of GitLab's chart (its templates are run as far as they use values), or a \
        ConfigMap with either. Names keys that the runner ignores, values that do not exist, and what goes against \
        the safe job pod of deploy/README.md: root, shared image stores, sockets on disk. Each finding has its line, \
        its reason and its cure. Ends with 0 where there is no error, with 1 where there is one; --strict counts \
        warnings as errors.
        """,
        examples: [
            "larder lint-runner /etc/gitlab-runner/config.toml",
            "larder lint-runner --runner 17.4 config.toml",
        ])

    @Argument(
        help: "The runner's config.toml, or values.yaml of its chart; - for standard input.",
        completion: .file(extensions: ["toml", "yaml"]))
    var file: String
    @Flag(help: "End with 1 on warnings too.") var strict = false
    @Option(
        name: .customLong("runner"),
        help: ArgumentHelp("The runner's release, such as 17.4.", valueName: "version"))
    var version: RunnerVersion?
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws {
        try await Application.run(global, output) { try run($0) }
    }

    func run(_ application: Application) throws -> Failure.Code? {
        let contents =
            file == "-"
            ? try? FileHandle.standardInput.readToEnd() ?? Data() : FileManager.default.contents(atPath: file)
        guard let data = contents else {
            throw Failure(
                code: .failed, message: "\(file) cannot be read",
                hint: "name the runner's config.toml; in its pod it is /etc/gitlab-runner/config.toml")
        }
        let isYAML = file.hasSuffix(".yaml") || file.hasSuffix(".yml") ? true : nil
        let findings = RunnerLint(version: version).check(
            String(decoding: data, as: UTF8.self), isYAML: isYAML,
            isTemplate: file.hasSuffix("template.toml"))
        let report = LintRunnerReport(file: file, findings: findings)
        try application.say(report)
        return report.errors > 0 || strict && report.warnings > 0 ? .failed : nil
    }
}
