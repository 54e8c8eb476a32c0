import CacheModel
import CacheServices
import Caches
import Yams

/// A volume on its way into a configuration, with what is needed to check it against the others.
struct ConfiguredVolume {
    /// The volume.
    var volume: Volume
    /// The URL of its socket, for an image store.
    var socket: String?
    /// Where its name, path and socket came from; what is missing is a default.
    var origins: [String: ConfigurationOrigin] = [:]
    /// How long an entry on probation counts as older; without force where the order is another one.
    var probation = Self.usualProbation
    /// After how long local images go; without force where no pattern names any.
    var evictLocalAfter = ReplaceableImages.usualTime
    /// The watermarks of its pools as they were given.
    var poolLevels: [Pool: PoolLevels] = [:]
    /// Its key path: `volumes[0]`; empty where a flag or the environment added it.
    var key: String
    /// Whether the path that jobs see was given, so that it does not follow `path`.
    var hasJobPath = false

    /// How long probation is unless it is said.
    private static let usualProbation = Span.days(21)

    /// The volume of the deployment with that kind.
    static func deployed(_ kind: Volume.Kind) -> ConfiguredVolume {
        ConfiguredVolume(
            volume: Configuration.deployedVolume(kind),
            socket: kind == .imageStore ? Configuration.deployedSocket : nil, key: "")
    }

    /// Moves the volume to another path.
    mutating func move(to path: String, origin: ConfigurationOrigin) {
        volume.path = path
        if !hasJobPath { volume.jobPath = path }
        origins["path"] = origin
    }

    /// Where the value of a key came from.
    func origin(_ key: String) -> ConfigurationOrigin { origins[key] ?? .builtIn }
}

extension ConfiguredVolume {
    /// Reads one volume of the file.
    ///
    /// Nil, with problems, where its name, kind or path cannot be known.
    init?(_ node: Node, path: String, of document: ParsedDocument, _ problems: ConfigurationProblems) {
        guard
            let reader = MappingReader(
                node, path: path, known: ConfigurationKeys.volume, of: document, problems)
        else { return nil }
        let name = reader.required("name", .volumeName)
        let kind: Volume.Kind? = reader.required("kind", .word)
        let volumePath = reader.required("path", .path)
        let jobPath = reader.value("job_path", .path)
        var volume = Volume(
            name: name ?? "", kind: kind ?? .buildCache, path: volumePath ?? "/", jobPath: jobPath)
        if let limit = reader.value("limit", .volumeLimit) { volume.limit = limit }
        volume.readWatermarks(reader)
        let poolLevels = volume.readPools(reader, kind: kind)
        volume.keep = reader.keepPatterns()
        if let trash = reader.value("trash", .span) { volume.trashRetention = trash }
        let withoutEvidence: WithoutEvidence? = reader.value("without_evidence", .word)
        if let withoutEvidence { volume.withoutEvidence = withoutEvidence }
        if let events = reader.value("events", .path), events != volume.eventsPath { volume.events = events }
        volume.driver = reader.value("driver", .storageDriver) ?? nil
        volume.additionalStores = reader.additionalStores()
        let evictLocalAfter = reader.value("evict_local_after", .positiveSpan)
        volume.replaceable = reader.replaceableImages(after: evictLocalAfter)
        volume.installed = reader.installedExpiries()
        let probation = reader.value("probation", .positiveSpan)
        let order: OrderWord? = reader.value("order", .word)
        switch order {
        case .lru?: volume.order = .lru
        case .probation?: volume.order = .probation(probation ?? Self.usualProbation)
        case nil: break
        }
        let socket = reader.value("socket", .socket)
        if let kind { reader.refuseKeysOfOtherKinds(than: kind) }
        guard name != nil, let kind, volumePath != nil else { return nil }
        self.init(
            volume: volume, socket: kind == .imageStore ? socket ?? Configuration.deployedSocket : nil,
            origins: ["name", "path", "socket"].reduce(into: [:]) { $0[$1] = reader.place(of: $1) },
            key: path, hasJobPath: jobPath != nil)
        self.poolLevels = poolLevels
        if let probation { self.probation = probation }
        if let evictLocalAfter { self.evictLocalAfter = evictLocalAfter }
    }
}

extension Volume {
    fileprivate mutating func readWatermarks(_ reader: MappingReader) {
        let given = (
            high: reader.value("high", .watermark), low: reader.value("low", .watermark),
            critical: reader.value("critical", .watermark)
        )
        high = given.high ?? high
        low = given.low ?? low
        critical = given.critical ?? critical
        reader.checkOrder([("low", low), ("high", high)], limit: limit)
        // The default of critical may lie below a high that was given: then the trash goes a little early, which
        // costs nobody an entry.
        if given.critical != nil {
            reader.checkOrder([("high", high), ("critical", critical)], limit: limit)
        }
    }

