import TestSupport

@testable import CacheModel

/// A volume as anyone would write it: a dictionary of entries, and each night the plan that `larder prune` makes.
struct NaiveVolume {
    var policy: EvictionPolicy
    var quota: Quota
    var fixed: Int64
    var share: Double
    var most: Int
    /// The stored bytes of each layer, by its number; images name layers by it.
    var layers: [Int64] = []
    var composition: [Int64: [Int32]] = [:]
    var pinned: Set<Int64>
    var entries: [Int64: CacheEntry] = [:]
    /// Above which a prune does not wait for the night, and not before when.
    var critical = Int64.max
    var waitsUntil = Timestamp(nanoseconds: .min)
    var pause = Int64(5)

    var used: Int64 {
        if layers.isEmpty { return entries.values.reduce(fixed) { $0 + $1.bytes.bytes } }
        return Set(entries.keys.flatMap { composition[$0] ?? [] }).reduce(fixed) { $0 + layers[Int($1)] }
    }

    mutating func put(_ id: Int64, _ size: ByteCount, _ pool: Pool, at time: Timestamp, isFetch: Bool) {
        let image = composition[id].map { chain in
            ScannedImage(
                id: "\(id)", names: [], layers: chain.map { "l\($0)" }, exclusiveBytes: .zero, containers: 0)
        }
        let known = entries[id]
        let found = ScannedEntry(
            pool: pool, key: String(1_000_000 + id), path: VolumePath("entry/\(1_000_000 + id)") ?? .root,
            inode: 1,
            bytes: size, apparentBytes: size, files: 1, accessed: time,
            fetched: isFetch ? time : known?.found.fetched ?? time,
            protections: pinned.contains(id) ? Protections(.locallyInstalled) : [], image: image)
        entries[id] = CacheEntry(
            id: id, found: found, firstSeen: time, lastUsed: time, evidence: .atime, confidence: .high,
            uses: 1,
            isUnused: isFetch)
    }

    /// What a daemon does after each change: minutes that double to an hour lie between prunes that do not help.
    mutating func watch(at now: Timestamp) {
        if used > critical, now >= waitsUntil {
            prune(at: now)
            waitsUntil = now + .minutes(pause)
            pause = min(60, pause * 2)
        }
        if used <= quota.high.bytes { (waitsUntil, pause) = (Timestamp(nanoseconds: .min), 5) }
    }

    mutating func prune(at now: Timestamp) {
        let present = Set(entries.keys.flatMap { composition[$0] ?? [] })
        let usage = VolumeUsage(
            volume: "v", usedBytes: ByteCount(used), trashBytes: .zero,
            capacity: Capacity(total: quota.limit, available: .zero, free: .zero, inodes: 0, freeInodes: 0),
            scan: ScanRecord(
                number: 1, startedAt: now, complete: true, unreadable: 0,
                identity: VolumeIdentity(marker: 1, rootInode: 1),
                atimeTrust: EvidenceQuality(.high, reason: "")),
            entries: Array(entries.values),
            layers: present.map {
                ScannedLayer(
                    id: "l\($0)", parent: nil, diffBytes: ByteCount(layers[Int($0)]),
                    storedBytes: ByteCount(layers[Int($0)]), created: now, incomplete: false, images: 1,
                    containers: 0)
            })
        let plan = policy.plan(usage, under: quota, now: now)
        let allowed = Int64(Double(used) * share)
        var (freed, count) = (Int64(0), 0)
        for eviction in plan.evict {
            freed += eviction.freedBytes.bytes
            count += 1
            guard freed <= allowed, count <= most else { return }
            entries[eviction.entry.id] = nil
        }
    }
}
