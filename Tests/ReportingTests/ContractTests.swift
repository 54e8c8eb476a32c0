import CacheModel
import Foundation
import Reporting
import Testing

/// The keys and types of `CONTRACT.md`, one by one.
struct ContractTests {
    /// What a key holds: `T?` is null or T.
    typealias Shape = [String: String]

    @Test(arguments: [Samples.scan, Samples.incompleteScan])
    func scan(_ report: ScanReport) throws {
        let document = try parsed(report)
        check(
            document, ["schema": "text", "scan": "int", "started_at": "time", "duration_seconds": "number"])
        #expect(document["schema"] as? String == "larder.scan/1")
        let volumes = list(document, "volumes")
        #expect(volumes.count == report.volumes.count)
        for volume in volumes {
            check(
                volume,
                [
                    "name": "text", "path": "text", "complete": "bool", "directories": "int", "files": "int",
                    "bytes": "int", "apparent_bytes": "int", "unreadable": "int",
                ])
            for pool in list(volume, "pools") {
                check(
                    pool,
                    [
                        "name": "text", "entries": "int", "files": "int", "bytes": "int", "new": "int",
                        "used": "int", "gone": "int",
                    ])
            }
        }
    }

    @Test func status() throws {
        let document = try parsed(Samples.status)
        #expect(document["schema"] as? String == "larder.status/1")
        let rate: Shape = [
            "objects": "number?", "bytes": "number?", "hits": "int", "misses": "int", "hit_bytes": "int",
            "miss_bytes": "int",
        ]
        for volume in list(document, "volumes") {
            check(
                volume,
                [
                    "name": "text", "path": "text", "capacity_bytes": "int", "used_bytes": "int",
                    "limit_bytes": "int", "high_bytes": "int", "low_bytes": "int", "entries": "int",
                    "last_scan": "time?", "last_prune": "time?",
                ])
            check(volume["hit_rate"] as? [String: Any] ?? [:], rate)
            let rates = volume["hit_rates"] as? [String: Any] ?? [:]
            #expect(Set(rates.keys) == ["last_scan", "24h", "7d", "30d"])
            for window in rates.values { check(window as? [String: Any] ?? [:], rate) }
        }
        #expect(list(document, "volumes").last?["last_prune"] is NSNull)
        for warning in list(document, "warnings") {
            check(warning, ["code": "text", "text": "text", "hint": "text"])
        }
    }

    @Test func noEvidenceGivesNoRate() throws {
        let images = list(try parsed(Samples.status), "volumes").last
        let rate = images?["hit_rate"] as? [String: Any]
        #expect(rate?["objects"] is NSNull && rate?["bytes"] is NSNull)
    }

    @Test func listOfEntries() throws {
        let document = try parsed(Samples.list)
        #expect(document["schema"] as? String == "larder.list/1")
        let entries = list(document, "entries")
        #expect(entries.count == 11)
        for entry in entries {
            check(
                entry,
                [
                    "pool": "text", "key": "text", "path": "text", "bytes": "int", "apparent_bytes": "int",
                    "files": "int", "first_seen": "time", "last_used": "time", "evidence": "text",
                    "confidence": "text", "uses": "int", "protected": "text?",
                ])
            guard entry["pool"] as? String == "images" else { continue }
            check(entry, ["id": "text", "exclusive_bytes": "int"])
            #expect(entry["names"] is [String] && entry["layers"] is [String])
        }
        #expect(entries.contains { $0["protected"] as? String == "locally-installed" })
    }

    @Test(arguments: [Samples.planReport, Samples.stuckReport])
    func plan(_ report: PlanReport) throws {
        let document = try parsed(report)
        check(document, ["schema": "text", "plan": "text", "created_at": "time"])
        #expect(document["schema"] as? String == "larder.plan/1")
        for (volume, plan) in zip(list(document, "volumes"), report.plans) {
            check(
                volume,
                [
                    "name": "text", "used_bytes": "int", "limit_bytes": "int", "high_bytes": "int",
                    "low_bytes": "int", "freed_bytes": "int", "reaches_low": "bool",
                ])
            let evict = list(volume, "evict")
            #expect(evict.map { $0["key"] as? String } == plan.evict.map(\.entry.key))
            for line in evict {
                check(
                    line,
                    [
                        "pool": "text", "key": "text", "bytes": "int", "last_used": "time", "reason": "text",
                        "path": "text", "inode": "int", "accessed": "int", "exclusive_bytes": "int",
                        "evidence": "text", "confidence": "text",
                    ])
            }
            for kept in list(volume, "kept") {
                check(kept, ["reason": "text", "entries": "int", "bytes": "int"])
            }
        }
    }

