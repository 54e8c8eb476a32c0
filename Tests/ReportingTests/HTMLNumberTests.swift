import CacheModel
import Foundation
import Testing

@testable import Reporting

/// Every number in the HTML's tables is the JSON's: read back from the page, within what was rounded away.
@Suite struct HTMLNumberTests {
    /// Each table with the JSON keys of its columns; a dotted key leads into an object.
    private static let tables: [(table: String, list: String, keys: [String])] = [
        (
            "advice", "advice",
            [
                "bytes", "object_hit_rate", "byte_hit_rate", "fetches_saved_per_day", "bytes_saved_per_day",
                "avoidable_fetches_per_day", "minutes_saved_per_day", "",
            ]
        ), ("policies", "policies", ["object_hit_rate", "byte_hit_rate", "ideal_object_hit_rate", ""]),
        (
            "pools", "pools",
            [
                "name", "entries", "bytes", "hit_rate.objects", "hit_rate.hits", "hit_rate.misses",
                "regret.entries",
            ]
        ),
        (
            "curve", "curve",
            [
                "bytes", "object_hit_rate", "byte_hit_rate", "avoidable_fetches_per_day",
                "ideal_object_hit_rate",
            ]
        ),
        (
            "days", "days",
            ["day", "object_hit_rate", "hits", "misses", "inflow_bytes", "evicted_bytes", "distinct_bytes"]
        ), ("sizes", "sizes", ["at", "used_bytes", "trash_bytes"]),
        ("groups", "groups", ["name", "entries", "bytes"]),
        ("ages", "ages", ["name", "entries", "bytes"]),
        ("largest", "largest", ["bytes", "last_used", "key"]),
        ("stalest", "stalest", ["bytes", "last_used", "key"]),
        (
            "images", "images",
            ["bytes", "shared_bytes", "exclusive_bytes", "containers", "last_used", "key"]
        ), ("savings", "savings", ["bytes", "entries", "kind", "name", "reason", "reclaim"]),
    ]

    /// What a page shows, read as what it may stand for: a text, or the range of numbers that are shown so.
    private enum Shown {
        case text(String)
        case range(ClosedRange<Double>)

        init(_ cell: String) {
            let units = ["B": 0, "KiB": 1, "MiB": 2, "GiB": 3, "TiB": 4]
            let parts = cell.replacingOccurrences(of: ",", with: "").split(separator: " ")
            guard let number = parts.first.flatMap({ Double($0) }), parts.count < 3 else {
                self = .text(cell)
                return
            }
            let step = parts[0].contains(".") ? 0.1 : 1
            if parts.count == 2, parts[1] == "%" {
                // All and nothing are said of nothing less.
                self = .range((number - 0.1) / 100...(number + 0.1) / 100)
            } else if parts.count == 2, let unit = units[String(parts[1])] {
                let size = pow(1024, Double(unit))
                // Sizes are cut, not rounded, on their way through each unit.
                let slack = unit == 0 ? 0.5 : step * 1.02
                self = .range((number - slack) * size...(number + slack) * size)
            } else if parts.count == 1 {
                self = .range(number - (step < 1 ? 0.051 : 0)...number + (step < 1 ? 0.051 : 0.05))
            } else {
                self = .text(cell)
            }
        }

        func stands(for value: Any?) -> Bool {
            switch (self, value) {
            case (.text("–"), is NSNull), (.text(""), is NSNull): true
            case (.range(let range), let number as NSNumber): range.contains(number.doubleValue)
            case (.text(let text), let other as String):
                // Control characters are shown as spaces.
                text == other.replacingOccurrences(of: "\n", with: " ") || text == other.prefix(10)
            default: false
            }
        }
    }

    private func report() -> CapacityReport {
        var report = roundOfJobs(days: 60, hostile: true)
        report.fetchSpeed = ByteCount(10 << 20)
        let images = (1...3).map { image($0, layers: ["a"], names: ["registry.example/app:\($0)"]) }
        let store = Volume(name: "images", kind: .imageStore, path: "/p", limit: gibibytes(9))
        let past = VolumeHistory(
            beganAt: now - .days(20), lastScanAt: now, contents: [],
            accesses: (0..<40).map {
                .init(
                    at: now - .hours($0 * 11), entry: $0 % 3, bytes: gibibytes(1.3), pool: .images,
                    isHit: $0 % 5 != 0)
            }.reversed(), samples: [.init(at: now - .days(1), used: gibibytes(3.21))])
        report.volumes.append(
            .init(
                store, usage(images, layers: [layer("a", stored: gibibytes(3))], used: gibibytes(3.21)), past,
                window: .days(30), now: now))
        report.volumes[0].savings = [
            SpaceSaving(
                kind: .duplicate, name: "g:<a>:1", entries: 1, bytes: ByteCount(123_456_789),
                reason: "it's twice",
                command: "larder prune --key 'g:<a>:1' --pool maven"),
            SpaceSaving(
                kind: .deadGeneration, name: "caches/6.8", entries: 1234, bytes: ByteCount(5 << 40),
                reason: "no wrapper", command: nil),
        ]
        return report
    }

