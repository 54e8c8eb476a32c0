import CacheModel
import Testing

@testable import CacheServices
@testable import larder

@Suite struct ValueTests {
    @Test(arguments: [
        Refusal(buildCache("limit: 20GB"), "5:12", "volumes[0].limit", "\"20GB\"", "mean `20Gi` or `20G`?"),
        Refusal(buildCache("limit: 20GiB"), "5:12", "volumes[0].limit", "20Gi, 500M", "mean `20Gi`?"),
        Refusal(buildCache("limit: 20 Gi"), "5:12", "volumes[0].limit", "mean `20Gi`?"),
        Refusal(buildCache("limit: 20g"), "5:12", "volumes[0].limit", "mean `20Gi` or `20G`?"),
        Refusal(buildCache("limit: 20"), "5:12", "volumes[0].limit", "from 1048576 up"),
        Refusal(buildCache("limit: 0"), "5:12", "volumes[0].limit", "`capacity`"),
        Refusal(buildCache("limit: 0Gi"), "5:12", "volumes[0].limit", "found \"0Gi\""),
        Refusal(buildCache("limit: -5Gi"), "5:12", "volumes[0].limit", "found \"-5Gi\""),
        Refusal(buildCache("limit: 99999999Pi"), "5:12", "volumes[0].limit", "found"),
        Refusal(buildCache("limit: 2000000.5"), "5:12", "volumes[0].limit", "found"),
        Refusal(buildCache("limit: 80%"), "5:12", "volumes[0].limit", "found \"80%\""),
        Refusal(
            buildCache("pools: {maven: {limit: 8GB}}"), "5:28", "volumes[0].pools.maven.limit",
            "`none`", "`8Gi`"),
    ])
    func sizes(_ refusal: Refusal) throws { try refusal.check() }

    @Test(arguments: [
        Refusal(buildCache("high: 120%"), "5:11", "volumes[0].high", "from 0% to 100%"),
        Refusal(buildCache("low: -1%"), "5:10", "volumes[0].low", "from 0% to 100%"),
        Refusal(buildCache("high: 85"), "5:11", "volumes[0].high", "mean `85%`?"),
        Refusal(buildCache("high: 0.85"), "5:11", "volumes[0].high", "mean `85%`?"),
        Refusal(buildCache("high: 85 %"), "5:11", "volumes[0].high", "mean `85%`?"),
        Refusal(buildCache("high: 0x55%"), "5:11", "volumes[0].high", "found"),
        Refusal(buildCache("critical: full"), "5:15", "volumes[0].critical", "found \"full\""),
        Refusal("limits: {bytes_share: 0%}\n", "1:23", "limits.bytes_share", "above 0%"),
        Refusal("limits: {bytes_share: 101%}\n", "1:23", "limits.bytes_share", "up to 100%"),
        Refusal("limits: {bytes_share: 10Gi}\n", "1:23", "limits.bytes_share", "found"),
        Refusal("limits: {bytes_share: 0.5}\n", "1:23", "limits.bytes_share", "mean `50%`?"),
        Refusal("report: {distance: 60%}\n", "1:20", "report.distance", "0% to 50%"),
        Refusal("report: {distance: 1}\n", "1:20", "report.distance", "mean `1%`?"),
        Refusal("report: {distance: 1Gi}\n", "1:20", "report.distance", "such as 1%"),
        Refusal("report: {review: soon}\n", "1:18", "report.review", "a date such as 2027-03-31"),
        Refusal("report: {review: 2027-02-29}\n", "1:18", "report.review", "found \"2027-02-29\""),
        Refusal("report: {review: 31.3.2027}\n", "1:18", "report.review", "a duration such as"),
        Refusal("report: {headroom: 5}\n", "1:20", "report.headroom", "`measured`, 0, or"),
        Refusal("report: {headroom: 5GB}\n", "1:20", "report.headroom", "mean `5Gi` or `5G`?"),
        Refusal("report: {fetch_speed: fast}\n", "1:23", "report.fetch_speed", "a quantity a second"),
        Refusal("report: {fetch_speed: 20MB}\n", "1:23", "report.fetch_speed", "mean `20Mi` or `20M`?"),
        Refusal("limits: {entries: 0}\n", "1:19", "limits.entries", "from 1 to 10000000"),
        Refusal("limits: {entries: 1e3}\n", "1:19", "limits.entries", "found \"1e3\""),
        Refusal("limits: {entries: +3}\n", "1:19", "limits.entries", "found"),
        Refusal("limits: {entries: 99999999999999999999}\n", "1:19", "limits.entries", "found"),
    ])
    func sharesAndCounts(_ refusal: Refusal) throws { try refusal.check() }

