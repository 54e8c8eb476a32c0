import CacheModel
import Foundation
import Logging
import Testing

@testable import CacheServices
@testable import larder

@Suite struct PrecedenceTests {
    @Test func withoutAnythingTheDeploymentsDefaultsHold() throws {
        let configuration = try load()
        #expect(configuration.volumes.map(\.name) == ["build", "images"])
        #expect(configuration.volumes.map(\.kind) == [.buildCache, .imageStore])
        #expect(configuration.volumes.map(\.path) == ["/cache", "/podman-data/storage"])
        #expect(configuration.sockets == ["images": "unix:///sockets/podman.sock"])
        #expect(configuration.sockets == ["images": "unix:///sockets/podman.sock"])
        #expect(configuration.idleFloor == .hours(24))
        #expect(configuration.warnings == [])
    }

    @Test(arguments: ["", "\n", "# nothing\n", "---\n", "~\n", "{}\n", "\u{feff}# nothing\r\n"])
    func anEmptyFileChangesNothing(_ yaml: String) throws {
        #expect(try load(yaml) == load())
    }

    @Test func flagsGoBeforeEnvironmentBeforeFileBeforeDefaults() throws {
        let file = "log_level: error\nidle_floor: 1h\nplan_ttl: 2h\n"
        let environment = ["LARDER_LOG_LEVEL": "debug", "LARDER_IDLE_FLOOR": "3h"]
        let flags = ConfigurationFlags(logLevel: "trace")
        let all = try load(file, flags: flags, environment: environment)
        #expect(all.logLevel == .trace)
        #expect(all.idleFloor == .hours(3))
        #expect(all.planTimeToLive == .hours(2))
        #expect(all.regretWindow == .days(14))
    }

    @Test func everyVariableCounts() throws {
        let scratch = try Scratch()
        let environment = [
            "LARDER_CONFIG": try scratch.write("state: /from/file\n"), "LARDER_STATE": "/s",
            "LARDER_LOG_LEVEL": "info", "LARDER_IDLE_FLOOR": "1h", "LARDER_REGRET_WINDOW": "2h",
            "LARDER_PLAN_TTL": "3h", "LARDER_PODMAN_DEADLINE": "4s", "LARDER_LIMITS_BYTES_SHARE": "5%",
            "LARDER_LIMITS_ENTRIES": "6", "LARDER_BUILD_CACHE": "/b", "LARDER_IMAGE_ROOT": "/i",
            "LARDER_SOCKET": "unix:///p.sock", "LARDER_WARM_PARALLEL": "7", "LARDER_WARM_PER_REGISTRY": "8",
            "LARDER_WARM_IMAGE_DEADLINE": "9m", "LARDER_WARM_RUN_DEADLINE": "10m",
            "LARDER_WARM_AUTH_FILE": "/auth.json", "LARDER_WARM_REGISTRIES_FILE": "/registries.conf",
            "LARDER_REPORT_DISTANCE": "2%", "LARDER_REPORT_REVIEW": "11d", "LARDER_REPORT_HEADROOM": "12Gi",
            "LARDER_REPORT_FETCH_SPEED": "13Mi", "LARDER_REPORT_HISTORY": "130d",
            "LARDER_REPORT_PRICE": "0.10 EUR", "LARDER_VERIFY_MAX_DURATION": "11m",
            "LARDER_VERIFY_MAX_RATE": "12Mi", "LARDER_CLUSTER": "east", "LARDER_NODE": "n1",
            "LARDER_TEXTFILE": "/t.prom", "LARDER_COLOR": "never", "LARDER_QUIET": "true",
            "LARDER_NOTIFICATIONS_FILLS_WITHIN": "14d",
        ].merging(DaemonKeyTests.environment) { $1 }
        let variables = ConfigurationKeys.inEnvironment.map(ConfigurationKeys.variable)
        #expect(Set(environment.keys) == Set(variables))
        let configuration = try load(environment: environment)
        #expect(configuration.stateDirectory == "/s")
        #expect(configuration.logLevel == .info)
        #expect(configuration.idleFloor == .hours(1))
        #expect(configuration.regretWindow == .hours(2))
        #expect(configuration.planTimeToLive == .hours(3))
        #expect(configuration.podmanDeadline == .seconds(4))
        #expect(configuration.limits == .init(bytesShare: .share(basisPoints: 500), entries: 6))
        let warm = WarmConfiguration(
            parallel: 7, perRegistry: 8, imageDeadline: .minutes(9), runDeadline: .minutes(10),
            authFile: "/auth.json", registriesFile: "/registries.conf")
        #expect(configuration.warm == warm)
        var report = ReportConfiguration(
            distance: .share(basisPoints: 200), review: .after(.days(11)), headroom: ByteCount(12 << 30),
            fetchSpeed: ByteCount(13 << 20))
        report.history = .days(130)
        report.price = .init(amount: 0.1, currency: "EUR")
        #expect(configuration.report == report)
        #expect(configuration.verify == .init(maxDuration: .minutes(11), maxRate: ByteCount(12 << 20)))
        #expect(configuration.daemon == DaemonKeyTests.daemon)
        let monitoring = [configuration.cluster, configuration.node, configuration.textfile]
        #expect(monitoring == ["east", "n1", "/t.prom"])
        #expect(configuration.color == .never && configuration.isQuiet)
        #expect(configuration.notifications.fillsWithin == .days(14))
        #expect(configuration.volumes.map(\.path) == ["/b", "/i"])
        #expect(configuration.sockets == ["images": "unix:///p.sock"])
    }

