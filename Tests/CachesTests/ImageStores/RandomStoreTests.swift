import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// Random stores, against figures computed the slow way: by sets, and by doing what Podman does.
@Suite struct RandomStoreTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    @Test func agreesWithSetsAndWithPodmansRemoval() throws {
        for seed in 1...200 { try check(seed: UInt64(seed)) }
    }

    private func check(seed: UInt64) throws {
        var model = StoreModel(seed: seed)
        model.fill()
        try model.write(to: fixture)
        let store = try fixture.reader.read()

        #expect(store.bytes.bytes == model.layers.keys.reduce(0) { $0 + model.stored($1) }, "seed \(seed)")
        for layer in store.layers {
            #expect(layer.storedBytes.bytes == model.stored(layer.id), "seed \(seed)")
            #expect(
                layer.images == model.images.values.count { model.needs($0).contains(layer.id) },
                "seed \(seed)")
            #expect(
                layer.containers == model.containers.count { model.ancestry($0.layer).contains(layer.id) },
                "seed \(seed)")
        }
        let entries = store.entries()
        #expect(entries.count == model.images.count, "seed \(seed)")
        for entry in entries {
            let image = try #require(entry.image)
            let tops = try #require(model.images[image.id])
            let needed = model.needs(tops)
            #expect(Set(image.layers) == needed && image.layers.count == needed.count, "seed \(seed)")
            #expect(entry.bytes.bytes == needed.reduce(0) { $0 + model.stored($1) }, "seed \(seed)")
            #expect(image.exclusiveBytes.bytes == model.freedByPodman(removing: image.id), "seed \(seed)")
            let users = model.containers.filter { $0.image == image.id }
            #expect(entry.protections.contains(Protections(.inUse)) == !users.isEmpty, "seed \(seed)")
            #expect(
                entry.protections.contains(Protections(.damaged)) == tops.contains { !model.isWhole($0) },
                "seed \(seed)")
        }
    }
}

/// A store as plain sets.
private struct StoreModel {
    var layers: [String: (parent: String?, size: Int64, incomplete: Bool)] = [:]
    var images: [String: [String]] = [:]
    var containers: [(image: String, layer: String)] = []
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func fill() {
        var ids: [String] = []
        for number in 0..<Int.random(in: 1...40, using: &random) {
            let id = "layer\(number)"
            let isBase = Int.random(in: 0..<6, using: &random) == 0
            let isBroken = Int.random(in: 0..<25, using: &random) == 0
            let parent = isBroken ? "gone" : isBase ? nil : ids.randomElement(using: &random)
            let incomplete = Int.random(in: 0..<20, using: &random) == 0
            layers[id] = (parent, Int64.random(in: 0...1_000_000, using: &random), incomplete)
            ids.append(id)
        }
        for number in 0..<Int.random(in: 0...15, using: &random) {
            var tops = [ids.randomElement(using: &random) ?? "gone"]
            if number % 7 == 3 { tops.append(ids.randomElement(using: &random) ?? "gone") }
            if number % 11 == 5 { tops = ["gone"] }
            images["image\(number)"] = tops
        }
        for number in 0..<Int.random(in: 0...4, using: &random) {
            guard let image = images.keys.sorted().randomElement(using: &random) else { break }
            let layer = "container-layer\(number)"
            layers[layer] = (images[image]?.first, 0, false)
            containers.append((image, layer))
        }
    }

    func write(to fixture: StoreFixture) throws {
        let records = layers.sorted { $0.key < $1.key }.map { id, layer in
            JSON.layer(id, parent: layer.parent, size: layer.size, incomplete: layer.incomplete)
        }
        try fixture.write(.layers, Array(records.prefix(records.count / 2)))
        try fixture.write(.volatileLayers, Array(records.dropFirst(records.count / 2)))
        try fixture.write(
            .images, images.map { .image($0.key, layer: $0.value[0], mapped: Array($0.value.dropFirst())) })
        try fixture.write(
            .containers,
            containers.enumerated().map { .container("c\($0)", image: $1.image, layer: $1.layer) })
    }

    func ancestry(_ id: String) -> Set<String> {
        guard let layer = layers[id] else { return [] }
        return (layer.parent.map(ancestry) ?? []).union([id])
    }

    func needs(_ tops: [String]) -> Set<String> { tops.reduce(into: []) { $0.formUnion(ancestry($1)) } }

    func stored(_ id: String) -> Int64 { ancestry(id).reduce(0) { $0 + (layers[$1]?.size ?? 0) } }

    func isWhole(_ id: String) -> Bool {
        guard let layer = layers[id], !layer.incomplete else { return false }
        return layer.parent.map(isWhole) ?? true
    }

    /// Takes away, one at a time, the image's layers that no other image, container or layer stands on.
    func freedByPodman(removing id: String) -> Int64 {
        let own = needs(images[id] ?? [])
        let others = images.filter { $0.key != id }.values.flatMap { $0 } + containers.map(\.layer)
        var left = layers
        var freed: Int64 = 0
        while let leaf = left.keys.first(where: { candidate in
            own.contains(candidate) && !others.contains(candidate)
                && !left.values.contains { $0.parent == candidate }
        }) {
            freed += stored(leaf)
            left[leaf] = nil
        }
        return freed
    }
}
