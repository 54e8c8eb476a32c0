import CacheModel
import Testing

@testable import CacheServices
@testable import larder

/// Pools of the user's own and rules for installed builds, as a file has them.
@Suite struct OwnPoolKeyTests {
    @Test func theyAreReadAsWritten() throws {
        let configuration = try load(
            buildCache(
                """
                pools:
                  maven: {limit: 8Gi, max_idle: 90d}
                  daemon-logs: {preset: gradle-daemon-logs, max_idle: 14d}
                  npm: {preset: npm, limit: 5Gi, low: 50%}
                  reports: {path: ["reports/*", "old/**/x"], unit: directory, depth: 1, keep: ["reports/r*"]}
                  zips: {path: "**/*.zip", unit: file, max_idle: none}
                """))
        let volume = try #require(configuration.volumes.first)
        func pool(_ name: String) throws -> Pool { try #require(Pool(named: name)) }
        #expect(volume.ownPools.map(\.pool.rawValue) == ["daemon-logs", "npm", "reports", "zips"])
        #expect(volume.maxIdle == [.maven: .days(90), try pool("daemon-logs"): .days(14)])
        let npm = ByteCount(5 << 30)
        #expect(
            volume.poolQuotas[try pool("npm")]
                == Quota(limit: npm, high: .share(basisPoints: 8500), low: .share(basisPoints: 5000)))
        #expect(Set(volume.poolQuotas.keys) == [.maven, try pool("npm")])
        let reports = volume.ownPools[2]
        #expect(reports.rules.map(\.pattern.text) == ["reports/*", "old/**/x"])
        #expect(reports.rules.map(\.unit) == [.directory(depth: 1), .directory(depth: 1)])
        #expect(reports.keep == ["reports/r*"])
        #expect(volume.ownPools[3].rules.map(\.unit) == [.file])
        #expect(volume.ownPools[0].rules == OwnPool.rules(ofPreset: "gradle-daemon-logs"))
    }

    @Test func allPresetsFitTogether() throws {
        let lines = OwnPool.presets.map { "  \($0.name): {preset: \($0.name)}" }
        let configuration = try load(buildCache("pools:\n" + lines.joined(separator: "\n")))
        #expect(configuration.volumes.first?.ownPools.count == OwnPool.presets.count)
    }

    @Test(arguments: [
        Refusal(
            buildCache("pools: {npn: {preset: npn}}"), "5:27", "volumes[0].pools.npn.preset",
            "did you mean `npm`?"),
        Refusal(
            buildCache("pools: {x: {path: /cache/x, unit: file}}"), "5:23", "volumes[0].pools.x.path",
            "file system's root", "did you mean `\"cache/x\"`?"),
        Refusal(
            buildCache("pools: {x: {path: ../x, unit: file}}"), "5:23", "volumes[0].pools.x.path",
            "below the volume's root"),
        Refusal(
            buildCache("pools: {x: {path: [a, 5: 6], unit: file}}"), "5:27", "volumes[0].pools.x.path[1]",
            "found a mapping"),
        Refusal(
            buildCache("pools: {x: {path: [], unit: file}}"), "5:23", "volumes[0].pools.x.path", "empty list"),
        Refusal(
            buildCache("pools: {x: {path: a}}"), "5:16", "volumes[0].pools.x.unit", "missing",
            "file, directory"),
        Refusal(
            buildCache("pools: {x: {path: a, unit: files}}"), "5:32", "volumes[0].pools.x.unit",
            "did you mean `file`?"),
        Refusal(
            buildCache("pools: {x: {path: a, unit: file, depth: 2}}"), "5:45", "volumes[0].pools.x.depth",
            "`unit: directory` only"),
        Refusal(
            buildCache("pools: {x: {path: a, unit: directory, depth: 11}}"), "5:50",
            "volumes[0].pools.x.depth",
            "from 0 to 10"),
        Refusal(
            buildCache("pools: {x: {preset: npm, unit: file}}"), "5:36", "volumes[0].pools.x.unit",
            "a preset has its own"),
        Refusal(
            buildCache("pools: {x: {preset: npm, path: a, unit: file}}"), "5:25", "volumes[0].pools.x.preset",
            "one of both"),
        Refusal(
            buildCache("pools: {My Pool: {preset: npm}}"), "5:13", "volumes[0].pools.My Pool",
            "a-z, 0-9 and -"),
        Refusal(
            buildCache("pools: {unmanaged: {preset: npm}}"), "5:13", "volumes[0].pools.unmanaged",
            "not `unmanaged`"),
        Refusal(
            buildCache("pools: {npm: {limit: 5Gi}}"), "5:13", "volumes[0].pools.npm",
            "a name of your own with `path` or `preset`"),
        Refusal(
            buildCache("pools: {x: {preset: npm, high: 80%}}"), "5:16", "volumes[0].pools.x.limit", "missing"),
        Refusal(
            buildCache("limit: 4Gi\npools: {x: {preset: npm, limit: 5Gi}}"), "6:37",
            "volumes[0].pools.x.limit",
            "above the volume's limit"),
        Refusal(
            imageStore("pools: {npm: {preset: npm}}"), "5:13", "volumes[0].pools.npm", "accepted: images"),
        Refusal(
            buildCache("pools: {maven: {preset: npm, limit: 8Gi}}"), "5:21",
            "volumes[0].pools.maven.preset", "limit, high, low"),
        Refusal(
            buildCache("installed: [{pattern: \"*\", max_age: 30d}]"), "5:27",
            "volumes[0].installed[0].pattern",
            "names a group"),
        Refusal(
            buildCache("installed: [{max_age: 30d}]"), "5:17", "volumes[0].installed[0].pattern", "missing"),
        Refusal(
            buildCache("installed: [{pattern: \"a:*\"}]"), "5:17", "volumes[0].installed[0].max_age",
            "missing"),
        Refusal(
            buildCache("installed: [{pattern: \"a:*\", max_age: 30d, keep_versions: 0}]"), "5:63",
            "volumes[0].installed[0].keep_versions", "at least the newest"),
        Refusal(buildCache("installed: \"a:*\""), "5:16", "volumes[0].installed", "a list of rules"),
        Refusal(imageStore("installed: []"), "5:5", "volumes[0].installed", "for build-cache only"),
    ])
    func badOnesAreRefusedWithTheirCure(_ refusal: Refusal) throws { try refusal.check() }

    @Test func tooManyPathsAreRefused() throws {
        let paths = (1...9).map { "\"a/b/c/d/e/f/g/h/i/j/k/l/m/n/\($0)\"" }.joined(separator: ", ")
        let found = try problems(buildCache("pools: {x: {path: [\(paths)], unit: file}}"))
        #expect(found.count == 1 && found[0].contains("too many names"))
    }

    @Test func installedBuildsAreReadAsWritten() throws {
        let volume = try #require(
            try load(
                buildCache(
                    "installed: [{pattern: \"com.acme:*\", max_age: 30d}, {pattern: \"org.b:c:*\", max_age: 1w, keep_versions: 3}]"
                )
            ).volumes.first)
        #expect(
            volume.installed == [
                InstalledExpiry(pattern: "com.acme:*", maxAge: .days(30), keepVersions: 1),
                InstalledExpiry(pattern: "org.b:c:*", maxAge: .days(7), keepVersions: 3),
            ])
    }
}
