import CacheIndex
import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Daemon

/// What the API tells of itself, its plans, filters and problems.
@Suite struct APITests {
    @Test func itListsItselfAndAnswersAllThatItLists() async throws {
        let bed = try await WebFixture()
        let index = try await bed.ask("/api/v1").json
        let operations = try #require(index["operations"] as? [[String: Any]])
        #expect(operations.count > 8)
        for operation in operations where operation["method"] as? String == "GET" {
            let path = try #require(operation["path"] as? String)
                .replacing("{key}", with: "org.example:part3:1.0").replacing("{run}", with: "run-1")
            let answer = try await bed.ask(path)
            #expect(answer.status == 200, "\(path)")
            if let schema = operation["schema"] as? String {
                #expect(try answer.json["schema"] as? String == schema, "\(path)")
            }
        }
        try await bed.stop()
    }

    /// Each answer is held against its schema in the document by hand: required members and their types.
    @Test func theOpenAPIDocumentDescribesTheAnswers() async throws {
        let bed = try await WebFixture()
        let document = try await bed.ask("/api/v1/openapi.json").json
        #expect(document["openapi"] as? String == "3.1.0")
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        let components = try #require(document["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: [String: Any]])
        for (path, methods) in paths {
            guard let get = methods["get"] else { continue }
            let parameters = get["parameters"] as? [[String: Any]] ?? []
            for parameter in parameters where parameter["in"] as? String == "path" {
                #expect(path.contains("{\(parameter["name"] as? String ?? "")}"))
            }
            let responses = get["responses"] as? [String: [String: Any]]
            let content = responses?["200"]?["content"] as? [String: [String: [String: Any]]]
            guard let reference = content?["application/json"]?["schema"]?["$ref"] as? String else {
                continue
            }
            let schema = try #require(schemas[String(reference.split(separator: "/").last ?? "")])
            let answer = try await bed.ask(
                path.replacing("{key}", with: "org.example:part3:1.0").replacing("{run}", with: "run-1")
            ).json
            for key in schema["required"] as? [String] ?? [] {
                #expect(answer[key] != nil, "\(path): \(key)")
            }
        }
        // A parameter that is not in the document is refused.
        for path in paths.keys where path.hasPrefix("/api/v1/entries") || path == "/api/v1/plan" {
            guard !path.contains("{") else { continue }
            #expect(try await bed.ask("\(path)?other=1").status == 400)
        }
        try await bed.stop()
    }

    @Test func problemsAreThoseOfTheStandard() async throws {
        let bed = try await WebFixture()
        for (path, status) in [
            ("/api/v1/nothing", 404), ("/api/v1/entries?limit=x", 400), ("/api/v1/plan?to=x", 400),
        ] {
            let answer = try await bed.ask(path)
            #expect(answer.status == status)
            #expect(answer.headers["content-type"] == "application/problem+json")
            let problem = try answer.json
            #expect(problem["status"] as? Int == status)
            #expect(problem["type"] as? String == "about:blank")
            #expect((problem["title"] as? String)?.isEmpty == false)
            #expect(problem["schema"] as? String == "larder.error/1")
        }
        try await bed.stop()
    }

    @Test func aVolumeThatIsNotThereIsNotFound() async throws {
        let bed = try await WebFixture()
        var said: [String] = []
        for path in ["/api/v1/entries", "/api/v1/plan"] {
            #expect(try await bed.ask(path + "?volume=build").status == 200)
            let answer = try await bed.ask(path + "?volume=nope")
            #expect(answer.status == 404, "\(path)")
            #expect(answer.headers["content-type"] == "application/problem+json")
            said.append(answer.body)
        }
        #expect(said.first == said.last && said.first?.contains("the volumes are: build") == true, "\(said)")
        let page = try await bed.ask("/entries?volume=nope")
        #expect(page.status == 404)
        #expect(page.body.contains("No volume has that name") && page.body.contains("the volumes are: build"))
        try await bed.stop()
    }

    @Test func filtersAreThoseOfTheList() async throws {
        let bed = try await WebFixture()
        func count(_ query: String) async throws -> Int? {
            try await bed.ask("/api/v1/entries?\(query)").json["total_entries"] as? Int
        }
        #expect(try await count("filter=size%3E4k") == 3)
        #expect(try await count("filter=size%3E4k&filter=size%3C6k") == 1)
        #expect(try await count("filter=protected") == 6 - (count("filter=unprotected") ?? 0))
        #expect(try await bed.ask("/api/v1/entries?filter=agee%3E3d").status == 400)
        #expect(try await bed.ask("/entries?filter=size%3E4k").status == 200)
        var (keys, cursor): ([String], String?) = ([], nil)
        repeat {
            let next = cursor.map { "&cursor=\($0)" } ?? ""
            let page = try await bed.ask("/api/v1/entries?filter=size%3E2k&sort=key&limit=2\(next)").json
            keys += (page["entries"] as? [[String: Any]] ?? []).compactMap { $0["key"] as? String }
            cursor = page["next_cursor"] as? String
        } while cursor != nil
        #expect(try keys == bed.sql("SELECT key FROM entries WHERE bytes > 2000 ORDER BY key"))
        try await bed.stop()
    }