    /// Reads the pools.
    ///
    /// Returns their watermarks as they were given, which a quota holds as sizes.
    fileprivate mutating func readPools(_ reader: MappingReader, kind: Kind?) -> [Pool: PoolLevels] {
        guard let (node, place) = reader.node("pools") else { return [:] }
        var levels: [Pool: PoolLevels] = [:]
        let own = ConfigurationKeys.ownPools(in: node)
        guard
            let pools = MappingReader(
                node, path: reader.keyPath("pools"), known: Pool.allCases.map(\.rawValue), own: own,
                of: reader.document, reader.problems)
        else { return [:] }
        for name in Pool.allCases.map(\.rawValue) + own {
            guard let (_, place) = pools.node(name) else { continue }
            guard let pool = Pool(named: name) else {
                pools.problems.add(
                    place, pools.keyPath(quotable(name)),
                    "no name of a pool; accepted: 1 to 40 of the characters a-z, 0-9 and -, not `unmanaged`")
                continue
            }
            if let kind, !ConfigurationKeys.pools(of: kind).contains(pool),
                !pool.isOwn || kind != .buildCache
            {
                let accepted = ConfigurationKeys.pools(of: kind).map(\.rawValue).joined(separator: ", ")
                pools.problems.add(
                    place, pools.keyPath(name),
                    "no pool of a volume of kind \(kind.rawValue); accepted: \(accepted)")
            }
            let known = pool.isOwn ? ConfigurationKeys.ownPool : ConfigurationKeys.pool
            guard let keys = pools.section(name, known: known) else { continue }
            if pool.isOwn { ownPools += keys.ownPool(pool).map { [$0] } ?? [] }
            let (quota, idle, given) = keys.quota(within: limit, isOwn: pool.isOwn)
            levels[pool] = given
            poolQuotas[pool] = quota
            maxIdle[pool] = idle
        }
        if FolderRules.states(of: ownPools) > FolderRules.mostStates {
            reader.problems.add(
                place, reader.keyPath("pools"),
                "the paths of all pools have too many names to be looked for at once; accepted: about "
                    + "\(FolderRules.mostStates) names in all")
        }
        return levels
    }
}

extension MappingReader {
    /// The quota of a pool and its age, both as far as they are given.
    fileprivate func quota(
        within whole: ByteCount?, isOwn: Bool
    ) -> (quota: Quota?, maxIdle: Span?, levels: PoolLevels) {
        let idle = value("max_idle", .spanOrNone) ?? nil
        // A pool that is only limited by age, or of the user's own, has no size to come down to.
        let hasLevels = node("high") != nil || node("low") != nil
        var levels = PoolLevels()
        if let high = value("high", .watermark) { levels.high = high }
        if let low = value("low", .watermark) { levels.low = low }
        if node("limit") == nil, idle != nil || isOwn && !hasLevels { return (nil, idle, levels) }
        guard let limit = required("limit", .poolLimit) else { return (nil, idle, levels) }
        checkOrder([("low", levels.low), ("high", levels.high)], limit: limit)
        guard let limit else { return (nil, idle, levels) }
        if let whole, limit > whole {
            problems.add(
                place(of: "limit"), keyPath("limit"),
                "\(limit.quantity) is above the volume's limit of \(whole.quantity); accepted: at most that")
        }
        return (Quota(limit: limit, high: levels.high, low: levels.low), idle, levels)
    }

    fileprivate func keepPatterns() -> [String] { patterns("keep", such: "com.example:*") }

    func patterns(_ key: String, such example: String) -> [String] {
        let accepted = "a list of patterns in quotes, such as [\"\(example)\"]"
        return (list(key, accepted: accepted) ?? []).enumerated().compactMap { index, node in
            if case .scalar(let scalar) = node, node.tag != Tag(.null), !scalar.string.isEmpty {
                return scalar.string
            }
            problems.add(
                document.origin(of: node), keyPath("\(key)[\(index)]"),
                "found \(MappingReader.shape(of: node)); accepted: a pattern, such as \"\(example)\"")
            return nil
        }
    }

    /// Absolute paths of other image stores.
    fileprivate func additionalStores() -> [String] {
        (list("additional_stores", accepted: "a list of absolute paths") ?? []).enumerated().compactMap {
            index, node in
            if case .scalar(let scalar) = node, let path = ValueFormat<String>.path.read(scalar.string) {
                return path
            }
            problems.add(
                document.origin(of: node), keyPath("additional_stores[\(index)]"),
                "found \(MappingReader.shape(of: node)); accepted: \(ValueFormat<String>.path.accepted)")
            return nil
        }
    }

    /// Installed builds that may go all the same.
    fileprivate func installedExpiries() -> [InstalledExpiry] {
        let accepted = "a list of rules, such as [{pattern: \"com.example:*\", max_age: 30d}]"
        return (list("installed", accepted: accepted) ?? []).enumerated().compactMap { index, node in
            guard
                let rule = MappingReader(
                    node, path: keyPath("installed[\(index)]"), known: ConfigurationKeys.installed,
                    of: document, problems)
            else { return nil }
            let pattern = rule.required("pattern", .installedPattern)
            let age = rule.required("max_age", .positiveSpan)
            let keep = rule.value("keep_versions", .versions) ?? 1
            guard let pattern, let age else { return nil }
            return InstalledExpiry(pattern: pattern, maxAge: age, keepVersions: keep)
        }
    }

    /// Images that no registry has and that may go all the same.
    fileprivate func replaceableImages(after time: Span?) -> ReplaceableImages? {
        let patterns = patterns("evict_local", such: "localhost/ci/*")
        return patterns.isEmpty
            ? nil : ReplaceableImages(patterns: patterns, after: time ?? ReplaceableImages.usualTime)
    }

    fileprivate func refuseKeysOfOtherKinds(than kind: Volume.Kind) {
        for key in ConfigurationKeys.volume {
            guard let (_, place) = node(key), let only = ConfigurationKeys.ofOneKind[key], only.kind != kind
            else { continue }
            problems.add(
                place, keyPath(key),
                "no key of a volume of kind \(kind.rawValue): \(only.reason); "
                    + "accepted: for \(only.kind.rawValue) only")
        }
    }
}

/// The watermarks of a pool.
struct PoolLevels: Sendable, Hashable {
    /// Pruning starts above this level.
    var high = Watermark.share(basisPoints: 8500)
    /// Pruning stops at or below this level.
    var low = Watermark.share(basisPoints: 7000)
}

/// The word for an order of eviction.
enum OrderWord: String, CaseIterable, Sendable {
    case lru, probation
}
