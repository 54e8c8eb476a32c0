import Daemon
import Foundation
import Testing

@testable import CacheServices
@testable import larder

/// The keys of `daemon`.
@Suite struct DaemonKeyTests {
    /// Every key as a variable, with values that are no defaults.
    static let environment = [
        "LARDER_DAEMON_SCHEDULES_SCAN": "1 * * * *", "LARDER_DAEMON_SCHEDULES_PRUNE": "none",
        "LARDER_DAEMON_SCHEDULES_WARM": "@daily", "LARDER_DAEMON_SCHEDULES_VERIFY": "2 3 * * sun",
        "LARDER_DAEMON_SCHEDULES_REPORT": "none", "LARDER_DAEMON_TIME_ZONE": "Europe/Berlin",
        "LARDER_DAEMON_JITTER": "3m", "LARDER_DAEMON_JITTER_KIND": "random", "LARDER_DAEMON_PARALLEL": "4",
        "LARDER_DAEMON_PRESSURE_INTERVAL": "5s", "LARDER_DAEMON_EVENT_INTERVAL": "6s",
        "LARDER_DAEMON_GRACE_PERIOD": "7s", "LARDER_DAEMON_LISTEN": "[::1]:8",
        "LARDER_DAEMON_TOKEN_FILE": "/token",
    ]
    /// What they mean.
    static let daemon = DaemonConfiguration(
        scan: CronSchedule("1 * * * *"), prune: nil, warm: CronSchedule("@daily"),
        verify: CronSchedule("2 3 * * sun"), report: nil,
        timeZone: TimeZone(identifier: "Europe/Berlin") ?? .gmt, jitter: .minutes(3), jitterKind: .random,
        parallel: 4, pressureInterval: .seconds(5), eventInterval: .seconds(6), gracePeriod: .seconds(7),
        listen: .tcp(host: "::1", port: 8), tokenFile: "/token")

    @Test(arguments: [
        Refusal("daemon:\n  scan: 1\n", "2:3", "daemon.scan", "unknown key", "schedules, time_zone"),
        Refusal("daemon: 5\n", "1:9", "daemon", "found \"5\"", "schedules"),
        Refusal("daemon:\n  schedules: x\n", "2:14", "daemon.schedules", "scan, prune, warm"),
        Refusal(
            "daemon:\n  schedules:\n    purne: none\n", "3:5", "daemon.schedules.purne",
            "did you mean `prune`?"),
        Refusal(
            "daemon: {schedules: {scan: 61 * * * *}}\n", "1:28", "daemon.schedules.scan",
            "found \"61 * * * *\"", "five fields of cron"),
        Refusal(
            "daemon: {schedules: {scan: 0 5 4 * * *}}\n", "1:28", "daemon.schedules.scan", "did you mean",
            "`5 4 * * *`, without seconds?"),
        Refusal(
            "daemon: {schedules: {scan: 0 0 31 2 *}}\n", "1:28", "daemon.schedules.scan", "accepted"),
        Refusal(
            "daemon: {time_zone: Europe/Berln}\n", "1:21", "daemon.time_zone", "did you mean `Europe/Berlin`?"
        ),
        Refusal("daemon: {time_zone: CET+1}\n", "1:21", "daemon.time_zone", "IANA"),
        Refusal(
            "daemon: {jitter_kind: rnd}\n", "1:23", "daemon.jitter_kind", "fixed, random"),
        Refusal("daemon: {parallel: 0}\n", "1:20", "daemon.parallel", "from 1 to 32"),
        Refusal(
            "daemon: {listen: \":9847\"}\n", "1:18", "daemon.listen", "`127.0.0.1:9847`", "unix:/run"),
        Refusal("daemon: {token_file: token}\n", "1:22", "daemon.token_file"),
        Refusal("daemon: {pressure_interval: 0s}\n", "1:29", "daemon.pressure_interval", "above zero"),
    ])
    func wrongValues(_ refusal: Refusal) throws { try refusal.check() }
}