    private func unescaped(_ text: Substring) -> String {
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
            .reduce(String(text)) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
    }

    private func rows(_ id: String, in html: String) throws -> [[String]]? {
        guard let start = html.range(of: "<table id=\"\(id)-table\">") else { return nil }
        var body = html[start.upperBound...]
        var rows = try bodyRows(&body)
        // Below ten rows stands the rest.
        if body.prefix(while: { $0 != "\n" }).contains(" more</summary>") { rows += try bodyRows(&body) }
        return rows
    }

    /// The rows of the next table body, heads and sums left out.
    private func bodyRows(_ text: inout Substring) throws -> [[String]] {
        let start = try #require(text.range(of: "<tbody>"))
        let end = try #require(text.range(of: "</tbody>"))
        let rows = text[start.upperBound..<end.lowerBound].components(separatedBy: "<tr>").dropFirst()
        text = text[end.upperBound...]
        return rows.map { row in row.matches(of: /<td[^>]*>(.*?)<\/td>/).map { unescaped($0.1) } }
    }

    @Test func everyTableHasTheNumbersOfTheJSON() throws {
        let report = report()
        let html = report.html()
        let volumes = try #require(try parsed(report)["volumes"] as? [[String: Any]])
        var (tables, cells) = (0, 0)
        for volume in volumes {
            let name = try #require(volume["name"] as? String)
            for (table, list, keys) in Self.tables {
                // Of what does not fit, the curve's table leaves out the row, and that of other sizes the figures.
                let wanted = try #require(volume[list] as? [[String: Any]], "\(list)")
                    .filter { table != "curve" || $0["fits"] as? Bool == true }
                guard let found = try rows("\(name)-\(table)", in: html) else {
                    #expect(wanted.isEmpty, "\(name)-\(table) is missing")
                    continue
                }
                tables += 1
                #expect(found.count == wanted.count, "\(table)")
                for (row, object) in zip(found, wanted) {
                    let keys =
                        table == "advice" && row.count < keys.count
                        ? keys.filter { $0 != "minutes_saved_per_day" } : keys
                    #expect(row.count == keys.count)
                    for (cell, key) in zip(row, keys) where !key.isEmpty {
                        let value = key.split(separator: ".").reduce(object as Any?) { value, part in
                            (value as? [String: Any])?[String(part)]
                        }
                        #expect(
                            Shown(cell).stands(for: value) || object["fits"] as? Bool == false && cell == "–",
                            "\(table).\(key): \(cell) for \(value ?? "none")")
                        cells += 1
                    }
                }
            }
        }
        // The days stand below two plots of each volume, the second time without a name.
        #expect(html.components(separatedBy: "<table id=").count - 1 == tables)
        let rests = html.components(separatedBy: " more</summary>").count - 1
        #expect(html.components(separatedBy: "<table>").count - 1 == volumes.count + rests)
        #expect(tables > 15 && cells > 600)
    }

    @Test func theTilesHaveTheNumbersOfTheJSON() throws {
        let report = report()
        let volumes = try #require(try parsed(report)["volumes"] as? [[String: Any]])
        let sections = report.html().components(separatedBy: "<section id=").dropFirst()
        for (section, volume) in zip(sections, volumes) {
            let tiles = section.matches(of: /<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/).map {
                (String($0.1), unescaped($0.2))
            }
            let shown = Dictionary(uniqueKeysWithValues: tiles)
            func value(_ path: String...) -> Any? {
                path.reduce(volume as Any?) { ($0 as? [String: Any])?[$1] }
            }
            let pairs: [(String, Any?)] = [
                ("Today's limit", value("limit_bytes")),
                ("Used", value("used_bytes")), ("Hit rate", value("hit_rate", "objects")),
                ("Confidence", value("confidence")),
            ]
            if let size = value("recommendation", "quantity") as? String {
                let rate = value("recommendation", "object_hit_rate")
                #expect(Shown(shown["At \(size)"] ?? "").stands(for: rate))
                #expect(section.contains(volume["name"] as? String ?? "?") && section.contains(size))
            }
            for (title, value) in pairs {
                #expect(Shown(shown[title] ?? "").stands(for: value), "\(title): \(shown[title] ?? "")")
            }
        }
    }
}
