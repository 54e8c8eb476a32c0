import ArgumentParser
import CacheServices

/// Tells people's webhooks what there is to tell now.
struct NotifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "notify", "Send what there is to tell now to the configured webhooks.",
        """
        Tells of volumes that are over their quota with nothing to evict, and of those that are full within \
        notifications.fills_within. 'prune', 'verify' and the daemon send what they did by themselves. With --dry-run \
        nothing is sent, and what would be is shown.
        """, examples: ["larder notify --dry-run", "larder notify --test"])

    @Flag(help: "Show what would be sent, and send nothing.") var dryRun = false
    @Flag(help: "Send a message that says it is a test.") var test = false
    @OptionGroup var volumes: VolumeOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws {
        try await Application.run(global, output, volume: volumes.volume) {
            try $0.say(try await $0.services.sendNotices(dryRun: dryRun, isTest: test))
        }
    }
}
