extension EvictionPolicy {
    /// The entries that a prune would evict if it were asked for each of them alone, by their rows in the index.
    ///
    /// By the rules of `plan`: what is protected is none of them, nor is a directory that holds other entries, or an image
    /// whose removal alone frees nothing. After an incomplete scan there are none.
    ///
    /// - Parameters:
    ///   - usage: the volume.
    ///   - now: when the prune would be asked for.
    package func removable(from usage: VolumeUsage, now: Timestamp) -> Set<Int64> {
        guard usage.scan.complete else { return [] }
        let wholes = Wholes(of: usage.entries)
        var removable: Set<Int64> = []
        for (place, entry) in usage.entries.enumerated()
        where protection(of: entry, now: now) == nil && wholes.parts(of: place).isEmpty {
            if let image = entry.found.image, image.exclusiveBytes == .zero { continue }
            removable.insert(entry.id)
        }
        return removable
    }

    /// The entries that no prune of any day takes, by their rows in the index.
    ///
    /// What passes with time, such as an idle floor or a running build, keeps none of them for good.
    package func pinned(in entries: [CacheEntry], now: Timestamp) -> Set<Int64> {
        var policy = self
        policy.idleFloor = .zero
        let passing: Set<Protection> = [
            .inFlight, .inUse, .gradleRunning, .idleFloor, .warmed, .sharedLayers, .sharedFiles,
        ]
        return Set(
            entries.indices.lazy.filter { place in
                policy.protection(of: entries[place], now: now).map { !passing.contains($0) } ?? false
            }.map { entries[$0].id })
    }
}
