import CacheModel

extension ImageStore {
    /// By how much layers grow when they are unpacked, where the store has none to measure it on: gzip packs
    /// Debian's files to about 0.4 (measured on images of Redis and Postgres).
    static let usualGrowth = 2.5

    /// By how much the layers in this store grew when they were unpacked, all of them together; at least 1.
    package var growth: Double {
        let known = graph.records.filter { $0.compressedSize > 0 && $0.diffSize > 0 }
        let sent = known.reduce(0.0) { $0 + Double($1.compressedSize) }
        guard sent > 0 else { return Self.usualGrowth }
        return max(1, known.reduce(0.0) { $0 + Double($1.diffSize) } / sent)
    }

    /// What an image of these layers would add to the store: an estimate.
    ///
    /// What a layer takes depends on the driver: with vfs its own size and that of all below it. Layers that are
    /// there with the same ancestry are shared and add nothing. A layer's unpacked size is known where the store has
    /// it on any other base; else it is what is sent times `growth`.
    ///
    /// - Parameter layers: the base first.
    package func forecast(_ layers: [AnnouncedLayer]) -> ByteCount {
        let growth = growth
        var sizes: [String: Int64] = [:]
        for record in graph.records where record.diffSize > 0 {
            sizes[record.compressedDigest] = record.diffSize
            sizes[record.diffDigest] = record.diffSize
        }
        var children: [Int?: [Int]] = [:]
        for place in graph.records.indices where graph.whole[place] {
            children[graph.parents[place], default: []].append(place)
        }
        var below: Int?
        var isShared = true
        var height = ByteCount.zero
        var sum = 0.0
        for layer in layers {
            let size =
                sizes[layer.digest].map(Double.init)
                ?? Double(layer.bytes.bytes) * (layer.isCompressed ? growth : 1)
            height = driver.storedBytes(own: ByteCount(Int64(min(size, Double(1 << 60)))), below: height)
            let there = isShared ? children[below]?.first { graph.records[$0].holds(layer.digest) } : nil
            if let there { below = there } else { isShared = false }
            if !isShared { sum += Double(height.bytes) }
        }
        return ByteCount(Int64(min(sum, Double(1 << 60))))
    }

    /// The digests, as registries have them, of all layers that are there as a whole.
    package var completeDigests: Set<String> {
        Set(graph.records.indices.filter { graph.whole[$0] }.map { graph.records[$0].compressedDigest })
    }
}

extension LayerRecord {
    /// Whether it was made from what a registry sends under that digest.
    fileprivate func holds(_ digest: String) -> Bool {
        compressedDigest == digest || diffDigest == digest
    }
}
