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
        "warm", "report", "verify", "daemon", "volumes", "cluster", "node", "textfile",
    ]
    /// The keys of `warm`.
    static let warm = [
        "images", "parallel", "per_registry", "image_deadline", "run_deadline", "auth_file",
        "registries_file",
    ]
    /// The keys of `report`.
    static let report = ["distance", "review", "headroom", "fetch_speed"]
    /// The keys of `verify`.
    static let verify = ["max_duration", "max_rate"]
    /// The keys of an image to warm.
    static let warmImage = ["reference", "pull_policy", "platform"]
    /// The keys of a volume.
    static let volume = [
        "name", "kind", "path", "job_path", "limit", "high", "low", "critical", "pools", "keep", "trash",
        "socket", "events", "driver", "additional_stores", "evict_local",
        "evict_local_after",
    ]
    /// The keys of a volume that only one kind has, and the reason.
    static let ofOneKind: [String: (kind: Volume.Kind, reason: String)] = [
        "critical": (.buildCache, "images have no trash to empty"),
        "trash": (.buildCache, "images have no trash"),
        "socket": (.imageStore, "Podman serves no build cache"),
        "events": (.imageStore, "Podman writes no events of a build cache"),
        "driver": (.imageStore, "only image stores have a storage driver"),
        "additional_stores": (.imageStore, "only image stores have others beside them"),
        "evict_local": (.imageStore, "there are no images in a build cache"),
        "evict_local_after": (.imageStore, "there are no images in a build cache"),
    ]
    /// The keys of a pool.
    static let pool = ["limit", "high", "low", "max_idle"]

    /// The pools on a volume of that kind.
    static func pools(of kind: Volume.Kind) -> [Pool] {
        switch kind {
        case .buildCache: [.maven, .gradle, .gradleOther]
        case .imageStore: [.images]
        }
    }

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

    init<Value>(
        _ key: String, _ format: ValueFormat<Value>,
        _ target: WritableKeyPath<Configuration, Value> & Sendable
    ) {
        self.key = key
        accepted = format.accepted
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
        ConfigurationSetting("log_level", .logLevel, \.logLevel),
        ConfigurationSetting("idle_floor", .span, \.idleFloor),
        ConfigurationSetting("regret_window", .span, \.regretWindow),
        ConfigurationSetting("plan_ttl", .positiveSpan, \.planTimeToLive),
        ConfigurationSetting("podman_deadline", .positiveSpan, \.podmanDeadline),
        ConfigurationSetting("limits.bytes_share", .share, \.limits.bytesShare),
        ConfigurationSetting("limits.entries", .count, \.limits.entries),
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
        ConfigurationSetting("verify.max_duration", .spanOrNone, \.verify.maxDuration),
        ConfigurationSetting("verify.max_rate", .poolLimit, \.verify.maxRate),
    ]
}

/// The name among those known that a misspelt one is closest to; nil where none is close.
///
/// Close is an edit distance (Damerau 1964: neighbours swapped count once) of at most a third of the length, at least one; capitals and
/// dashes do not count.
func nearest(_ name: String, among known: [String]) -> String? {
    func letters(_ text: String) -> [Character] { text.lowercased().map { $0 == "-" ? "_" : $0 } }
    guard !name.isEmpty, name.utf8.count <= 60 else { return nil }
    let wanted = letters(name)
    let distances = known.map { (name: $0, distance: editDistance(wanted, letters($0))) }
    guard let best = distances.min(by: { $0.distance < $1.distance }),
        best.distance <= max(1, best.name.count / 3)
    else { return nil }
    return best.name
}

private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
    var rows = [Array(0...b.count)]
    for (i, left) in a.enumerated() {
        var row = [i + 1]
        for (j, right) in b.enumerated() {
            var best = min(rows[i][j] + (left == right ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, left == b[j - 1], right == a[i - 1] { best = min(best, rows[i - 1][j - 1] + 1) }
            row.append(best)
        }
        rows.append(row)
    }
    return rows[a.count][b.count]
}
