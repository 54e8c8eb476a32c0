import CacheModel
import CacheServices
import Foundation
import Reporting

extension LoadedConfiguration {
    /// Every value in force with its source, in the order of the example file.
    var report: ConfigurationReport {
        var lines = Lines(sources: sources)
        for setting in ConfigurationSetting.all {
            // A section's list stands before its single values.
            if setting.key == "notifications.fills_within" { writeWebhooks(to: &lines) }
            if setting.key == "warm.parallel" { writeImages(to: &lines) }
            lines.add(setting.key, setting.written(configuration))
        }
        for (place, volume) in volumes.enumerated() { volume.write(to: &lines, as: "volumes[\(place)]") }
        return ConfigurationReport(file: file, values: lines.values, warnings: configuration.warnings)
    }

    private func writeWebhooks(to lines: inout Lines) {
        let hooks = configuration.notifications.webhooks
        if hooks.isEmpty { lines.add("notifications.webhooks", "[]") }
        for (place, hook) in hooks.enumerated() {
            let key = "notifications.webhooks[\(place)]"
            if let url = hook.url { lines.add(key + ".url", Webhook.withoutSecrets(url)) }
            if let file = hook.urlFile { lines.add(key + ".url_file", file) }
            lines.add(key + ".format", hook.format.rawValue)
            let events = Notice.Event.allCases.filter(hook.events.contains).map(\.rawValue)
            lines.add(key + ".events", "[\(events.joined(separator: ", "))]")
            lines.add(key + ".template", hook.template ?? "{text}")
        }
    }

    private func writeImages(to lines: inout Lines) {
        let images = configuration.warm.images
        if images.isEmpty { lines.add("warm.images", "[]") }
        for (place, image) in images.enumerated() {
            let key = "warm.images[\(place)]"
            lines.add(key + ".reference", image.reference.name)
            lines.add(key + ".pull_policy", image.policy.rawValue)
            lines.add(key + ".platform", image.platform.map { "\($0)" } ?? "none")
        }
    }

    /// The values so far, each with its source.
    fileprivate struct Lines {
        let sources: [String: ConfigurationOrigin]
        var values: [ConfigurationReport.Value] = []

        /// Adds a value.
        ///
        /// - Parameter origin: where it came from, where that is not the place of its key.
        mutating func add(_ key: String, _ text: String, from origin: ConfigurationOrigin? = nil) {
            let origin = origin ?? sources[key] ?? .builtIn
            var line: Int?
            if case .file(_, let number, _) = origin { line = number }
            values.append(.init(key: key, value: text, source: origin.source, line: line))
        }
    }
}

extension ConfiguredVolume {
    fileprivate func write(to lines: inout LoadedConfiguration.Lines, as place: String) {
        // Flags and the environment go before the file for these.
        func add(_ name: String, _ text: String) {
            var origin: ConfigurationOrigin?
            switch origins[name] {
            case .flag?, .environment?: origin = origins[name]
            default: break
            }
            lines.add("\(place).\(name)", text, from: origin)
        }
        add("name", volume.name)
        add("kind", volume.kind.rawValue)
        add("path", volume.path)
        add("job_path", volume.jobPath)
        add("limit", configurationText(volume.limit, of: "limit"))
        add("high", volume.high.text)
        add("low", volume.low.text)
        if volume.kind == .buildCache { add("critical", volume.critical.text) }
        add("order", volume.order == .lru ? OrderWord.lru.rawValue : OrderWord.probation.rawValue)
        add("probation", configurationText(probation, of: "probation"))
        writePools(to: &lines, as: place + ".pools")
        if volume.kind == .buildCache {
            if volume.installed.isEmpty { add("installed", "[]") }
            for (number, rule) in volume.installed.enumerated() {
                add("installed[\(number)].pattern", Self.quoted(rule.pattern))
                add("installed[\(number)].max_age", configurationText(rule.maxAge, of: "max_age"))
                add("installed[\(number)].keep_versions", "\(rule.keepVersions)")
            }
        }
        add("keep", Self.list(volume.keep))
        switch volume.kind {
        case .buildCache:
            add("without_evidence", volume.withoutEvidence.rawValue)
            add("trash", configurationText(volume.trashRetention, of: "trash"))
        case .imageStore:
            add("evict_local", Self.list(volume.replaceable?.patterns ?? []))
            add("evict_local_after", configurationText(evictLocalAfter, of: "evict_local_after"))
            add("driver", volume.driver ?? "none")
            add("additional_stores", Self.list(volume.additionalStores))
            add("socket", socket ?? "none")
            add("events", volume.eventsPath)
        }
    }

    private func writePools(to lines: inout LoadedConfiguration.Lines, as place: String) {
        for pool in ConfigurationKeys.pools(of: volume.kind) + volume.ownPools.map(\.pool) {
            let key = "\(place).\(pool.rawValue)"
            for own in volume.ownPools where own.pool == pool {
                let preset =
                    lines.sources[key + ".preset"] == nil
                    ? nil : OwnPool.presets.first { OwnPool.rules(ofPreset: $0.name) == own.rules }?.name
                if let preset {
                    lines.add(key + ".preset", preset)
                } else {
                    lines.add(key + ".path", Self.list(own.rules.map(\.pattern.text)))
                    if case .directory(let depth)? = own.rules.first?.unit {
                        lines.add(key + ".unit", UnitWord.directory.rawValue)
                        lines.add(key + ".depth", "\(depth)")
                    } else {
                        lines.add(key + ".unit", UnitWord.file.rawValue)
                    }
                }
                lines.add(key + ".keep", Self.list(own.keep))
            }
            let levels = poolLevels[pool] ?? PoolLevels()
            lines.add(key + ".limit", volume.poolQuotas[pool]?.limit.quantity ?? "none")
            lines.add(key + ".high", levels.high.text)
            lines.add(key + ".low", levels.low.text)
            lines.add(key + ".max_idle", configurationText(volume.maxIdle[pool], of: "max_idle"))
        }
    }

    private static func quoted(_ text: String) -> String { "\"\(text)\"" }

    private static func list(_ texts: [String]) -> String {
        "[\(texts.map(quoted).joined(separator: ", "))]"
    }
}

extension Webhook {
    /// An address that may be shown: its server alone, as user, password, path and query may hold a secret.
    fileprivate static func withoutSecrets(_ address: String) -> String {
        guard let parts = URLComponents(string: address), let scheme = parts.scheme, let host = parts.host
        else {
            return "…"
        }
        let port = parts.port.map { ":\($0)" } ?? ""
        let isBare = parts.path.isEmpty || parts.path == "/"
        let user = parts.user == nil && parts.password == nil ? "" : "…@"
        let rest = isBare && parts.query == nil && parts.fragment == nil ? parts.path : "/…"
        return "\(scheme)://\(user)\(host)\(port)\(rest)"
    }
}