    @Test func everyFlagCounts() throws {
        let scratch = try Scratch()
        let flags = ConfigurationFlags(
            config: try scratch.write("plan_ttl: 5h\n"), state: "/s", buildCache: "/b", imageRoot: "/i",
            socket: "unix:///p.sock", logLevel: "info", idleFloor: "0s",
            verifyMaxDuration: "none", verifyMaxRate: "2Mi")
        let configuration = try load(flags: flags, environment: ["LARDER_CONFIG": "/nowhere"])
        #expect(configuration.planTimeToLive == .hours(5))
        #expect(configuration.stateDirectory == "/s")
        #expect(configuration.volumes.map(\.path) == ["/b", "/i"])
        #expect(configuration.sockets == ["images": "unix:///p.sock"])
        #expect(configuration.logLevel == .info)
        #expect(configuration.idleFloor == .zero)
        #expect(configuration.verify == .init(maxDuration: nil, maxRate: ByteCount(2 << 20)))
    }

    @Test func badFlagsAndVariablesAreNamed() throws {
        let flags = ConfigurationFlags(buildCache: "cache", logLevel: "loud")
        let environment = [
            "LARDER_IDLE_FLOOR": "soon", "LARDER_SOCKET": "/p.sock", "LARDER_LOG_LEVEL": "not looked at",
        ]
        let found = try problems("", flags: flags, environment: environment)
        #expect(
            found.map { $0.prefix(while: { $0 != ":" }) } == [
                "--log-level", "LARDER_IDLE_FLOOR", "--build-cache", "LARDER_SOCKET",
            ])
        #expect(found.last?.hasSuffix("did you mean `unix:///p.sock`?") == true)
    }

    @Test func anEmptyVariableIsNone() throws {
        let environment = ["LARDER_STATE": "", "LARDER_CONFIG": "", "LARDER_NONSENSE": ""]
        #expect(try load(environment: environment) == load())
    }

    @Test func anUnknownVariableIsAWarning() throws {
        let environment = [
            "LARDER_IDLEFLOOR": "1h", "LARDER_COLOUR": "red", "LARDER_SERVICE_HOST": "10.0.0.1",
            "LARDER_PORT_8080_TCP_ADDR": "10.0.0.1", "LARDER_PORT": "tcp://10.0.0.1:8080", "LARDERX": "1",
        ]
        let warnings = try load(environment: environment).warnings
        #expect(warnings.count == 2)
        #expect(warnings.first?.contains("LARDER_COLOUR is unknown") == true)
        #expect(warnings.last?.contains("did you mean LARDER_IDLE_FLOOR?") == true)
    }

    @Test func theStateDirectoryIsTheFirstThatCanBeWritten() throws {
        let scratch = try Scratch()
        let environment = ["XDG_STATE_HOME": "/xdg", "HOME": "/home/ci"]
        func state(_ deployed: String, _ environment: [String: String]) throws -> String {
            try Configuration.load(flags: .init(), environment: environment, deployedState: deployed)
                .stateDirectory
        }
        #expect(try state(scratch.path, environment) == scratch.path)
        #expect(try state(scratch.path + "/larder", environment) == scratch.path + "/larder")
        #expect(try state("/nowhere/at/all", environment) == "/xdg/larder")
        #expect(
            try state("/nowhere/at/all", ["XDG_STATE_HOME": "xdg", "HOME": "/home/ci"])
                == "/home/ci/.local/state/larder")
        #expect(throws: ConfigurationError.self) { try state("/nowhere/at/all", [:]) }
    }

    @Test func stateOnACacheVolumeIsAWarning() throws {
        let warnings = try load("state: /cache/.larder\n").warnings
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("volume `build`") == true)
    }
}
