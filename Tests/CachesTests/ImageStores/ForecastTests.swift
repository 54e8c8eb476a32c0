import CacheModel
import Testing

@testable import Caches

/// What images that are not there yet would take.
struct ForecastTests {
    private func store(_ layers: [JSON]) throws -> ImageStore {
        let fixture = try StoreFixture()
        try fixture.write(.layers, layers)
        return try fixture.reader.read()
    }

    private func layer(
        _ id: String, on parent: String? = nil, _ size: Int64, sent: Int64, incomplete: Bool = false
    ) -> JSON {
        var json = JSON.layer(id, parent: parent, size: size, incomplete: incomplete)
        json.fields += [
            ("compressed-diff-digest", "\"sha256:\(id.prefix(1))\""), ("compressed-size", "\(sent)"),
            ("diff-digest", "\"sha256:raw-\(id)\""),
        ]
        return json
    }

    private func forecast(_ store: ImageStore, _ layers: [(String, Int64)], packed: Bool = true) -> Int64 {
        store.forecast(
            layers.map {
                .init(digest: "sha256:\($0.0)", bytes: ByteCount($0.1), isCompressed: packed)
            }
        ).bytes
    }

    @Test func anEmptyStoreTakesEachLayerWithAllBelowIt() throws {
        let empty = try store([])
        #expect(empty.growth == 2.5)
        // 250, 250 + 25, 250 + 25 + 2.5
        #expect(forecast(empty, [("x", 100), ("y", 10), ("z", 1)]) == 802)
        #expect(forecast(empty, [("x", 100), ("y", 10), ("z", 1)], packed: false) == 100 + 110 + 111)
        #expect(forecast(empty, []) == 0)
    }

    @Test func growthIsMeasuredOnWhatIsThere() throws {
        let full = try store([layer("a", 300, sent: 100), layer("b", on: "a", 100, sent: 100)])
        #expect(full.growth == 2)
        #expect(forecast(full, [("x", 50)]) == 100)
        // Noise that does not pack must not make what is to come shrink.
        #expect(try store([layer("a", 90, sent: 100)]).growth == 1)
    }

    @Test func sharedLayersAddNothing() throws {
        let full = try store([layer("a", 300, sent: 100), layer("b", on: "a", 100, sent: 100)])
        #expect(forecast(full, [("a", 100), ("b", 100)]) == 0)
        #expect(forecast(full, [("a", 100), ("b", 100), ("x", 10)]) == 300 + 100 + 20)
        // Known sizes on another base are copied anew, and their size is known.
        #expect(forecast(full, [("b", 100), ("a", 100)]) == 100 + 400)
        #expect(forecast(full, [("a", 100), ("x", 10), ("b", 100)]) == 320 + 420)
    }

    @Test func anIncompleteLayerIsNoShare() throws {
        let killed = try store([layer("a", 300, sent: 100, incomplete: true)])
        #expect(forecast(killed, [("a", 100)]) == 300)
        #expect(killed.completeDigests.isEmpty)
    }

    @Test func hugeSizesDoNotOverflow() throws {
        let empty = try store([])
        let layers = (0..<1000).map { ("x\($0)", Int64(1) << 50) }
        #expect(forecast(empty, layers) == 1 << 60)
    }
}
