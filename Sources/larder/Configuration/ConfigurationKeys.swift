import CacheModel
import CacheServices

/// The keys of a configuration file.
///
/// A key's variable in the environment is `LARDER_` and its path in capitals, `.` written `_`:
/// `limits.entries` is `LARDER_LIMITS_ENTRIES`. A volume's keys stand in the file alone, except for the three
/// that flags exist for as well: `LARDER_BUILD_CACHE`, `LARDER_IMAGE_ROOT` and `LARDER_SOCKET`.
enum ConfigurationKeys {
    /// The keys of `limits`.
    static let limits = ["bytes_share", "entries"]
    /// The keys at the top.
    static let top = [
        "state", "log_level", "idle_floor", "regret_window", "plan_ttl", "podman_deadline", "limits",
        "warm", "report", "verify", "daemon", "volumes", "cluster", "node", "textfile", "color", "quiet",
        "notifications",
    ]
    /// The keys of `warm`.
    static let warm = [
        "images", "parallel", "per_registry", "image_deadline", "run_deadline", "auth_file",
        "registries_file",
    ]
    /// The keys of `report`.
    static let report = ["distance", "review", "headroom", "fetch_speed", "history", "price"]
    /// The keys of `verify`.
    static let verify = ["max_duration", "max_rate"]
    /// The keys of an image to warm.
    static let warmImage = ["reference", "pull_policy", "platform"]
    /// The keys of a volume.
    static let volume = [
        "name", "kind", "path", "job_path", "limit", "high", "low", "critical", "pools", "keep", "trash",
        "socket", "events", "order", "probation", "driver", "additional_stores", "evict_local",
        "evict_local_after", "without_evidence", "installed",
    ]
    /// The keys of a volume that only one kind has, and the reason.
    static let ofOneKind: [String: (kind: Volume.Kind, reason: String)] = [
        "critical": (.buildCache, "images have no trash to empty"),
        "trash": (.buildCache, "images have no trash"),
        "without_evidence": (.buildCache, "the uses of images are known by events"),
        "installed": (.buildCache, "images that were made here are `evict_local`"),
        "socket": (.imageStore, "Podman serves no build cache"),
        "events": (.imageStore, "Podman writes no events of a build cache"),
        "driver": (.imageStore, "only image stores have a storage driver"),
        "additional_stores": (.imageStore, "only image stores have others beside them"),
        "evict_local": (.imageStore, "there are no images in a build cache"),
        "evict_local_after": (.imageStore, "there are no images in a build cache"),
    ]
    /// The keys of a rule for installed builds.
    static let installed = ["pattern", "max_age", "keep_versions"]
    /// The keys of a pool.
    static let pool = ["limit", "high", "low", "max_idle"]

    /// The pools on a volume of that kind.
    static func pools(of kind: Volume.Kind) -> [Pool] {
        switch kind {
        case .buildCache: [.maven, .gradle, .gradleOther]
        case .imageStore: [.images]
        }
    }

    /// Where a key belongs, in words, for one that stands elsewhere.
    static func places(of key: String) -> [String] {
        all.filter { $0.keys.contains(key) }.map(\.place)
    }

    /// The key that is closest to one that exists nowhere, and where it belongs.
    static func nearby(_ key: String) -> (key: String, place: String)? {
        nearest(key, among: all.flatMap(\.keys)).flatMap { near in
            places(of: near).first.map { (near, $0) }
        }
    }

    private static let all: [(keys: [String], place: String)] = [
        (top, "at the top of the file"), (limits, "in `limits`"), (warm, "in `warm`"),
        (report, "in `report`"), (verify, "in `verify`"), (daemon, "in `daemon`"),
        (schedules, "in `daemon.schedules`"), (volume, "in a volume of `volumes`"),
        (pool, "in a pool of a volume, such as `volumes[0].pools.maven`"),
        (installed, "in a rule of `installed`, such as `volumes[0].installed[0]`"),
        (["preset", "unit", "depth"], "in a pool of your own, such as `volumes[0].pools.npm`"),
        (warmImage, "in an image of `warm.images`"), (notifications, "in `notifications`"),
        (webhook, "in a webhook of `notifications.webhooks`"),
    ]

