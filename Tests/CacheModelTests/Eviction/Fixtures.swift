import CacheModel

let now = Timestamp(seconds: 1_790_000_000)
let gib: Int64 = 1 << 30

/// An instant that many hours before `now`.
func ago(hours: Int64) -> Timestamp { now - .hours(hours) }

/// A build-cache entry last used 100 hours ago and fetched 1,000 hours ago, unless said otherwise.
func artifact(
    _ id: Int64, key: String? = nil, path: String? = nil, pool: Pool = .maven, bytes: Int64 = 100,
    lastUsed: Timestamp = ago(hours: 100), fetched: Timestamp = ago(hours: 1000),
    evidence: Evidence = .atime, protections: Protections = [], warmedUntil: Timestamp? = nil
) -> CacheEntry {
    let found = ScannedEntry(
        pool: pool, key: key ?? "org.example:lib:\(id)",
        path: VolumePath(path ?? "repository/org/example/lib/\(id)") ?? .root, inode: UInt64(id),
        bytes: ByteCount(bytes), apparentBytes: ByteCount(bytes), files: 4, accessed: lastUsed,
        fetched: fetched, protections: protections)
    return CacheEntry(
        id: id, found: found, firstSeen: fetched, lastUsed: lastUsed, evidence: evidence, confidence: .high,
        uses: 3, warmedUntil: warmedUntil)
}

/// An image of those layers, from the top down.
func image(
    _ id: Int64, layers: [String], names: [String]? = nil, hoursIdle: Int64 = 100, bytes: Int64 = 0,
    protections: Protections = [], containers: Int = 0
) -> CacheEntry {
    let names = names ?? ["registry.example/app:\(id)"]
    let found = ScannedEntry(
        pool: .images, key: names.first ?? "<none>@sha256:\(id)", path: VolumePath("image\(id)") ?? .root,
        bytes: ByteCount(bytes), apparentBytes: ByteCount(bytes), files: 0, accessed: ago(hours: hoursIdle),
        fetched: ago(hours: 1000), protections: protections,
        image: ScannedImage(
            id: "image\(id)", names: names, layers: layers, exclusiveBytes: .zero, containers: containers))
    return CacheEntry(
        id: id, found: found, firstSeen: ago(hours: 1000), lastUsed: ago(hours: hoursIdle),
        evidence: .podmanEvents, confidence: .high, uses: 1)
}

/// A layer of a vfs store.
func layer(
    _ id: String, parent: String? = nil, stored: Int64, images: Int = 1, containers: Int = 0
) -> ScannedLayer {
    ScannedLayer(
        id: id, parent: parent, diffBytes: ByteCount(stored), storedBytes: ByteCount(stored),
        created: ago(hours: 1000), incomplete: false, images: images, containers: containers)
}

/// A volume of those entries; used bytes are what they occupy and `unmanaged` besides.
func usage(
    _ entries: [CacheEntry], layers: [ScannedLayer] = [], unmanaged: Int64 = 0, trash: Int64 = 0
) -> VolumeUsage {
    let named = Set(entries.flatMap { $0.found.image?.layers ?? [] })
    let stored = layers.filter { named.contains($0.id) }.reduce(0) { $0 + $1.storedBytes.bytes }
    let artifacts = entries.filter { $0.pool != .images }.reduce(0) { $0 + $1.bytes.bytes }
    return VolumeUsage(
        volume: "build", usedBytes: ByteCount(artifacts + stored + unmanaged), trashBytes: ByteCount(trash),
        capacity: Capacity(
            total: ByteCount(20 * gib), available: .zero, free: .zero, inodes: 0, freeInodes: 0),
        scan: ScanRecord(
            number: 1, startedAt: now, complete: true, unreadable: 0,
            identity: VolumeIdentity(marker: 1, rootInode: 2), atimeTrust: EvidenceQuality(.high)),
        entries: entries, layers: layers)
}

func quota(high: Int64, low: Int64) -> Quota {
    Quota(limit: ByteCount(max(high, low)), high: ByteCount(high), low: ByteCount(low))
}

extension EvictionPlan {
    /// The rows of what goes, in order.
    var evictedIDs: [Int64] { evict.map(\.entry.id) }
}
