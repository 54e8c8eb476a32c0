import CacheModel
import Reporting
import Testing

extension Samples {
    static let warm = WarmReport(
        run: "run-11", volume: "images", dryRun: false,
        images: [
            WarmedImage(
                reference: "docker.io/library/postgres:16", result: .pulled, attempts: 2,
                duration: Span(nanoseconds: 12_300_000_000), bytes: gibibytes(0.5),
                why: "14 uses, 3 at these hours, 1 missed lately", image: String(repeating: "a", count: 64)),
            WarmedImage(
                reference: "docker.io/library/redis:7", result: .present, bytes: gibibytes(0.25),
                why: "configured", image: String(repeating: "b", count: 64)),
            WarmedImage(
                reference: "registry.example.com:5000/team/database@sha256:"
                    + String(repeating: "0", count: 64), result: .failed, attempts: 1,
                duration: .seconds(1), reason: "manifest unknown; check the name and the tag"),
        ],
        evicted: [
            EvictionOutcome.Line(
                entryID: 1, pool: .images, key: "docker.io/library/mysql:8", bytes: gibibytes(1), reason: "")
        ],
        history: [
            "docker.io/library/redis:7": WarmHistory(
                reference: "docker.io/library/redis:7", warmed: 14, pulled: 14, used: 0, lastWarmed: now)
        ])

    static let warmPreview = WarmReport(
        run: "run-12", volume: "images", dryRun: true,
        images: [
            WarmedImage(
                reference: "docker.io/minio/minio:latest", result: .skipped, bytes: gibibytes(0.2),
                reason: "would be pulled, up to 205 MiB (estimated)")
        ])

    static let drift = DriftReport(
        volume: "images",
        images: [
            CheckedImage(
                reference: "docker.io/library/postgres:16", result: .moved,
                localDigest: "sha256:" + String(repeating: "ab", count: 32),
                remoteDigest: "sha256:" + String(repeating: "cd", count: 32), pulledAt: ago(hours: 300),
                why: "configured"),
            CheckedImage(
                reference: "docker.io/library/redis:7", result: .same,
                localDigest: "sha256:" + String(repeating: "12", count: 32),
                remoteDigest: "sha256:" + String(repeating: "12", count: 32), pulledAt: ago(hours: 3)),
            CheckedImage(
                reference: "localhost/tools:1", result: .unknown,
                localDigest: "sha256:" + String(repeating: "34", count: 32),
                reason: "it was built here and is in no registry"),
            CheckedImage(reference: "docker.io/library/nginx:1", result: .absent),
        ])
}

/// What people and scripts read of a warm-up.
struct WarmReportTests {
    @Test func warmUp() {
        let text = """
            Ready in part: 3 images: 1 present, 1 pulled and 1 failed.

              result      size    time  image
              pulled   512 MiB  12.3 s  docker.io/library/postgres:16
                        14 uses, 3 at these hours, 1 missed lately; 2 attempts
              present  256 MiB       –  docker.io/library/redis:7
                        configured
              failed         –   1.0 s
                  registry.example.com:5000/team/database@sha256:
                  0000000000000000000000000000000000000000000000000000000000000000
                        named; manifest unknown; check the name and the tag

            Evicted to make room:
              1.0 GiB  docker.io/library/mysql:8

            docker.io/library/redis:7: warmed 14 times, pulled 14, used 0. Take it off the
              list.

            """
        #expect(Samples.warm.text(color: false, now: now) == text)
    }

    @Test func drift() {
        let text = """
            Moved since they were pulled: 4 names: 1 same, 1 moved, 1 absent and 1 unknown.

              result   here          registry      pulled  image
              moved    abababababab  cdcdcdcdcdcd    12 d  docker.io/library/postgres:16
              same     121212121212  121212121212     3 h  docker.io/library/redis:7
              unknown  343434343434  –                  –  localhost/tools:1
                        it was built here and is in no registry
              absent   –             –                  –  docker.io/library/nginx:1

            Jobs go on using what is here. To bring it up to date set pull_policy: newer in
            warm.images and run larder warm.

            """
        #expect(Samples.drift.text(color: false, now: now) == text)
    }