    @Test(arguments: [
        Refusal(buildCache("high: 60%\nlow: 70%"), "6:10", "volumes[0].low", "low (70%) is above high"),
        Refusal(buildCache("high: 60%"), "5:11", "volumes[0].high", "low (70%) is above high (60%)"),
        Refusal(buildCache("low: 90%"), "5:10", "volumes[0].low", "low (90%) is above high (85%)"),
        Refusal(
            buildCache("limit: 10Gi\nhigh: 11Gi"), "6:11", "volumes[0].high", "high (11Gi) is above the limit"
        ),
        Refusal(
            buildCache("critical: 80%"), "5:15", "volumes[0].critical", "high (85%) is above critical (80%)"),
        Refusal(
            buildCache("limit: 10Gi\ncritical: 20Gi"), "6:15", "volumes[0].critical", "is above the limit"),
        Refusal(buildCache("high: 18Gi"), "5:11", "volumes[0].high", "cannot be compared without a limit"),
        Refusal(
            buildCache("limit: 10Gi\nhigh: 4Gi\nlow: 50.05%"), "7:10", "volumes[0].low",
            "low (50.05%) is above high (4Gi)"),
        Refusal(
            buildCache("pools:\n  maven:\n    limit: 8Gi\n    low: 7Gi"), "8:14",
            "volumes[0].pools.maven.low",
            "low (7Gi) is above high (85%)"),
        Refusal(
            buildCache("limit: 8Gi\npools: {maven: {limit: 9Gi}}"), "6:28", "volumes[0].pools.maven.limit",
            "9Gi is above the volume's limit of 8Gi"),
    ])
    func order(_ refusal: Refusal) throws { try refusal.check() }

    @Test(arguments: [
        Refusal("idle_floor: 24\n", "1:13", "idle_floor", "found \"24\"", "36h, 14d"),
        Refusal("idle_floor: 1.5h\n", "1:13", "idle_floor", "found"),
        Refusal("idle_floor: -1h\n", "1:13", "idle_floor", "found"),
        Refusal("idle_floor: 1d 12h\n", "1:13", "idle_floor", "mean `1d12h`?"),
        Refusal("regret_window: 14D\n", "1:16", "regret_window", "mean `14d`?"),
        Refusal("regret_window: 2 months\n", "1:16", "regret_window", "units w, d, h, m, s"),
        Refusal("plan_ttl: 0s\n", "1:11", "plan_ttl", "above zero"),
        Refusal("podman_deadline: 500ms\n", "1:18", "podman_deadline", "above zero"),
        Refusal(buildCache("trash: 300w300w"), "5:12", "volumes[0].trash", "found"),
        Refusal("log_level: verbose\n", "1:12", "log_level", "trace, debug, info, notice, warning"),
        Refusal("log_level: INFO\n", "1:12", "log_level", "mean `info`?"),
    ])
    func durationsAndLevels(_ refusal: Refusal) throws { try refusal.check() }

