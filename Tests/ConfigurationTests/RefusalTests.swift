import Testing

@testable import CacheServices
@testable import larder

/// A text that is refused: where, for which key, and with which words.
struct Refusal: Sendable, CustomTestStringConvertible {
    var yaml: String
    var place: String
    var key: String
    var words: [String]

    init(_ yaml: String, _ place: String, _ key: String, _ words: String...) {
        (self.yaml, self.place, self.key, self.words) = (yaml, place, key, words)
    }

    var testDescription: String { String(yaml.suffix(60)) }

    /// Loads the text and expects this problem and no other.
    func check() throws {
        let found = try problems(yaml)
        #expect(found.count == 1, "\(found)")
        let line = found.first ?? ""
        #expect(line.hasPrefix(key.isEmpty ? "\(place): " : "\(place): \(key): "), "\(line)")
        for word in words { #expect(line.contains(word), "\(line)") }
        #expect(line.contains("accepted: ") || line.contains("not YAML"), "\(line)")
    }
}

@Suite struct RefusalTests {
    @Test(arguments: [
        Refusal("idel_floor: 24h\n", "1:1", "idel_floor", "unknown key", "did you mean `idle_floor`?"),
        Refusal("idleFloor: 24h\n", "1:1", "idleFloor", "did you mean `idle_floor`?"),
        Refusal("idle-floor: 24h\n", "1:1", "idle-floor", "did you mean `idle_floor`?"),
        Refusal("colour: red\n", "1:1", "colour", "accepted: state, log_level,"),
        Refusal("limits:\n  entrys: 5\n", "2:3", "limits.entrys", "did you mean `entries`?"),
        Refusal(buildCache("hihg: 80%"), "5:5", "volumes[0].hihg", "did you mean `high`?"),
        Refusal(
            buildCache("pools: {mavne: {limit: 8Gi}}"), "5:13", "volumes[0].pools.mavne",
            "did you mean `maven`?"),
        Refusal(
            buildCache("pools:\n  maven:\n    size: 8Gi\n    limit: 8Gi"), "7:9",
            "volumes[0].pools.maven.size", "limit, high, low"),
        // Misspelt and in the wrong place.
        Refusal("listn: none\n", "1:1", "listn", "did you mean `listen`, in `daemon`?"),
        Refusal(
            "daemon: {idle_flor: 2h}\n", "1:10", "daemon.idle_flor", "`idle_floor`, at the top of the file"),
        Refusal("daemon: {listn: none}\n", "1:10", "daemon.listn", "did you mean `listen`?"),
        Refusal(
            buildCache("pools: {npm: {prest: npm}}"), "5:19", "volumes[0].pools.npm.prest",
            "did you mean `preset`?"),
        Refusal("\"bad\\ekey\": 1\n", "1:1", "bad\\x1bkey", "unknown key"),
        Refusal("[a, b]: 1\n", "1:1", "", "found a list as a key"),
    ])
    func unknownKeys(_ refusal: Refusal) throws { try refusal.check() }

    @Test(arguments: [
        Refusal("plan_ttl: 1h\nplan_ttl: 2h\n", "2:1", "plan_ttl", "twice, first in line 1"),
        Refusal(
            buildCache("high: 80%\nlow: 60%\n\"high\": 90%"), "7:5", "volumes[0].high", "first in line 5"),
        Refusal(buildCache("'low': 60%\nlow: 60%"), "6:5", "volumes[0].low", "first in line 5"),
        Refusal(
            "volumes: [{name: a, kind: build-cache, path: /a, name: b}]", "1:50", "volumes[0].name", "twice"),
        Refusal("!x state: /a\nstate: /b\n", "2:1", "state", "twice, first in line 1"),
        Refusal("[a]: 1\n[a]: 2\n", "1:1", "", "there twice"),
    ])
    func duplicateKeys(_ refusal: Refusal) throws { try refusal.check() }

