import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Reporting

/// Three volumes with 3,000 entries and 60 days of use: a report with everything that a report can say.
private enum LargeSite {
    /// Numbers that look random and are the same in each run (Knuth's MMIX generator).
    struct Chance {
        var state: UInt64
        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
    }

    static let groups = [
        "org.springframework.boot", "com.fasterxml.jackson.core", "org.apache.maven.plugins", "io.netty",
        "org.hibernate.orm", "com.example.internal.platform.billing", "org.junit.jupiter", "ch.qos.logback",
        "org.apache.commons", "com.google.guava", "software.amazon.awssdk", "org.jetbrains.kotlin",
    ]

    /// A volume whose jobs use its entries, the first of them most, and fetch some that were evicted.
    static func history(entries: [CacheEntry], seed: UInt64, days: Int64 = 60) -> VolumeHistory {
        var chance = Chance(state: seed)
        let began = now - .days(days)
        var accesses: [VolumeHistory.Access] = []
        for day in 0..<days {
            // A few jobs a day, each of which wants twenty entries.
            for job in 0..<3 {
                for _ in 0..<20 {
                    let entry = entries[chance.below(chance.below(entries.count) + 1)]
                    let isHit = chance.below(20) > 0
                    accesses.append(
                        .init(
                            at: began + .hours(day * 24) + .minutes(Int64(job * 200 + chance.below(60))),
                            entry: entry.id, bytes: entry.bytes, pool: entry.pool, isHit: isHit,
                            isRegret: !isHit && chance.below(2) == 0))
                }
            }
        }
        accesses.sort { $0.at == $1.at ? $0.entry < $1.entry : $0.at < $1.at }
        let sum = entries.reduce(ByteCount.zero) { $0 + $1.bytes }
        let samples = (0...days).map { day in
            VolumeHistory.Sample(
                at: began + .days(day), used: ByteCount(sum.bytes / 200 * (140 + day % 9 * 4 + day / 3)),
                inodes: 6_000_000, usedInodes: 300_000 + day * 900)
        }
        let evictions = (1..<days / 7).map {
            VolumeHistory.Eviction(at: began + .days($0 * 7), entries: 40, bytes: ByteCount(sum.bytes / 20))
        }
        return VolumeHistory(
            beganAt: began, lastScanAt: now,
            contents: entries.map {
                .init(entry: $0.id, bytes: $0.bytes, lastUsed: began - .hours($0.id % 900))
            }, accesses: accesses, samples: samples, evictions: evictions)
    }

    static func artifacts(_ count: Int64, pools: [Pool], seed: UInt64) -> [CacheEntry] {
        var chance = Chance(state: seed)
        return (1...count).map { number in
            let group = groups[chance.below(groups.count)]
            return artifact(
                number,
                key:
                    "\(group):\(group.split(separator: ".").last ?? "a")-module-\(number):1.\(number % 40).0",
                pool: pools[chance.below(pools.count)],
                bytes: ByteCount(Int64(1 + chance.below(40) * chance.below(40)) << 17),
                hoursIdle: Int64(chance.below(chance.below(2400) + 1)))
        }
    }

    static func volume(
        _ name: String, _ kind: CacheModel.Volume.Kind, _ entries: [CacheEntry], layers: [ScannedLayer] = [],
        limit: Double, seed: UInt64
    ) -> CapacityReport.Volume {
        let sum =
            layers.isEmpty
            ? entries.reduce(ByteCount.zero) { $0 + $1.bytes } : layers.reduce(.zero) { $0 + $1.storedBytes }
        var usage = usage(entries, layers: layers, used: sum + gibibytes(3), volume: name)
        usage.capacity.total = gibibytes(limit)
        usage.unmanaged = (1...14).map {
            UnmanagedDirectory(
                path: VolumePath("tools/directory-\($0)") ?? .root, bytes: gibibytes(3.0 / Double($0 + 3)),
                files: $0 * 100, tool: "")
        }
        let volume = Volume(name: name, kind: kind, path: "/\(name)", limit: gibibytes(limit))
        return CapacityReport.Volume(
            volume, usage, history(entries: entries, seed: seed), window: .days(30), simulates: true,
            asked: gibibytes(90),
            now: now)
    }

