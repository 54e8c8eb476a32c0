import ArgumentParser
import CacheModel
import CacheServices
import Foundation
import Reporting
import RunnerLint

/// Looks at what Larder needs, in its pod or on a laptop.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "doctor", "Find the setting that is wrong, and say what puts it right.",
        """
        Looks at mounts, access times, permissions, the state directory, image stores and who shares them, Podman's \
        socket, and what the kernel allows; names the tier of Podman that can run here and the one setting in the \
        way of the next. It writes nothing but a probe in Larder's own folder on each volume. Ends with 0 where \
        there is no problem, with 4 where there is one; warnings do not count.
        """,
        examples: ["larder doctor", "larder doctor --runner-config /etc/gitlab-runner/config.toml"])

    @Option(
        help: ArgumentHelp(
            "Check a GitLab Runner config.toml, or values.yaml of its chart, too.", valueName: "file"),
        completion: .file(extensions: ["toml", "yaml"]))
    var runnerConfig: String?
    @Flag(help: "Look at the node alone, from a pod like a job's: before anything is installed.")
    var preflight = false
    @OptionGroup var volumes: VolumeOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws {
        try await Application.run(global, output, volume: volumes.volume) {
            try $0.say(
                preflight
                    ? await $0.services.preflight() : try await $0.services.doctor(runnerFile: runnerConfig))
        }
    }
}