    @Test func thePlanIsServedAndShown() async throws {
        let bed = try await WebFixture()
        let plan = try await bed.ask("/api/v1/plan?volume=build&to=0").json
        let volume = try #require((plan["volumes"] as? [[String: Any]])?.first)
        let evict = try #require(volume["evict"] as? [[String: Any]])
        let page = try await bed.ask("/plan")
        #expect(page.status == 200 && page.body.contains("Next prune"))
        #expect(
            page.body.contains("Next: not known") || page.body.contains("The next prune comes")
        )
        // Without a size it is what the page shows.
        let now = try await bed.ask("/api/v1/plan").json
        let keys = ((now["volumes"] as? [[String: Any]])?.first?["evict"] as? [[String: Any]] ?? [])
            .compactMap { $0["key"] as? String }
        for key in keys where !key.contains("<") { #expect(page.body.contains(key)) }
        #expect(evict.count >= keys.count)
        #expect(try await bed.ask("/api/v1/plan?volume=nowhere").status == 404)
        try await bed.stop()
    }

    @Test func aRunIsServedWithAllItsEntries() async throws {
        let bed = try await WebFixture { index in
            try WebFixture.record(index)
            let lines = (0..<150).map {
                EvictionOutcome.Line(entryID: 0, pool: .maven, key: "g:a\($0):1", bytes: ByteCount(1))
            }
            try index.record(
                EvictionOutcome(
                    volume: "build", evicted: lines, usedBefore: ByteCount(1000), usedAfter: ByteCount(850),
                    overQuota: false),
                run: RunRecord(
                    id: "run-2", kind: "prune", startedAt: hour(4), finishedAt: hour(4), exitCode: 0))
        }
        func evicted(_ run: [String: Any]) throws -> [[String: Any]] {
            let volume = try #require((run["volumes"] as? [[String: Any]])?.first)
            #expect(volume["evicted_entries"] as? Int == 150)
            return try #require(volume["evicted"] as? [[String: Any]])
        }
        let run = try await bed.ask("/api/v1/runs/run-2").json
        #expect(run["schema"] as? String == "larder.run/1")
        #expect(try evicted(run).count == 150)
        // The list has the first of each run.
        let list = try await bed.ask("/api/v1/runs").json
        #expect(try evicted(#require((list["runs"] as? [[String: Any]])?.first)).count == 100)
        #expect(try await bed.ask("/api/v1/runs/run-3").status == 404)
        try await bed.stop()
    }

    @Test(arguments: [
        "/", "/entries", "/plan", "/runs", "/report", "/runs/run-1", "/entries/org.example%3Apart3%3A1.0",
    ])
    func linksLeadToTheOtherPagesFromWhereverTheyAreServed(path: String) async throws {
        let bed = try await WebFixture()
        let page = try await bed.ask(path).body
        #expect(!page.contains("href=\"/") && !page.contains("action=\"/") && !page.contains("src=\"/"))
        let base = try #require(URL(string: "http://proxy.example/larder\(path)"))
        let links = Set(
            page.components(separatedBy: "href=\"").dropFirst().compactMap { part in
                URL(string: String(part.prefix { $0 != "\"" }), relativeTo: base)?.path
            })
        for other in ["/larder/plan", "/larder/entries", "/larder/runs", "/larder/report"] {
            #expect(links.contains(other), "\(path): \(other)")
        }
        #expect(links.contains("/larder") || links.contains("/larder/"), "\(path)")
        try await bed.stop()
    }

