import CacheModel
import Foundation
import Logging
import Testing

@testable import CacheServices
@testable import larder

/// What `config show` tells, and what is told at load.
@Suite struct ShowTests {
    @Test func everyValueIsWrittenAsItIsRead() throws {
        var changed = try load(
            """
            log_level: debug
            idle_floor: 1d2h3m
            regret_window: 90s
            limits: {bytes_share: 12.5%}
            report: {headroom: 5Gi, review: 2031-02-03, fetch_speed: 20Mi}
            verify: {max_duration: 10m}
            daemon: {schedules: {prune: none, verify: "2 3 * * sun"}, time_zone: Europe/Berlin, listen: none}
            """)
        for configuration in [try load(), changed] {
            for setting in ConfigurationSetting.all {
                let text = setting.written(configuration)
                changed = configuration
                #expect(setting.apply(text, &changed) == nil, "\(setting.key): \(text)")
                #expect(changed == configuration, "\(setting.key): \(text)")
            }
        }
    }

    @Test func eachValueNamesItsSource() throws {
        let scratch = try Scratch()
        let file = try scratch.write(
            "idle_floor: 2h\n" + buildCache("limit: 20Gi\nkeep: [\"a:*\"]"))
        let loaded = try Configuration.loadWithSources(
            flags: ConfigurationFlags(config: file, state: "/state"),
            environment: ["HOME": "/home/ci", "LARDER_REGRET_WINDOW": "3d"])
        let values = Dictionary(loaded.report.values.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
        #expect(values["idle_floor"].map { [$0.value, $0.source] } == ["2h", "line 1"])
        #expect(values["regret_window"].map { [$0.value, $0.source] } == ["3d", "LARDER_REGRET_WINDOW"])
        #expect(values["state"].map { [$0.value, $0.source] } == ["/state", "--state"])
        #expect(values["plan_ttl"].map { [$0.value, $0.source] } == ["1h", "default"])
        #expect(values["volumes[0].limit"].map { [$0.value, $0.source] } == ["20Gi", "line 6"])
        #expect(values["volumes[0].high"].map { [$0.value, $0.source] } == ["85%", "default"])
        #expect(values["volumes[0].keep"]?.value == "[\"a:*\"]")
        #expect(values["volumes[0].keep"]?.line == 7)
    }

    @Test(arguments: [
        ("61 * * * *", "the minute is \"61\""), ("0 24 * * *", "the hour is \"24\""),
        ("0 0 0 * *", "the day of the month is \"0\""), ("0 0 * 13 *", "the month is \"13\""),
        ("0 0 * * wen", "the day of the week is \"wen\""), ("0 0 * *", "4 fields where five are expected"),
        ("0 0 31 2 *", "no such day ever comes"),
    ])
    func aScheduleThatIsNoneNamesItsField(text: String, words: String) throws {
        let found = try problems("daemon: {schedules: {scan: \"\(text)\"}}\n")
        #expect(found.count == 1)
        #expect(found.first?.contains(words) == true, "\(found)")
    }

    @Test(arguments: [
        ("limit: 20Gi\n", "`limit` belongs in a volume of `volumes`"),
        ("scan: 1 * * * *\n", "`scan` belongs in `daemon.schedules`"),
        ("daemon: {idle_floor: 2h}\n", "`idle_floor` belongs at the top of the file"),
        ("entries: 5\n", "`entries` belongs in `limits`"),
    ])
    func aKeyInTheWrongPlaceIsToldItsPlace(yaml: String, words: String) throws {
        let found = try problems(yaml)
        #expect(found.contains { $0.contains("unknown key") && $0.contains(words) }, "\(found)")
    }

    @Test func aLimitBeyondTheDiskIsToldAtLoad() throws {
        let scratch = try Scratch()
        let volume = "volumes:\n  - {name: build, kind: build-cache, path: \(scratch.path), limit: 900Pi}\n"
        #expect(try load(volume).warnings.contains { $0.contains("more than jobs can fill") })
        #expect(
            try !load(volume.replacing("900Pi", with: "2Mi")).warnings.contains {
                $0.contains("more than jobs can fill")
            })
    }

    @Test func whatAPersonHasIsFoundWhereNothingIsConfigured() throws {
        let scratch = try Scratch()
        for path in [".m2/repository", ".gradle", ".local/share/containers/storage"] {
            try FileManager.default.createDirectory(
                atPath: "\(scratch.path)/\(path)", withIntermediateDirectories: true)
        }
        // A machine that has the deployment's volumes is no laptop.
        guard !FileManager.default.fileExists(atPath: "/cache") else { return }
        let home = ["HOME": scratch.path]
        let found = try Configuration.load(flags: ConfigurationFlags(), environment: home)
        #expect(found.volumes.map(\.name) == ["maven", "gradle", "images"])
        #expect(found.volumes.map(\.isReadOnly) == [true, true, true])
        #expect(found.notes.first?.contains("changes nothing") == true)
        let named = try Configuration.load(
            flags: ConfigurationFlags(buildCache: scratch.path + "/.gradle"), environment: home)
        #expect(named.volumes.map(\.name) == ["build", "images"])
        #expect(named.volumes.map(\.isReadOnly) == [false, false])
        let bare = try Configuration.load(flags: ConfigurationFlags(), environment: [:])
        #expect(bare.volumes.map(\.path) == ["/cache", "/podman-data/storage"])
    }
}