    @Test func theCapacityReportNamesWhatIsWarmedInVain() throws {
        var report = CapacityReport(generatedAt: now, window: .days(30), volumes: [])
        #expect(!report.text(color: false, now: now).contains("vain"))
        report.idleWarmings = [
            WarmHistory(reference: "docker.io/library/redis:7", warmed: 14, pulled: 13, used: 0)
        ]
        let text = report.text(color: false, now: now)
        let lines = "warmed in vain\n  docker.io/library/redis:7: warmed 14 times, pulled 13, used 0.\n"
        #expect(text.contains(lines))
        let idle = try parsed(report)["idle_warmings"] as? [[String: Any]]
        #expect(idle?.count == 1)
        #expect(idle?.first?["reference"] as? String == "docker.io/library/redis:7")
        #expect(idle?.first?["pulled"] as? Int == 13)
    }

    @Test func theBoardShowsWhatIsUnderWayAndATotal() {
        let long = "registry.example.com/" + String(repeating: "deep/", count: 30) + "image:1"
        var board = WarmBoard(images: [("a:1", 3), ("b:1", nil), (long, nil)])
        #expect(board.lines(width: 79, done: []) == ["0 of 3 images ready"])
        board.began("a:1")
        board.began("b:1")
        for digest in ["1", "2", "2"] { board.announced(digest, of: "a:1") }
        #expect(
            board.lines(width: 79, done: ["1", "9"]) == [
                "1 of 3 layers      a:1", "asking             b:1",
                "0 of 3 images ready; 1 of 3 layers under way",
            ])
        board.paused("b:1", for: .seconds(7))
        #expect(board.lines(width: 79, done: [])[1] == "again in 7s        b:1")
        board.began("b:1")
        for digest in ["4", "5"] { board.announced(digest, of: "b:1") }
        #expect(board.lines(width: 79, done: ["5"])[1] == "1 of 2 layers      b:1")
        board.ended(WarmedImage(reference: "a:1", result: .pulled))
        board.ended(WarmedImage(reference: "b:1", result: .failed))
        #expect(board.lines(width: 79, done: []) == ["1 of 3 images ready, 1 not"])
        board.began(long)
        for width in 20...79 {
            let lines = board.lines(width: width, done: [])
            #expect(lines.allSatisfy { $0.count <= width })
            #expect(
                WarmBoard.ending(WarmedImage(reference: long, result: .pulled), width: width).count <= width)
        }
    }
}

extension ContractTests {
    @Test(arguments: [Samples.warm, Samples.warmPreview])
    func warm(_ report: WarmReport) throws {
        let document = try parsed(report)
        check(document, ["schema": "text", "run": "text", "volume": "text", "dry_run": "bool"])
        #expect(document["schema"] as? String == "larder.warm/1")
        let images = list(document, "images")
        #expect(images.count == report.images.count)
        for image in images {
            check(
                image,
                [
                    "reference": "text", "result": "text", "attempts": "int", "duration_seconds": "number",
                    "bytes": "int", "reason": "text?", "why": "text", "image": "text?",
                ])
            if let history = image["history"] as? [String: Any] {
                check(history, ["warmed": "int", "pulled": "int", "used": "int"])
            }
        }
        for line in list(document, "evicted") {
            check(line, ["pool": "text", "key": "text", "bytes": "int"])
        }
        let results = ["present", "pulled", "updated", "failed", "skipped"]
        #expect(WarmedImage.Result.allCases.map(\.rawValue) == results)
    }

    @Test func warmCheck() throws {
        let document = try parsed(Samples.drift)
        check(document, ["schema": "text", "volume": "text"])
        #expect(document["schema"] as? String == "larder.warm-check/1")
        for image in list(document, "images") {
            check(
                image,
                [
                    "reference": "text", "result": "text", "local_digest": "text?",
                    "remote_digest": "text?", "pulled_at": "time?", "reason": "text?", "why": "text",
                ])
        }
    }
}
