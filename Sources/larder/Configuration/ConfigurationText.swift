import CacheModel
import CacheServices
import Foundation
import Logging
import Reporting

/// A value of the configuration as a file would have it.
///
/// - Parameter key: the key it belongs to: what an absent value stands for depends on it.
func configurationText<Value>(_ value: Value, of key: String) -> String {
    switch value as Any {
    case let text as String: return text
    case let flag as Bool: return flag ? "true" : "false"
    case let span as Span: return span.exact
    case let size as ByteCount: return size.bytes == 0 ? "0" : size.quantity
    case let level as Watermark: return level.text
    case let level as Logger.Level: return level.rawValue
    case let schedule as CronSchedule: return schedule.description
    case let zone as TimeZone: return zone.identifier == "GMT" ? "UTC" : zone.identifier
    case let kind as Jitter.Kind: return kind.rawValue
    case let choice as ColorChoice: return choice.rawValue
    case let review as ReportConfiguration.Review:
        switch review {
        case .after(let span): return span.exact
        case .on(let day): return String(day.description.prefix(10))
        }
    default: break
    }
    let mirror = Mirror(reflecting: value)
    guard mirror.displayStyle == .optional else { return "\(value)" }
    if let held = mirror.children.first?.value { return configurationText(held, of: key) }
    return ["report.headroom": "measured", "limit": "capacity"][key] ?? "none"
}

extension Span {
    /// The span with every unit it takes: `1d2h3m`, where its description rounds.
    fileprivate var exact: String {
        var rest = seconds
        var text = ""
        for (unit, length) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] as [(String, Int64)]
        where rest >= length {
            text += "\(rest / length)\(unit)"
            rest %= length
        }
        return text.isEmpty ? "0s" : text
    }
}

extension LoadedConfiguration {
    /// Every value in force with its source, in the order of the example file.
    var report: ConfigurationReport {
        var values = ConfigurationSetting.all.map { setting in
            value(setting.key, setting.written(configuration), sources[setting.key] ?? .builtIn)
        }
        for (place, image) in configuration.warm.images.enumerated() {
            values.append(
                value("warm.images[\(place)].reference", image.reference.name, .wholeFile(file ?? "")))
        }
        for (place, configured) in volumes.enumerated() {
            let volume = configured.volume
            func add(_ key: String, _ text: String) {
                values.append(
                    value("volumes[\(place)].\(key)", text, configured.given[key] ?? configured.origin(key)))
            }
            add("name", volume.name)
            add("kind", volume.kind.rawValue)
            add("path", volume.path)
            add("job_path", volume.jobPath)
            add("limit", configurationText(volume.limit, of: "limit"))
            add("high", volume.high.text)
            add("low", volume.low.text)
            if volume.kind == .buildCache {
                add("critical", volume.critical.text)
                add("trash", configurationText(volume.trashRetention, of: "trash"))
            }
            for (pool, quota) in volume.poolQuotas.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                let source = configured.given["pools"] ?? .builtIn
                for (key, size) in [("limit", quota.limit), ("high", quota.high), ("low", quota.low)] {
                    values.append(
                        value("volumes[\(place)].pools.\(pool.rawValue).\(key)", size.quantity, source))
                }
            }
            for (pool, idle) in volume.maxIdle.sorted(by: { $0.key < $1.key }) {
                values.append(
                    value(
                        "volumes[\(place)].pools.\(pool.rawValue).max_idle",
                        configurationText(idle, of: "max_idle"), configured.given["pools"] ?? .builtIn))
            }
            for own in volume.ownPools {
                let key = "volumes[\(place)].pools.\(own.pool.rawValue)"
                let source = configured.given["pools"] ?? .builtIn
                for rule in own.rules {
                    let unit =
                        if case .directory(let depth) = rule.unit { "directory, depth \(depth)" } else {
                            "file"
                        }
                    values.append(value(key + ".path", "\"\(rule.pattern.text)\" (unit: \(unit))", source))
                }
                if !own.keep.isEmpty {
                    let keep = own.keep.map { "\"\($0)\"" }.joined(separator: ", ")
                    values.append(value(key + ".keep", "[\(keep)]", source))
                }
            }
            for (number, rule) in volume.installed.enumerated() {
                let source = configured.given["installed"] ?? .builtIn
                for (key, text) in [
                    ("pattern", "\"\(rule.pattern)\""),
                    ("max_age", configurationText(rule.maxAge, of: "max_age")),
                    ("keep_versions", "\(rule.keepVersions)"),
                ] {
                    values.append(value("volumes[\(place)].installed[\(number)].\(key)", text, source))
                }
            }
            add("keep", "[\(volume.keep.map { "\"\($0)\"" }.joined(separator: ", "))]")
            if volume.kind == .imageStore {
                add("socket", configured.socket ?? "none")
                add("events", volume.eventsPath)
            }
        }
        return ConfigurationReport(file: file, values: values, warnings: configuration.warnings)
    }

    private func value(
        _ key: String, _ text: String, _ origin: ConfigurationOrigin
    ) -> ConfigurationReport.Value {
        var line: Int?
        if case .file(_, let number, _) = origin { line = number }
        return .init(key: key, value: text, source: origin.source, line: line)
    }
}
