import CacheModel
import Logging

/// What Larder was told: the volumes it keeps, and how carefully.
///
/// A value comes from a flag, else from `LARDER_…` in the environment, else from the file, else from the
/// defaults below, which are those of the deployment. `deploy/larder.example.yaml` explains every key.
struct Configuration: Sendable, Equatable {
    /// How much one run of `prune` may evict, whatever the quota asks for.
    struct RunLimits: Sendable, Hashable {
        /// The part of a volume's used bytes that one run may evict.
        var bytesShare: Watermark = .share(basisPoints: 5000)
        /// The number of entries that one run may evict from a volume.
        var entries = 50_000
    }

    /// The absolute path of the directory that holds the index and the run locks.
    var stateDirectory: String
    /// The names of the cluster and the node, as labels of all metrics; nil for none.
    var cluster: String?
    var node: String?
    /// The file that the metrics are written to after each run; nil for none.
    var textfile: String?
    /// The least severe level that is logged.
    var logLevel: Logger.Level = .notice
    /// The volumes, at least one, in the order of the file.
    var volumes: [Volume]
    /// The URL of the Podman socket that serves an image store, by the volume's name.
    ///
    /// Every image store has one, and no two share it.
    var sockets: [String: String]
    /// How long a request to Podman may take before it counts as failed.
    var podmanDeadline: Span = .seconds(30)
    /// What was used or fetched more recently is never evicted; zero turns the protection off.
    var idleFloor: Span = .hours(24)
    /// For how long a written plan can be applied.
    var planTimeToLive: Span = .hours(1)
    /// A fetch this soon after an eviction counts as regret.
    var regretWindow: Span = .days(14)
    /// What one run may evict.
    var limits = RunLimits()
    /// Which images `warm` makes ready, and how.
    var warm = WarmConfiguration()
    /// What a recommended size shall keep to.
    var report = ReportConfiguration()
    /// How fast `verify` reads, and for how long.
    var verify = VerifyConfiguration()
    /// When the daemon does what.
    var daemon = DaemonConfiguration()
    /// What looks like a mistake and stops nothing, each in a sentence.
    var warnings: [String] = []

    /// The window over which hit rates are taken where a command names none.
    static let reportWindow: Span = .days(30)
    /// The state directory of the deployment.
    static let deployedStateDirectory = "/var/lib/larder"
    /// The socket of the deployment.
    static let deployedSocket = "unix:///sockets/podman.sock"

    /// The volume of the deployment with that kind.
    static func deployedVolume(_ kind: Volume.Kind) -> Volume {
        switch kind {
        case .buildCache: Volume(name: "build", kind: kind, path: "/cache")
        case .imageStore: Volume(name: "images", kind: kind, path: "/podman-data/storage")
        }
    }

    /// The path of the Podman socket that serves a volume; nil where it is no image store.
    func socketPath(of volume: Volume) -> String? {
        sockets[volume.name].map { String($0.dropFirst(ValueFormat<String>.socketScheme.count)) }
    }
}

/// The global flags, as given; nil where a flag is absent.
struct ConfigurationFlags: Sendable, Equatable {
    /// `--config`: the configuration file.
    var config: String?
    /// `--state`: the state directory.
    var state: String?
    /// `--build-cache`: the path of the build cache volume.
    var buildCache: String?
    /// `--image-root`: the path of the image store.
    var imageRoot: String?
    /// `--socket`: the URL of the image store's Podman socket.
    var socket: String?
    /// `--log-level`: the least severe level that is logged.
    var logLevel: String?
    /// `--idle-floor`, of `plan`, `prune` and `verify`.
    var idleFloor: String?
    /// `--max-duration`, of `verify`.
    var verifyMaxDuration: String?
    /// `--max-rate`, of `verify`.
    var verifyMaxRate: String?
    /// `--listen`, of `serve`.
    var listen: String?

    /// The flags that were given, by the key whose variable in the environment they override.
    var values: [String: (flag: String, text: String)] {
        let all = [
            ("config", "--config", config), ("state", "--state", state),
            ("build_cache", "--build-cache", buildCache), ("image_root", "--image-root", imageRoot),
            ("socket", "--socket", socket), ("log_level", "--log-level", logLevel),
            ("idle_floor", "--idle-floor", idleFloor),
            ("verify.max_duration", "--max-duration", verifyMaxDuration),
            ("verify.max_rate", "--max-rate", verifyMaxRate),
            ("daemon.listen", "--listen", listen),
        ]
        var given: [String: (flag: String, text: String)] = [:]
        for (key, flag, text) in all { if let text { given[key] = (flag, text) } }
        return given
    }
}