    static let report: CapacityReport = {
        var build = volume(
            "build", .buildCache, artifacts(1800, pools: [.maven, .gradle, .gradleOther], seed: 1), limit: 50,
            seed: 2)
        build.savings = (1...40).map { number in
            SpaceSaving(
                kind: SpaceSaving.Kind.allCases[number % 5],
                name: "com.example.internal.platform:module-\(number):1",
                entries: Int64(number), bytes: ByteCount(Int64(number) << 25),
                reason: "the same files are in gradle; used 12 d ago in maven",
                command: "larder prune --volume build --key 'com.example.internal:module-\(number):1'"
            )
        }
        build.passedOver = 200
        let mobile = volume(
            "mobile", .buildCache, artifacts(900, pools: [.gradle, .maven], seed: 3), limit: 90, seed: 4)
        let layers = (1...600).map { layer("layer\($0)", stored: ByteCount(Int64($0 % 37 + 1) << 24)) }
        let images = (Int64(1)...300).map { number in
            var entry = image(
                number, layers: ["layer\(number * 2)", "layer\(number * 2 - 1)", "layer\(number % 20 + 1)"],
                names: ["registry.example.com/platform/team-\(number % 12)/builder-image:2026.\(number)"],
                hoursIdle: number * 5)
            entry.found.bytes = ByteCount((number % 37 + 3) << 24)
            return entry
        }
        var report = CapacityReport(
            generatedAt: now, window: .days(30),
            volumes: [
                build, mobile, volume("images", .imageStore, images, layers: layers, limit: 200, seed: 5),
            ],
            images: CapacityReport.ImageTax(layers), fetchSpeed: ByteCount(20 << 20))
        report.images?.peak = ContainerPeak(
            containers: 17, at: now - .days(3), bytes: gibibytes(31), since: now - .days(28), assumedEnds: 2)
        report.price = (0.11, "EUR")
        report.orphans = [
            OrphanSection(
                volume: "images",
                orphans: (1...23).map {
                    Orphan(
                        kind: Orphan.Kind.allCases[$0 % 5], name: String(repeating: "\($0 % 10)a", count: 32),
                        bytes: ByteCount(Int64($0) << 26), created: now - .days(Int64($0)))
                })
        ].compactMap { $0 }
        return report
    }()
}

/// How long the page is, and that nothing is lost in what is folded.
@Suite struct PageLengthTests {
    @Test(
        .enabled(if: Testbed.canCheckPages, "needs chromium and the axe-core of axe-playwright-python (PyPI)")
    )
    func threeVolumesTakeLessThanSixScreensAndArePrintedWhole() throws {
        let directory = try TemporaryDirectory()
        try directory.write("report.html", LargeSite.report.html())
        try run(
            "/usr/bin/env", "python3", Testbed.packageRoot + "/Tests/Accessibility/check.py",
            directory.path + "/report.html", "--most-screens", "6", "--prints-all"
        ).checked()
    }

    @Test func theSiteIsAsLargeAsItIsSaidToBe() throws {
        let report = LargeSite.report
        #expect(report.volumes.flatMap(\.space.pools).reduce(0) { $0 + $1.entries } == 3000)
        #expect(report.volumes.allSatisfy { $0.sizing.recommendation != nil && !$0.sizing.policies.isEmpty })
        // Nothing that a page can have is missing, or its length would prove nothing.
        let html = report.html()
        for part in ["sizes", "pools", "days", "space", "entries", "savings"] {
            #expect(html.contains("<div id=\"build-\(part)\">"), "\(part)")
        }
        #expect(html.contains("<div id=\"images-images\">") && html.contains("left behind</h2>"))
    }

    /// Adds up the tables of the page itself, which the lines above them are not made from.
    @Test func theLinesOfFoldedPartsSayWhatIsInThem() throws {
        let html = LargeSite.report.html()
        let build = try #require(html.components(separatedBy: "<section id=\"build\">").last)
            .components(separatedBy: "</section>")[0]
        let parts = build.components(separatedBy: "<details class=\"fold\">").dropFirst()
        var seen: [String: String] = [:]
        for part in parts {
            let line = try #require(part.firstMatch(of: /<h3>(.*?)<\/h3> <span>(.*?)<\/span><\/summary>/))
            seen[String(line.1)] = String(line.2)
            let rows = part.components(separatedBy: "<tr><td").count - 1
            let sums = part.matches(of: /<tfoot><tr>(.*?)<\/tr><\/tfoot>/).map { String($0.1) }
            switch String(line.1) {
            case "Entries":
                // Two tables of twenty with their sums.
                #expect(rows == 42 && line.2.contains("the 20 largest, ") && line.2.contains("the 20 unused"))
                for sum in sums {
                    let size = try #require(sum.firstMatch(of: /[0-9.]+ [KMGT]iB/)?.0)
                    #expect(line.2.contains(size), "\(size) in \(line.2)")
                }
            case "Pools":
                #expect(rows == 4 && line.2.hasPrefix("3 pools with 1,800 entries, "))
                let figures = try #require(sums.first).matches(of: />([0-9,.]+(?: [KMGT]iB)?)</).map { $0.1 }
                // Entries, size, hits, misses and regret.
                #expect(figures.count == 5)
                #expect(line.2.contains(figures[1]) && line.2.contains("\(figures[2]) hits"))
                #expect(line.2.contains("\(figures[3]) misses"))
            case "What takes space without much need":
                #expect(rows == 41 && line.2.hasPrefix("40 findings, "))
                // 1 + 2 + … + 40 times 32 MiB.
                #expect(line.2.contains("\(ByteCount(820 << 25))"))
            default: break
            }
        }
        #expect(
            Set(seen.keys) == [
                "How it was found", "Other sizes", "Rules of eviction", "Pools", "What happened",
                "Where the space goes", "Entries", "What takes space without much need",
            ])
        // What a decision needs is not folded.
        let open = build.components(separatedBy: "<details class=\"fold\">")[0]
        for text in [
            "Today&#39;s limit", "Confidence", "Calibration", "Cost a month", "is enough for", "would serve",
        ] {
            #expect(open.contains(text) || open.contains(text.replacing("&#39;", with: "'")), "\(text)")
        }
        #expect(open.contains("class=\"parts\"") && open.contains("id=\"build-curve-t\""))
    }
}