    @Test(arguments: [Samples.prune, Samples.dryRun])
    func prune(_ report: PruneReport) throws {
        let document = try parsed(report)
        check(document, ["schema": "text", "run": "text", "dry_run": "bool"])
        #expect(document["schema"] as? String == "larder.prune/1")
        for volume in list(document, "volumes") {
            check(
                volume,
                [
                    "name": "text", "freed_bytes": "int", "trashed_bytes": "int", "used_bytes_before": "int",
                    "used_bytes_after": "int", "over_quota": "bool",
                ])
            for line in list(volume, "evicted") {
                check(line, ["pool": "text", "key": "text", "bytes": "int"])
            }
            for line in list(volume, "refused") {
                check(line, ["pool": "text", "key": "text", "reason": "text"])
            }
        }
    }

    @Test func dryRunTellsWhatThePlanTells() throws {
        let volume = list(try parsed(Samples.dryRun), "volumes").first
        #expect(volume?["freed_bytes"] as? Int64 == Samples.plan.freedBytes.bytes)
        #expect(volume?["over_quota"] as? Bool == false)
    }

    @Test func explain() throws {
        let document = try parsed(Samples.explain)
        #expect(document["schema"] as? String == "larder.explain/1")
        let verdict = document["verdict"] as? [String: Any] ?? [:]
        check(verdict, ["decision": "text", "position": "int", "of": "int", "reason": "text"])
        let traces = list(document, "traces")
        #expect(traces.count == 3)
        for trace in traces { check(trace, ["source": "text", "at": "time", "meaning": "text"]) }
        check(document["trust"] as? [String: Any] ?? [:], ["confidence": "text", "reason": "text"])
        #expect(list(document, "accesses").map { $0["jobs"] as? [String] } == [["4711"]])
        let gone = try parsed(Samples.explainGone)
        #expect(gone["entry"] is NSNull && gone["verdict"] is NSNull)
        check(gone["ghost"] as? [String: Any] ?? [:], ["gone_at": "time", "reason": "text", "run": "text?"])
    }

    @Test(arguments: [Samples.ingest, Samples.ingestNothing])
    func ingest(_ report: IngestReport) throws {
        let document = try parsed(report)
        check(
            document,
            [
                "schema": "text", "kind": "text", "log": "text", "volume": "text", "job": "text?",
                "misses": "int", "miss_bytes": "int",
            ])
        #expect(document["schema"] as? String == "larder.ingest/1")
        check(
            document["lines"] as? [String: Any] ?? [:],
            [
                "all": "int", "skipped": "int", "others": "int", "damaged": "int", "first_damaged": "int?",
                "cut": "bool",
            ])
        let counts = document["counts"] as? [String: Int] ?? [:]
        #expect(Set(counts.keys) == Set(IngestedDownload.Result.allCases.map(\.rawValue)))
        #expect(counts.values.reduce(0, +) == report.entries.count)
        for entry in list(document, "entries") {
            check(
                entry, ["pool": "text", "key": "text", "files": "int", "bytes": "int", "result": "text"])
        }
    }

    @Test(arguments: [Samples.error, ErrorReport(code: 1, error: "failed")])
    func error(_ report: ErrorReport) throws {
        let document = try parsed(report)
        check(document, ["schema": "text", "code": "int", "error": "text", "hint": "text?"])
        #expect(document["schema"] as? String == "larder.error/1")
        #expect(document["code"] as? Int == Int(report.code))
    }

    @Test func everyDocumentEndsInOneNewline() throws {
        for report in Samples.all {
            let text = try report.json()
            #expect(text.hasPrefix("{") && text.hasSuffix("}\n"))
        }
    }

    func list(_ object: [String: Any], _ key: String) -> [[String: Any]] {
        guard let list = object[key] as? [[String: Any]] else {
            Issue.record("\(key) is no list of objects")
            return []
        }
        return list
    }

    func check(_ object: [String: Any], _ shape: Shape) {
        for (key, kind) in shape {
            guard let value = object[key] else {
                Issue.record("\(key) is missing")
                continue
            }
            if kind.hasSuffix("?"), value is NSNull { continue }
            let isRight =
                switch kind.replacing("?", with: "") {
                case "text": value is String
                case "time": (value as? String).flatMap { Timestamp(rfc3339: $0) } != nil
                case "bool": (value as? NSNumber).map { "\(type(of: $0 as Any))" } != nil && value is Bool
                case "int": value is Int64
                default: value is Double
                }
            #expect(isRight, "\(key) is \(value), \(kind) expected")
        }
    }
}
