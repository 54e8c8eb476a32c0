import CacheModel
import Foundation
import Testing

@testable import Reporting

/// What is said of things left behind.
@Suite struct OrphanReportTests {
    private let now = Timestamp(seconds: 1_800_000_000)

    private func orphan(_ kind: Orphan.Kind, _ bytes: Int64, age: Span, pins: String = "") -> Orphan {
        Orphan(
            kind: kind, name: String(repeating: "a1", count: 32), bytes: ByteCount(bytes), created: now - age,
            pins: pins)
    }

    private var report: OrphanReport {
        let long = "registry.example.com/" + String(repeating: "very/", count: 30) + "long:1\u{1b}[31m"
        return OrphanReport(
            run: "r", dryRun: false, at: now,
            volumes: [
                OrphanReport.Volume(
                    name: "images",
                    lines: [
                        OrphanLine(orphan(.deadContainer, 1 << 20, age: .days(3), pins: long)),
                        OrphanLine(orphan(.unreferencedLayer, 5 << 20, age: .days(2))),
                        OrphanLine(orphan(.directory, 1, age: .days(9)), refusal: "no way to remove it"),
                    ], freedBytes: ByteCount(6 << 20), usedBefore: ByteCount(60 << 20),
                    usedAfter: ByteCount(54 << 20))
            ])
    }

    @Test(arguments: [40, 80, 120]) func noLineIsTooWideAndNothingMovesTheCursor(width: Int) {
        let text = report.text(width: width, color: false, now: now)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= width })
        #expect(!text.unicodeScalars.contains("\u{1b}"))
        #expect(
            text.contains("2 orphans reclaimed, 6.0 MiB freed; 1") && text.contains("no way to remove it"))
    }

    @Test func theJSONHasTheContractsKeysAndSaysWhatIsMore() throws {
        let text = try report.json()
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        #expect(object?["schema"] as? String == "larder.prune/1" && object?["orphans"] as? Bool == true)
        let volume = (object?["volumes"] as? [[String: Any]])?.first
        let contract = [
            "name", "evicted", "refused", "freed_bytes", "trashed_bytes", "used_bytes_before",
            "used_bytes_after", "over_quota",
        ]
        #expect(contract.allSatisfy { volume?[$0] != nil })
        let refused = (volume?["refused"] as? [[String: Any]])?.first
        #expect(
            refused?["pool"] as? String == "images" && refused?["reason"] as? String == "no way to remove it")
        #expect((volume?["evicted"] as? [[String: Any]])?.map { $0["bytes"] as? Int } == [1 << 20, 5 << 20])
    }

    @Test func theSectionSumsUpAndNamesWhatCanBeReclaimed() throws {
        let section = try #require(
            OrphanSection(
                volume: "images",
                orphans: [
                    orphan(.unreferencedLayer, 5 << 20, age: .days(2)),
                    orphan(.incompleteLayer, 3 << 20, age: .hours(1)),
                ]))
        let sentence = section.sentence(now: now)
        #expect(sentence.contains("left 8.0 MiB") && sentence.contains("prune --orphans reclaims 5.0 MiB"))
        #expect(section.html(now: now).contains("<table"))
        #expect(OrphanSection(volume: "images", orphans: []) == nil)
    }
}
