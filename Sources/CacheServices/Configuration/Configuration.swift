import CacheModel
import Logging

/// What Larder was told: the volumes it keeps, and how carefully.
///
/// A value comes from a flag, else from `LARDER_…` in the environment, else from the file, else from the
/// defaults below, which are those of the deployment. `deploy/larder.example.yaml` explains every key.
package struct Configuration: Sendable, Equatable {
    /// How much one run of `prune` may evict, whatever the quota asks for.
    package struct RunLimits: Sendable, Hashable {
        /// The part of a volume's used bytes that one run may evict.
        package var bytesShare: Watermark = .share(basisPoints: 5000)
        /// The number of entries that one run may evict from a volume.
        package var entries = 50_000

        /// Puts it together.
        package init(bytesShare: Watermark = .share(basisPoints: 5000), entries: Int = 50_000) {
            self.bytesShare = bytesShare
            self.entries = entries
        }
    }

    /// The absolute path of the directory that holds the index and the run locks.
    package var stateDirectory: String
    /// The names of the cluster and the node, as labels of all metrics; nil for none.
    package var cluster: String?
    package var node: String?
    /// The file that the metrics are written to after each run; nil for none.
    package var textfile: String?
    /// The least severe level that is logged.
    package var logLevel: Logger.Level = .notice
    /// When colours are used on standard output.
    package var color: ColorChoice = .auto
    /// Whether nothing is told on standard error but errors.
    package var isQuiet = false
    /// The volumes, at least one, in the order of the file.
    package var volumes: [Volume]
    /// The URL of the Podman socket that serves an image store, by the volume's name.
    ///
    /// Every image store has one, and no two share it.
    package var sockets: [String: String]
    /// How long a request to Podman may take before it counts as failed.
    package var podmanDeadline: Span = .seconds(30)
    /// What was used or fetched more recently is never evicted; zero turns the protection off.
    package var idleFloor: Span = .hours(24)
    /// For how long a written plan can be applied.
    package var planTimeToLive: Span = .hours(1)
    /// A fetch this soon after an eviction counts as regret.
    package var regretWindow: Span = .days(14)
    /// What one run may evict.
    package var limits = RunLimits()
    /// Which images `warm` makes ready, and how.
    package var warm = WarmConfiguration()
    /// What a recommended size shall keep to.
    package var report = ReportConfiguration()
    /// How fast `verify` reads, and for how long.
    package var verify = VerifyConfiguration()
    /// Who is told of what.
    package var notifications = NotificationConfiguration()
    /// When the daemon does what.
    package var daemon = DaemonConfiguration()
    /// What a person should know of how it came about, each in a sentence.
    package var notes: [String] = []
    /// Where a person's own caches were looked for in vain, because nothing is configured.
    package var searched: [String] = []
    /// What looks like a mistake and stops nothing, each in a sentence.
    package var warnings: [String] = []

    /// The window over which hit rates are taken where a command names none.
    package static let reportWindow: Span = .days(30)
    /// The state directory of the deployment.
    package static let deployedStateDirectory = "/var/lib/larder"
    /// The socket of the deployment.
    package static let deployedSocket = "unix:///sockets/podman.sock"

    /// The volume of the deployment with that kind.
    package static func deployedVolume(_ kind: Volume.Kind) -> Volume {
        switch kind {
        case .buildCache: Volume(name: "build", kind: kind, path: "/cache")
        case .imageStore: Volume(name: "images", kind: kind, path: "/podman-data/storage")
        }
    }

    /// A configuration with every default but these.
    package init(stateDirectory: String, volumes: [Volume], sockets: [String: String]) {
        self.stateDirectory = stateDirectory
        self.volumes = volumes
        self.sockets = sockets
    }
}
