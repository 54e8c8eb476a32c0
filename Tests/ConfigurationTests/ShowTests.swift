import CacheModel
import Foundation
import Logging
import Testing
import Yams

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
            report: {headroom: 5Gi, review: 2031-02-03, fetch_speed: 20Mi, price: 0.10 EUR}
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

    /// A configuration that names every key, each with another value than its default.
    private static let everything = """
        state: /state
        cluster: east
        node: n1
        textfile: /metrics/larder.prom
        log_level: debug
        color: never
        quiet: true
        idle_floor: 2h
        regret_window: 7d
        plan_ttl: 2h
        podman_deadline: 1m
        limits: {bytes_share: 40%, entries: 100}
        notifications:
          webhooks:
            - url: https://bot:hunter2@hooks.example:8443/services/T0/SECRET?token=SECRET#SECRET
              format: slack
              events: [damaged, over-quota]
              template: "{volume}: {text}"
            - url_file: /secrets/url
          fills_within: 3d
        warm:
          images: [{reference: docker.io/library/postgres:16, pull_policy: newer, platform: linux/arm64}]
          parallel: 3
          per_registry: 1
          image_deadline: 10m
          run_deadline: 2h
          auth_file: /secrets/auth
          registries_file: /secrets/registries.conf
        report:
          {distance: 2%, review: 30d, headroom: 5Gi, fetch_speed: 20Mi, history: 60d, price: 0.10 EUR}
        verify: {max_duration: 1h, max_rate: 50Mi}
        daemon:
          schedules: {scan: "1 * * * *", prune: "2 1 * * *", warm: none, verify: "@weekly", report: none}
          time_zone: Europe/Berlin
          jitter: 5m
          jitter_kind: random
          parallel: 4
          pressure_interval: 9s
          event_interval: 2s
          grace_period: 10s
          listen: none
          token_file: /secrets/token
        volumes:
          - name: build
            kind: build-cache
            path: /b
            job_path: /jobs/b
            limit: 50Gi
            high: 80%
            low: 60%
            critical: 90%
            order: probation
            probation: 9d
            pools:
              maven: {limit: 8Gi, high: 81%, low: 61%, max_idle: 30d}
              gradle: {limit: none, high: 82%, low: 62%}
              npm: {preset: npm, limit: 5Gi, high: 83%, low: 63%}
              logs: {path: ["logs/*", "more/**/x"], unit: directory, depth: 1, keep: ["logs/a*"], max_idle: 9d}
              files: {path: "files/*", unit: file}
            installed: [{pattern: "com.example:*", max_age: 40d, keep_versions: 3}]
            keep: ["a:*"]
            without_evidence: by-fetch-age
            trash: 2h
          - name: images
            kind: image-store
            path: /i
            keep: ["postgres:*"]
            evict_local: ["localhost/ci/*"]
            evict_local_after: 9d
            driver: overlay
            additional_stores: [/more]
            socket: unix:///run/p.sock
            events: /e
        """

    /// The paths of all values of a file, and those values as they are written there.
    private static func leaves(_ node: Node, _ path: String = "") -> [(key: String, value: String)] {
        if let mapping = node.mapping {
            return mapping.flatMap { key, value in
                leaves(value, path.isEmpty ? key.string ?? "" : "\(path).\(key.string ?? "")")
            }
        }
        let parts = node.sequence.map { Array($0) } ?? []
        if parts.contains(where: { $0.mapping != nil }) {
            return parts.enumerated().flatMap { leaves($1, "\(path)[\($0)]") }
        }
        guard let scalar = node.scalar?.string else {
            return [(path, parts.compactMap(\.scalar?.string).joined(separator: ", "))]
        }
        return [(path, scalar)]
    }

    @Test(arguments: ["the example", "everything"])
    func everyKeyOfAFileIsShown(which: String) throws {
        let text = which == "everything" ? Self.everything : try example()
        let scratch = try Scratch()
        let loaded = try Configuration.loadWithSources(
            flags: ConfigurationFlags(config: try scratch.write(text)), environment: ["HOME": "/home/ci"])
        let report = loaded.report
        let (table, json) = (
            report.text(width: 1_000, color: false, now: Timestamp(seconds: 0)), try report.json()
        )
        let shown = Dictionary(grouping: report.values, by: \.key)
        let written = Self.leaves(try #require(try compose(yaml: text)))
        #expect(written.count > 60)
        for (key, value) in written {
            #expect(shown[key]?.count == 1, "\(key)")
            #expect(table.contains("\n\(key) "), "\(key)")
            #expect(json.contains("\"\(key)\""), "\(key)")
            let told = shown[key]?.first
            #expect(told?.source.hasPrefix("line ") == true, "\(key): \(told?.source ?? "")")
            let isSecret = key.hasSuffix(".url")
            let plain = told?.value.filter { !"[]\"".contains($0) }
            #expect(isSecret || plain == Self.asShown[value] ?? value, "\(key): \(told?.value ?? "")")
        }
        #expect(!table.contains("(amount:") && !json.contains("(amount:"))
    }

    /// What is written in one way and shown in another that means the same.
    private static let asShown = [
        "0.10 EUR": "0.1 EUR", "damaged, over-quota": "over-quota, damaged", "24h": "1d",
    ]

    /// What `everyKeyOfAFileIsShown` goes through is all there is.
    @Test func everyKnownKeyIsInThatFile() throws {
        let names = Set(
            Self.leaves(try #require(try compose(yaml: Self.everything))).flatMap {
                $0.key.split(separator: ".").map { String($0.prefix { $0 != "[" }) }
            })
        let known =
            ConfigurationKeys.top + ConfigurationKeys.limits + ConfigurationKeys.warm
            + ConfigurationKeys.report
            + ConfigurationKeys.verify + ConfigurationKeys.daemon + ConfigurationKeys.schedules
            + ConfigurationKeys.notifications + ConfigurationKeys.webhook + ConfigurationKeys.warmImage
            + ConfigurationKeys.volume + ConfigurationKeys.installed + ConfigurationKeys.ownPool
        for key in known { #expect(names.contains(key), "\(key)") }
    }

    @Test func theAddressOfAWebhookStaysASecret() throws {
        let scratch = try Scratch()
        func shown(_ url: String) throws -> String {
            let file = try scratch.write("notifications: {webhooks: [{url: \"\(url)\"}]}\n")
            let report = try Configuration.loadWithSources(
                flags: ConfigurationFlags(config: file, state: "/state"), environment: [:]
            ).report
            #expect(try !report.json().contains("SECRET"))
            #expect(!report.text(color: false, now: Timestamp(seconds: 0)).contains("SECRET"))
            return report.values.first { $0.key == "notifications.webhooks[0].url" }?.value ?? ""
        }
        #expect(try shown("https://hooks.example/services/SECRET") == "https://hooks.example/…")
        #expect(try shown("https://u:SECRET@hooks.example:8443") == "https://…@hooks.example:8443")
        #expect(try shown("http://hooks.example?token=SECRET") == "http://hooks.example/…")
        #expect(try shown("http://127.0.0.1:9000/") == "http://127.0.0.1:9000/")
    }

    @Test func aFlagGoesBeforeTheFileAlsoForAVolume() throws {
        let scratch = try Scratch()
        let file = try scratch.write(buildCache("high: 80%"))
        let values = try Configuration.loadWithSources(
            flags: ConfigurationFlags(config: file, state: "/state", buildCache: "/elsewhere"),
            environment: [:]
        ).report.values
        let path = values.first { $0.key == "volumes[0].path" }
        #expect(path.map { [$0.value, $0.source] } == ["/elsewhere", "--build-cache"])
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
        #expect(found.searched.isEmpty && named.searched.isEmpty)
        let bare = try Configuration.load(flags: ConfigurationFlags(), environment: [:])
        #expect(bare.volumes.map(\.path) == ["/cache", "/podman-data/storage"])
        let none = try Configuration.load(
            flags: ConfigurationFlags(), environment: ["HOME": "/home/ci", "GRADLE_USER_HOME": "/gradle"])
        #expect(none.volumes.map(\.path) == ["/cache", "/podman-data/storage"] && none.notes.isEmpty)
        #expect(
            none.searched == [
                "/home/ci/.m2/repository", "/gradle", "/home/ci/.local/share/containers/storage",
            ])
    }
}