    @Test(arguments: [
        Refusal("- a\n", "1:1", "", "found a list", "a mapping with the keys state"),
        Refusal("just words\n", "1:1", "", "found \"just words\""),
        Refusal("limits: 5\n", "1:9", "limits", "found \"5\"", "bytes_share, entries"),
        Refusal("limits:\n", "1:8", "limits", "found nothing"),
        Refusal("state: [/a]\n", "1:8", "state", "found a list", "an absolute path"),
        Refusal("idle_floor: {h: 24}\n", "1:13", "idle_floor", "found a mapping"),
        Refusal("idle_floor:\n", "1:12", "idle_floor", "found nothing"),
        Refusal("idle_floor: ~\n", "1:13", "idle_floor", "found nothing"),
        Refusal("idle_floor: \"\"\n", "1:13", "idle_floor", "found \"\""),
        Refusal("volumes: /cache\n", "1:10", "volumes", "found \"/cache\"", "a list of at least one volume"),
        Refusal("volumes: {}\n", "1:10", "volumes", "found a mapping"),
        Refusal("volumes:\n", "1:9", "volumes", "found nothing"),
        Refusal("volumes: []\n", "1:10", "volumes", "found an empty list"),
        Refusal("volumes: [/cache]\n", "1:11", "volumes[0]", "found \"/cache\"", "name, kind, path"),
        Refusal(buildCache("keep: com.example:*"), "5:11", "volumes[0].keep", "a list of patterns"),
        Refusal(buildCache("keep: [\"a\", [b]]"), "5:17", "volumes[0].keep[1]", "found a list"),
        Refusal(buildCache("keep: [\"\"]"), "5:12", "volumes[0].keep[0]", "found \"\""),
        Refusal(buildCache("pools: [maven]"), "5:12", "volumes[0].pools", "found a list"),
        Refusal(buildCache("pools: {maven: 8Gi}"), "5:20", "volumes[0].pools.maven", "limit, high, low"),
    ])
    func wrongTypes(_ refusal: Refusal) throws { try refusal.check() }

    @Test(arguments: [
        Refusal("volumes:\n  - kind: build-cache\n    path: /c\n", "2:5", "volumes[0].name", "missing"),
        Refusal("volumes:\n  - name: a\n    path: /c\n", "2:5", "volumes[0].kind", "missing"),
        Refusal("volumes:\n  - name: a\n    kind: image-store\n", "2:5", "volumes[0].path", "missing"),
        Refusal(buildCache("pools: {maven: {high: 80%}}"), "5:20", "volumes[0].pools.maven.limit", "missing"),
    ])
    func missingKeys(_ refusal: Refusal) throws { try refusal.check() }

    @Test(arguments: [
        Refusal(
            buildCache("pools: {images: {limit: 8Gi}}"), "5:13", "volumes[0].pools.images", "gradle-other"),
        Refusal(
            imageStore("pools: {maven: {limit: 8Gi}}"), "5:13", "volumes[0].pools.maven", "accepted: images"),
        Refusal(imageStore("trash: 24h"), "5:5", "volumes[0].trash", "no trash"),
        Refusal(imageStore("critical: 95%"), "5:5", "volumes[0].critical", "for build-cache only"),
        Refusal(
            buildCache("socket: unix:///s.sock"), "5:5", "volumes[0].socket", "for image-store only"),
    ])
    func keysOfTheOtherKind(_ refusal: Refusal) throws { try refusal.check() }

    @Test(arguments: [
        Refusal(
            "daemon:\n\tlisten: none\n", "2:1", "", "a tab character in the indentation; accepted: spaces"),
        Refusal("daemon:\n  \tlisten: none\n", "2:3", "", "a tab character in the indentation"),
        Refusal("idle_floor: 24h\n\tstate: /x\n", "2:1", "", "a tab character in the indentation"),
        Refusal("volumes:\n  -\tname: a\n\t\tkind: b\n", "2:4", "", "a tab character in the indentation"),
    ])
    func aTabIsCalledOne(_ refusal: Refusal) throws { try refusal.check() }

    @Test func allProblemsAreReportedTogetherByLine() throws {
        let yaml = """
            state: relative
            log_level: loud
            volumes:
              - name: Build
                kind: build-cache
                path: /cache
                limit: 20GB
                hihg: 80%
                low: 60%
                low: 61%
              - name: images
                kind: podman
                path: /podman-data/../storage
                socket: tcp://127.0.0.1:8080
            idle_flor: 24h
            """
        var found = try problems(yaml, flags: ConfigurationFlags(idleFloor: "1"))
        #expect(found.popLast()?.hasPrefix("--idle-floor: found \"1\"; accepted: a duration") == true)
        let places = found.map { $0.split(separator: ":").prefix(3).joined(separator: ":") }
        #expect(
            places == [
                "1:8: state", "2:12: log_level", "4:11: volumes[0].name", "7:12: volumes[0].limit",
                "8:5: volumes[0].hihg", "10:5: volumes[0].low", "12:11: volumes[1].kind",
                "13:11: volumes[1].path", "14:13: volumes[1].socket", "15:1: idle_flor",
            ])
    }

    @Test func duplicatesAreReportedWithEverythingElse() throws {
        let yaml =
            "limits: {entries: 1, entries: 2}\nplan_ttl: 1\nplan_ttl: 2\n"
            + "state: x\nstate: y\nstate: /z\n"
        let places = try problems(yaml).map { $0.prefix(while: { $0 != " " }) }
        #expect(places == ["1:22:", "2:11:", "3:1:", "4:8:", "5:1:", "6:1:"])
    }

    @Test func aFloodOfProblemsIsCutShort() throws {
        let found = try problems((0..<2000).map { "key\($0): 1\n" }.joined())
        #expect(found.count == ConfigurationError.shown + 1)
        #expect(found.last == "… and 1950 more problems")
    }
}
