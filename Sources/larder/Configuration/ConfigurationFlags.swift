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
    /// `--color`: when colours are used.
    var color: String?
    /// `--quiet`: whether nothing is told but errors.
    var quiet: String?
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
            ("color", "--color", color), ("quiet", "--quiet", quiet),
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