    /// The name of a key's variable in the environment.
    static func variable(_ key: String) -> String {
        "LARDER_" + String(key.uppercased().map { $0 == "." ? "_" : $0 })
    }

    /// The keys that a variable exists for: every setting, and what flags say of files and volumes.
    static let inEnvironment =
        ["config", "build_cache", "image_root", "socket"] + ConfigurationSetting.all.map(\.key)
}

/// A key with one value outside of the volumes.
struct ConfigurationSetting: Sendable {
    /// The key's path: `limits.entries`.
    var key: String
    /// What is accepted.
    var accepted: String
    /// Puts a value in its place.
    ///
    /// Returns the reason where it is refused.
    var apply: @Sendable (String, inout Configuration) -> String?
    /// The value in force, as a file would have it.
    var written: @Sendable (Configuration) -> String

    init<Value>(
        _ key: String, _ format: ValueFormat<Value>,
        _ target: WritableKeyPath<Configuration, Value> & Sendable
    ) {
        self.key = key
        accepted = format.accepted
        written = { configuration in configurationText(configuration[keyPath: target], of: key) }
        apply = { text, configuration in
            guard let value = format.read(text) else { return format.refusal(of: text) }
            configuration[keyPath: target] = value
            return nil
        }
    }

    /// Every setting.
    static let all = common + daemon

    private static let common = [
        ConfigurationSetting("state", .path, \.stateDirectory),
        ConfigurationSetting("cluster", .labelOrNone, \.cluster),
        ConfigurationSetting("node", .labelOrNone, \.node),
        ConfigurationSetting("textfile", .fileOrNone, \.textfile),
        ConfigurationSetting("log_level", .word, \.logLevel),
        ConfigurationSetting("color", .color, \.color),
        ConfigurationSetting("quiet", .truth, \.isQuiet),
        ConfigurationSetting("idle_floor", .span, \.idleFloor),
        ConfigurationSetting("regret_window", .span, \.regretWindow),
        ConfigurationSetting("plan_ttl", .positiveSpan, \.planTimeToLive),
        ConfigurationSetting("podman_deadline", .positiveSpan, \.podmanDeadline),
        ConfigurationSetting("limits.bytes_share", .share, \.limits.bytesShare),
        ConfigurationSetting("limits.entries", .count, \.limits.entries),
        ConfigurationSetting("notifications.fills_within", .positiveSpan, \.notifications.fillsWithin),
        ConfigurationSetting("warm.parallel", .pulls, \.warm.parallel),
        ConfigurationSetting("warm.per_registry", .pulls, \.warm.perRegistry),
        ConfigurationSetting("warm.image_deadline", .positiveSpan, \.warm.imageDeadline),
        ConfigurationSetting("warm.run_deadline", .positiveSpan, \.warm.runDeadline),
        ConfigurationSetting("warm.auth_file", .fileOrNone, \.warm.authFile),
        ConfigurationSetting("warm.registries_file", .fileOrNone, \.warm.registriesFile),
        ConfigurationSetting("report.distance", .points, \.report.distance),
        ConfigurationSetting("report.review", .review, \.report.review),
        ConfigurationSetting("report.headroom", .headroom, \.report.headroom),
        ConfigurationSetting("report.fetch_speed", .speed, \.report.fetchSpeed),
        ConfigurationSetting("report.history", .history, \.report.history),
        ConfigurationSetting("report.price", .price, \.report.price),
        ConfigurationSetting("verify.max_duration", .spanOrNone, \.verify.maxDuration),
        ConfigurationSetting("verify.max_rate", .poolLimit, \.verify.maxRate),
    ]
}
