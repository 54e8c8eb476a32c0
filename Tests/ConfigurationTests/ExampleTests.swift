import Foundation
import Testing
import Yams

@testable import CacheServices
@testable import larder

private let examplePath = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("deploy/larder.example.yaml").path

/// The annotated example in `deploy`, as text.
func example() throws -> String { try String(contentsOfFile: examplePath, encoding: .utf8) }

@Suite struct ExampleTests {
    @Test func itsValuesAreTheDefaults() throws {
        let loaded = try Configuration.load(
            flags: ConfigurationFlags(config: examplePath), environment: [:])
        let defaults = try Configuration.load(
            flags: ConfigurationFlags(state: Configuration.deployedStateDirectory), environment: [:])
        #expect(loaded == defaults)
    }

    @Test func itHoldsEveryKeyAndNoOther() throws {
        var keys: Set<String> = []
        func gather(_ node: Node, _ path: String) {
            for (key, value) in node.mapping ?? [:] { gather(value, path + "." + (key.string ?? "")) }
            for each in node.sequence ?? [] where each.mapping != nil { gather(each, path) }
            if node.mapping == nil || path.isEmpty { keys.insert(path) }
        }
        gather(try #require(try compose(yaml: example())), "")
        keys.remove("")

        var known = Set(ConfigurationKeys.top.map { "." + $0 })
        known.remove(".limits")
        known.remove(".warm")
        known.remove(".report")
        known.formUnion(ConfigurationKeys.report.map { ".report." + $0 })
        known.remove(".verify")
        known.formUnion(ConfigurationKeys.verify.map { ".verify." + $0 })
        known.remove(".notifications")
        known.formUnion(ConfigurationKeys.notifications.map { ".notifications." + $0 })
        known.remove(".daemon")
        known.formUnion(ConfigurationKeys.daemon.filter { $0 != "schedules" }.map { ".daemon." + $0 })
        known.formUnion(ConfigurationKeys.schedules.map { ".daemon.schedules." + $0 })
        known.formUnion(ConfigurationKeys.warm.map { ".warm." + $0 })
        known.formUnion(ConfigurationKeys.limits.map { ".limits." + $0 })
        known.formUnion(ConfigurationKeys.volume.filter { $0 != "pools" }.map { ".volumes." + $0 })
        for pool in ["maven", "gradle", "gradle-other", "images"] {
            known.formUnion(ConfigurationKeys.pool.map { ".volumes.pools.\(pool).\($0)" })
        }
        #expect(keys == known)
    }

    @Test func everySettingIsAKnownKey() {
        let paths =
            ConfigurationKeys.top.filter {
                !["limits", "warm", "report", "verify", "daemon", "volumes", "notifications"].contains($0)
            }
            + ["notifications.fills_within"]
            + ConfigurationKeys.limits.map { "limits." + $0 }
            + ConfigurationKeys.report.map { "report." + $0 }
            + ConfigurationKeys.verify.map { "verify." + $0 }
            + ConfigurationKeys.daemon.filter { $0 != "schedules" }.map { "daemon." + $0 }
            + ConfigurationKeys.schedules.map { "daemon.schedules." + $0 }
            + ConfigurationKeys.warm.filter { $0 != "images" }.map { "warm." + $0 }
        #expect(ConfigurationSetting.all.map(\.key).sorted() == paths.sorted())
    }

    @Test func eachKeyOfTheFileCanBeMisspeltAndIsFound() throws {
        let lines = try example().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var checked = 0
        for (index, line) in lines.enumerated() {
            let start = line.prefix { $0 == " " || $0 == "-" }.count
            guard !line.dropFirst(start).hasPrefix("#"), let colon = line.firstIndex(of: ":") else {
                continue
            }
            var broken = lines
            broken[index] = line.prefix(upTo: colon) + "z" + line.suffix(from: colon)
            let found = try problems(broken.joined(separator: "\n"))
            let place = "\(index + 1):\(start + 1): "
            #expect(found.contains { $0.hasPrefix(place) && $0.contains("did you mean") })
            checked += 1
        }
        #expect(checked > 40)
    }
}
