import CacheIndex
import CacheModel
import Foundation
import Testing

/// The order of lists and their pages, against a sort of its own.
struct EntryPageTests {
    /// Entries of which many have the same time, size or key, on two volumes.
    private func record(into fixture: IndexFixture) throws -> CacheIndex {
        let index = try fixture.open()
        for name in ["build", "other"] {
            let entries = try (0..<12).map { number in
                var entry = try artifact(
                    "é\(number % 5)", bytes: Int64(1000 * (1 + number % 3)),
                    accessed: hour(Int64(-2 - number % 2)),
                    fetched: hour(-40))
                entry.path = try #require(VolumePath("repository/\(name)/\(number)"))
                return entry
            }.sorted { $0.path < $1.path }
            let volume = Volume(name: name, kind: .buildCache, path: "/\(name)")
            _ = try index.record(scan(at: 1, entries), of: volume)
        }
        return index
    }

    private static func precedes(
        _ a: (volume: String, entry: CacheEntry), _ b: (volume: String, entry: CacheEntry),
        _ order: EntryOrder
    ) -> Bool {
        let (one, other) = (a.entry, b.entry)
        if order == .used, one.lastUsed != other.lastUsed { return one.lastUsed < other.lastUsed }
        if order == .frees, one.removalFrees != other.removalFrees {
            return one.removalFrees > other.removalFrees
        }
        if order != .key, one.bytes != other.bytes { return one.bytes > other.bytes }
        if one.key != other.key { return one.key.utf8.lexicographicallyPrecedes(other.key.utf8) }
        if a.volume != b.volume { return a.volume < b.volume }
        return one.found.path.bytes.lexicographicallyPrecedes(other.found.path.bytes)
    }

    @Test(arguments: EntryOrder.allCases)
    func pagesHoldEachEntryOnceInTheOrderOfTheWhole(order: EntryOrder) throws {
        let fixture = try IndexFixture()
        let index = try record(into: fixture)
        let whole = try index.entryPage(EntryQuestion(order: order, limit: nil))
        #expect(whole.entries.count == 24 && whole.next == nil && whole.totalEntries == 24)
        let sorted = whole.entries.shuffled().sorted { Self.precedes($0, $1, order) }
        #expect(whole.entries.map(\.entry.id) == sorted.map(\.entry.id))
        for limit in [1, 5, 23, 24] {
            var (ids, cursor): ([Int64], EntryQuestion.Cursor?) = ([], nil)
            repeat {
                let page = try index.entryPage(EntryQuestion(order: order, limit: limit, after: cursor))
                ids += page.entries.map(\.entry.id)
                // As a client sends it back.
                cursor = try page.next.map { try #require(EntryQuestion.Cursor($0.text)) }
            } while cursor != nil
            #expect(ids == whole.entries.map(\.entry.id), "\(order), \(limit)")
            // And back from the last one.
            let last = try #require(whole.entries.last)
            (ids, cursor) = ([], EntryQuestion.Cursor(after: last.entry, on: last.volume, in: order))
            while cursor != nil {
                var question = EntryQuestion(order: order, limit: limit)
                question.before = cursor
                let page = try index.entryPage(question)
                ids = page.entries.map(\.entry.id) + ids
                cursor = page.previous
            }
            #expect(ids == whole.entries.dropLast().map(\.entry.id), "\(order), \(limit)")
        }
    }

    @Test func volumesThatAreNotNamedAreNotShown() throws {
        let fixture = try IndexFixture()
        let index = try record(into: fixture)
        #expect(try index.entryPage(EntryQuestion(volumes: ["other"])).totalEntries == 12)
        #expect(try index.entryPage(EntryQuestion(volumes: [])).totalEntries == 0)
    }

    @Test func aSharedLayerCountsOnceInTheTotal() throws {
        let fixture = try IndexFixture()
        let index = try fixture.open()
        let images = try (1...3).map { number in
            try artifact(
                "image\(number)", pool: .images, bytes: 5000,
                image: ScannedImage(
                    id: "i\(number)", names: ["r.example/i:\(number)"], layers: ["top\(number)", "base"],
                    exclusiveBytes: ByteCount(1000), containers: 0))
        }
        var found = scan(at: 1, images)
        found.layers = (["base"] + (1...3).map { "top\($0)" }).map { id in
            ScannedLayer(
                id: id, parent: nil, diffBytes: ByteCount(1000),
                storedBytes: ByteCount(id == "base" ? 4000 : 1000),
                created: hour(-9), incomplete: false, images: 1, containers: 0)
        }
        _ = try index.record(found, of: Volume(name: "images", kind: .imageStore, path: "/store"))
        #expect(try index.entryPage(EntryQuestion()).totalBytes == ByteCount(7000))
        #expect(try index.storedBytes(ofLayers: ["images": ["base", "top1"]]) == ByteCount(5000))
        #expect(try index.entries(matching: "r.example/i:2").map(\.entry.found.image?.id) == ["i2"])
    }

    @Test func namesNearAndPatternsAreFound() throws {
        let fixture = try IndexFixture()
        let index = try fixture.open()
        _ = try index.record(
            scan(at: 1, try ["alpha", "alphabet", "beta"].map { try artifact($0) }), of: fixture.volume)
        #expect(
            try index.names(near: "alpha", count: 5) == ["org.example:alpha:1.0", "org.example:alphabet:1.0"])
        #expect(try index.names(near: "org.exmaple:beta:1.0", count: 1) == ["org.example:beta:1.0"])
        #expect(try index.names(beginning: "org.example:b", limit: 9) == ["org.example:beta:1.0"])
        let matches = try index.entries(matchingPattern: "*:alpha*:*", limit: 1)
        #expect(matches.entries.map(\.entry.key) == ["org.example:alpha:1.0"] && matches.hasMore)
    }
}
