import CacheModel
import CacheServices
import Foundation
import Logging

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
    case let price as ReportConfiguration.Price: return "\(price.amount) \(price.currency)"
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
