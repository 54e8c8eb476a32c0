import CacheModel
import CacheServices
import Foundation
import Yams

extension ConfigurationKeys {
    /// The keys of `daemon`.
    static let daemon = [
        "schedules", "time_zone", "jitter", "jitter_kind", "parallel", "pressure_interval", "event_interval",
        "grace_period", "listen", "token_file",
    ]
    /// The keys of `daemon.schedules`.
    static let schedules = Activity.allCases.map(\.rawValue)
}

extension ConfigurationSetting {
    /// The settings of the daemon.
    static let daemon = [
        ConfigurationSetting("daemon.schedules.scan", .schedule, \.daemon.scan),
        ConfigurationSetting("daemon.schedules.prune", .schedule, \.daemon.prune),
        ConfigurationSetting("daemon.schedules.warm", .schedule, \.daemon.warm),
        ConfigurationSetting("daemon.schedules.verify", .schedule, \.daemon.verify),
        ConfigurationSetting("daemon.schedules.report", .schedule, \.daemon.report),
        ConfigurationSetting("daemon.time_zone", .timeZone, \.daemon.timeZone),
        ConfigurationSetting("daemon.jitter", .span, \.daemon.jitter),
        ConfigurationSetting("daemon.jitter_kind", .jitterKind, \.daemon.jitterKind),
        ConfigurationSetting("daemon.parallel", .pulls, \.daemon.parallel),
        ConfigurationSetting("daemon.pressure_interval", .positiveSpan, \.daemon.pressureInterval),
        ConfigurationSetting("daemon.event_interval", .positiveSpan, \.daemon.eventInterval),
        ConfigurationSetting("daemon.grace_period", .positiveSpan, \.daemon.gracePeriod),
        ConfigurationSetting("daemon.listen", .listenAddress, \.daemon.listen),
        ConfigurationSetting("daemon.token_file", .fileOrNone, \.daemon.tokenFile),
    ]
}

extension Configuration {
    /// Takes over what a file says of the daemon.
    mutating func takeDaemon(from top: MappingReader) {
        guard let daemon = top.section("daemon", known: ConfigurationKeys.daemon) else { return }
        takeSettings(of: daemon)
        guard let schedules = daemon.section("schedules", known: ConfigurationKeys.schedules) else { return }
        takeSettings(of: schedules)
    }
}

extension ValueFormat<CronSchedule?> {
    /// A schedule of cron, or `none`.
    static var schedule: Self {
        Self(
            accepted: "the five fields of cron (minute hour day month weekday) in quotes, such as "
                + "\"43 1 * * *\" or \"*/30 * * * mon-fri\", or @hourly, @daily, @weekly, @monthly, "
                + "@yearly, or none",
            read: { text in text == "none" ? .some(nil) : CronSchedule(text).map { .some($0) } },
            guess: { text in
                guard text.split(separator: " ").count == 6 else { return nil }
                let five = text.split(separator: " ").dropFirst().joined(separator: " ")
                return CronSchedule(five) == nil ? nil : "`\(five)`, without seconds"
            },
            flaw: { CronSchedule.flaw(in: $0) })
    }
}

extension ValueFormat<TimeZone> {
    /// A time zone by its IANA name.
    static var timeZone: Self {
        Self(
            accepted: "the IANA name of a time zone, such as UTC or Europe/Berlin",
            read: { text in
                if text == "UTC" { return .gmt }
                return TimeZone.knownTimeZoneIdentifiers.contains(text) ? TimeZone(identifier: text) : nil
            },
            guess: { text in nearest(text, among: TimeZone.knownTimeZoneIdentifiers).map { "`\($0)`" } })
    }
}

extension ValueFormat<ListenAddress?> {
    /// An address to listen at, or `none`.
    static var listenAddress: Self {
        Self(
            accepted: "an address with its port such as 127.0.0.1:9847, 0.0.0.0:9847 or [::1]:9847, a socket "
                + "such as unix:/run/larder/http.sock, or none",
            read: { text in text == "none" ? .some(nil) : ListenAddress(text).map { .some($0) } },
            guess: { text in
                if text.hasPrefix(":") { return "`127.0.0.1\(text)`, or `0.0.0.0\(text)` for all addresses" }
                if text.hasPrefix("unix://") { return "`unix:\(text.dropFirst(7))`" }
                return nil
            })
    }
}

extension ValueFormat<Jitter.Kind> {
    /// How a jitter is chosen.
    static var jitterKind: Self {
        Self(
            accepted: "fixed, random", read: { Jitter.Kind(rawValue: $0) },
            guess: { nearest($0, among: ["fixed", "random"]).map { "`\($0)`" } })
    }
}