    @Test func pagesTellWhatTheTrashHasAndWhatTookTheRest() async throws {
        let bed = try await WebFixture { index in
            try WebFixture.record(index)
            try index.record(
                TrashPurge(at: hour(4), by: "run-9", cause: .critical), ofRuns: ["run-1"], on: "build")
            try index.recordTrash(of: "build", holding: [])
        }
        for path in ["/", "/runs", "/runs/run-1"] {
            let page = try await bed.ask(path).body
            #expect(!page.contains("undoes this") && !page.contains("larder trash restore"), "\(path)")
            #expect(
                page.contains(
                    "What was not brought back was purged from the trash by run-9 at \(hour(4)), because the volume was "
                        + "above its critical level"
                ),
                "\(path)")
        }
        let run = try await bed.ask("/api/v1/runs/run-1").json
        let volume = try #require((run["volumes"] as? [[String: Any]])?.first)
        #expect(volume["in_trash_entries"] as? Int == 0)
        #expect((volume["purged"] as? [String: Any])?["by"] as? String == "run-9")
        try await bed.stop()
    }

    @Test func aSearchFindsWhatIsGone() async throws {
        let bed = try await WebFixture()
        let gone = try #require(try bed.sql("SELECT key FROM ghosts").first)
        let page = try await bed.ask("/entries?q=\(gone.replacing(":", with: "%3A"))").body
        #expect(page.contains("No entry that is there now"))
        #expect(page.contains("evicted 2 h ago by") && page.contains("runs/run-1"))
        #expect(page.contains("larder trash restore run-1 &#39;\(gone)&#39;"))
        // Of another pool it is not.
        #expect(
            try await !bed.ask("/entries?q=\(gone.replacing(":", with: "%3A"))&pool=gradle").body.contains(
                "Gone"))
        let entry = try await bed.ask("/entries/\(gone.replacing(":", with: "%3A"))").body
        #expect(entry.contains("It is in the trash until") && entry.contains("larder trash restore run-1"))
        try await bed.stop()
    }

    @Test func pagesGoBackAsTheyWent() async throws {
        let bed = try await WebFixture()
        for query in ["sort=key", "sort=used&filter=size%3E1", "sort=bytes"] {
            var (pages, cursor): ([[String]], String) = ([], "")
            var previous: String?
            repeat {
                let page = try await bed.ask("/api/v1/entries?\(query)&limit=2\(cursor)").json
                pages.append(
                    (page["entries"] as? [[String: Any]] ?? []).compactMap { $0["key"] as? String })
                previous = page["previous_cursor"] as? String
                #expect((previous == nil) == (pages.count == 1))
                guard let next = page["next_cursor"] as? String else { break }
                cursor = "&cursor=\(next)"
            } while pages.count < 9
            #expect(pages.count == 3)
            while let before = previous {
                pages.removeLast()
                let page = try await bed.ask("/api/v1/entries?\(query)&limit=2&before=\(before)").json
                #expect(
                    (page["entries"] as? [[String: Any]] ?? []).compactMap { $0["key"] as? String }
                        == pages.last)
                #expect(page["next_cursor"] is String)
                previous = page["previous_cursor"] as? String
            }
            #expect(pages.count == 1)
        }
        #expect(try await bed.ask("/entries").body.contains("Previous entries") == false)
        try await bed.stop()
    }

    @Test func runsGoBackAsTheyWent() async throws {
        let bed = try await WebFixture { index in
            try WebFixture.record(index)
            // Two of them at once: their IDs decide.
            for number in 2...60 {
                try index.record(
                    EvictionOutcome(
                        volume: "build",
                        evicted: [.init(entryID: 0, pool: .maven, key: "g:a:1", bytes: ByteCount(1))],
                        usedBefore: ByteCount(1000), usedAfter: ByteCount(999), overQuota: false),
                    run: RunRecord(
                        id: "run-\(number)", kind: "prune", startedAt: hour(3) + .minutes(Int64(number / 2)),
                        finishedAt: hour(4), exitCode: 0))
            }
        }
        func ids(_ page: [String: Any]) -> [String] {
            (page["runs"] as? [[String: Any]] ?? []).compactMap { $0["run"] as? String }
        }
        let all = try bed.sql("SELECT id FROM runs ORDER BY started_at DESC, id DESC")
        var (forth, place): ([[String]], [String: Any]) = ([], [:])
        repeat {
            let cursor = (place["next_cursor"] as? String).map { "&cursor=\($0)" } ?? ""
            place = try await bed.ask("/api/v1/runs?limit=25\(cursor)").json
            forth.append(ids(place))
        } while place["next_cursor"] is String && forth.count < 9
        #expect(forth.flatMap(\.self) == all)
        #expect(forth.map(\.count) == [25, 25, 10])
        for expected in forth.dropLast().reversed() {
            let previous = try #require(place["previous_cursor"] as? String)
            place = try await bed.ask("/api/v1/runs?limit=25&before=\(previous)").json
            #expect(ids(place) == expected)
            #expect(place["next_cursor"] is String)
        }
        #expect(place["previous_cursor"] is NSNull)

        /// The page that a link of a page leads to.
        func follow(_ relation: String, _ page: String) async throws -> String? {
            let link = page.firstMatch(
                of: try Regex(
                    "rel=\"\(relation)\" href=\"\\./(runs[^\"]*)\"", as: (Substring, Substring).self))
            guard let link else { return nil }
            return try await bed.ask("/\(link.output.1)").body
        }
        let first = try await bed.ask("/runs").body
        #expect(try await follow("prev", first) == nil)
        let second = try #require(try await follow("next", first))
        let back = try #require(try await follow("prev", second))
        #expect(second.contains(all[25]) && !second.contains("\(all[24])<"))
        #expect(back.split(separator: "<footer>").first == first.split(separator: "<footer>").first)
        try await bed.stop()
    }

    @Test func aRunHasAPageWithItsEntries() async throws {
        let bed = try await WebFixture()
        let list = try await bed.ask("/runs").body
        #expect(list.contains("/runs/run-1"))
        let page = try await bed.ask("/runs/run-1")
        #expect(page.status == 200)
        #expect(page.body.contains("larder trash restore run-1"))
        #expect(try await bed.ask("/runs/no-such-run").status == 404)
        #expect(try await bed.ask("/favicon.ico").headers["content-type"] == "image/svg+xml")
        try await bed.stop()
    }
}