    @Test(arguments: [
        Refusal("state: var/lib/larder\n", "1:8", "state", "an absolute path"),
        Refusal("state: ~/larder\n", "1:8", "state", "an absolute path"),
        Refusal("state: /var/../larder\n", "1:8", "state", "without `..`"),
        Refusal("state: \"/a\\nb\"\n", "1:8", "state", "/a\\x0ab"),
        Refusal(buildCache("job_path: cache"), "5:15", "volumes[0].job_path", "an absolute path"),
        Refusal("volumes: [{name: a, kind: image, path: /a}]", "1:27", "volumes[0].kind", "image-store"),
        Refusal("volumes: [{name: a_b, kind: build-cache, path: /a}]", "1:18", "volumes[0].name", "a-z, 0-9"),
        Refusal(
            "volumes: [{name: Ünit, kind: build-cache, path: /a}]", "1:18", "volumes[0].name", "a-z, 0-9"),
        Refusal("volumes: [{name: \"\", kind: build-cache, path: /a}]", "1:18", "volumes[0].name", "1 to 40"),
        Refusal(
            "volumes: [{name: \(String(repeating: "n", count: 41)), kind: build-cache, path: /a}]", "1:18",
            "volumes[0].name", "1 to 40"),
    ])
    func namesAndPaths(_ refusal: Refusal) throws { try refusal.check() }

    @Test(arguments: [
        "/sockets/podman.sock", "unix://sockets/podman.sock", "unix:///", "unix:///a/",
        "tcp://127.0.0.1:8080",
        "http://localhost", "unix:///a/../b.sock", "unix:///" + String(repeating: "s", count: 107),
    ])
    func sockets(_ url: String) throws {
        try Refusal(imageStore("socket: \(url)"), "5:13", "volumes[0].socket", "unix:// and an absolute")
            .check()
    }

    @Test func everyGoodValueArrives() throws {
        let configuration = try load(
            """
            state: //var/./lib//larder2/
            log_level: debug
            idle_floor: 0s
            regret_window: 1w
            plan_ttl: 30m
            podman_deadline: 2m
            limits: {bytes_share: 12.5%, entries: 7}
            report: {distance: 0.5%, review: 180d, headroom: 0, fetch_speed: 20Mi}
            volumes:
              - name: b-1
                kind: build-cache
                path: /mnt/build/
                job_path: /cache
                limit: 20Gi
                high: 18Gi
                low: 62.25%
                critical: 19Gi
                pools: {maven: {limit: 8Gi, high: 6Gi, low: 50%}, gradle: {limit: none}}
                keep: ["*:guava:*", com.example:*]
                trash: 2d
            """)
        var volume = Volume(name: "b-1", kind: .buildCache, path: "/mnt/build", jobPath: "/cache")
        volume.limit = ByteCount(quantity: "20Gi")
        volume.high = .size(ByteCount(18 << 30))
        volume.low = .share(basisPoints: 6225)
        volume.critical = .size(ByteCount(19 << 30))
        volume.poolQuotas = [
            .maven: Quota(limit: ByteCount(8 << 30), high: ByteCount(6 << 30), low: ByteCount(4 << 30))
        ]
        volume.keep = ["*:guava:*", "com.example:*"]
        volume.trashRetention = .days(2)
        var expected = Configuration(stateDirectory: "/var/lib/larder2", volumes: [volume], sockets: [:])
        expected.logLevel = .debug
        expected.idleFloor = .zero
        expected.regretWindow = .days(7)
        expected.planTimeToLive = .minutes(30)
        expected.podmanDeadline = .minutes(2)
        expected.limits = .init(bytesShare: .share(basisPoints: 1250), entries: 7)
        expected.report = .init(
            distance: .share(basisPoints: 50), review: .after(.days(180)), headroom: .zero,
            fetchSpeed: ByteCount(20 << 20))
        #expect(configuration == expected)
    }

    @Test func aReviewMayBeADay() throws {
        let day = Timestamp(seconds: 1_806_451_200)  // 2027-03-31
        let report = try load("report: {review: 2027-03-31}\n").report
        #expect(report.review == .on(day))
        #expect(report.terms(now: day - .days(100)).review == .days(100))
        #expect(report.review.overdue(at: day - .days(1)) == nil)
        #expect(report.terms(now: day + .days(1)).review == .zero)
        #expect(report.review.overdue(at: day + .days(1))?.contains("2027-03-31 has passed") == true)
        #expect(try load("report: {review: 0s}\n").report.terms(now: day).review == .zero)
    }
}
