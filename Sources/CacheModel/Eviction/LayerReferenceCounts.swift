/// Which images need which layers of a store, and what really comes free when images go.
///
/// Podman removes an image's layers from the top down and stops at the first one that another image, a
/// container or a left-over layer needs (containers/storage v1.43.0, store.go, DeleteImage). In a vfs store
/// each layer holds a copy of its parent's tree, so what comes free is the layers' stored bytes.
///
/// Images are numbered in the order given: the candidates first, least recently used first, then those that
/// are kept. A layer that an image names and the store does not know occupies nothing.
struct LayerReferenceCounts {
    private var chains: [[Int]] = []
    private let stored: [ByteCount]
    private var isPinned: [Bool]
    private var holders: [[Int]]
    private var counts: [Int]
    private var isGone: [Bool]
    private var twins: [[Int]: [Int]] = [:]
    private var mostTwins = 1

    init(images: [[String]], layers: [ScannedLayer]) {
        var places: [String: Int] = [:]
        for layer in layers where places[layer.id] == nil { places[layer.id] = places.count }
        for id in images.joined() where places[id] == nil { places[id] = places.count }
        var stored = [ByteCount](repeating: .zero, count: places.count)
        holders = [[Int]](repeating: [], count: places.count)
        isPinned = [Bool](repeating: false, count: places.count)
        isGone = [Bool](repeating: false, count: images.count)
        for layer in layers {
            guard let place = places[layer.id] else { continue }
            stored[place] = max(.zero, layer.storedBytes)
        }
        for (number, image) in images.enumerated() {
            var chain: [Int] = []
            for id in image {
                guard let place = places[id], holders[place].last != number else { continue }
                holders[place].append(number)
                chain.append(place)
            }
            // Images of several top layers may name the same ones in another order.
            chain.sort()
            chains.append(chain)
            twins[chain, default: []].append(number)
        }
        self.stored = stored
        counts = holders.map(\.count)
        mostTwins = twins.values.lazy.map(\.count).max() ?? 1
        pin(layers, places)
    }

    /// Pins what no image's removal frees: the layers that containers need, and left-over layers, which no
    /// image and no container needed at the scan and which nothing removes; with all that they stand on.
    ///
    /// Layers of images that went since the scan are no left-overs: it counted an image for them.
    private mutating func pin(_ layers: [ScannedLayer], _ places: [String: Int]) {
        let parents = Dictionary(layers.map { ($0.id, $0.parent) }, uniquingKeysWith: { $1 })
        for layer in layers {
            guard let place = places[layer.id] else { continue }
            let isLeftover = layer.images == 0 && counts[place] == 0
            guard layer.containers > 0 || isLeftover else { continue }
            var next: String? = layer.id
            while let id = next, let place = places[id], !isPinned[place] {
                isPinned[place] = true
                next = parents[id] ?? nil
            }
        }
    }

    /// What the layers that images need occupy, each counted once.
    var storedBytes: ByteCount {
        stored.indices.reduce(.zero) { counts[$1] > 0 ? $0 + stored[$1] : $0 }
    }

    /// What comes free when the image goes together with that many others that have the very same layers.
    func freedBytes(_ image: Int, with mates: Int = 0) -> ByteCount {
        chains[image].reduce(.zero) { sum, layer in
            counts[layer] == mates + 1 && !isPinned[layer] ? sum + stored[layer] : sum
        }
    }

    /// The other images, gone ones not included, that have the very same layers.
    func twins(of image: Int) -> [Int] {
        (twins[chains[image]] ?? []).filter { $0 != image && !isGone[$0] }
    }

    /// Takes an image out.
    ///
    /// Returns the images, gone ones not included, whose own removal may free something only now.
    mutating func remove(_ image: Int) -> [Int] {
        isGone[image] = true
        var affected: [Int] = []
        for layer in chains[image] {
            counts[layer] -= 1
            // More holders than any set of twins has: no single set of twins can free the layer.
            guard counts[layer] <= mostTwins, !isPinned[layer] else { continue }
            affected += holders[layer].lazy.filter { [isGone] in !isGone[$0] }
        }
        return affected
    }

    /// What the image's layers occupy, without those in `counted`, which they are added to.
    func bytes(_ image: Int, notIn counted: inout Set<Int>) -> ByteCount {
        chains[image].reduce(.zero) { counted.insert($1).inserted ? $0 + stored[$1] : $0 }
    }
}
