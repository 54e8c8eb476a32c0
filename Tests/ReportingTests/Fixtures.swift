import CacheModel
import Foundation
import Reporting

let now = Timestamp(seconds: 1_790_000_000)
let gib: Int64 = 1 << 30

func ago(hours: Int64) -> Timestamp { now - .hours(hours) }

func gibibytes(_ n: Double) -> ByteCount { ByteCount(Int64(n * Double(gib))) }

/// A quota of that many GiB with the default watermarks.
func quota(_ limit: Double) -> Quota {
    Quota(limit: gibibytes(limit), high: .share(basisPoints: 8500), low: .share(basisPoints: 7000))
}

func artifact(
    _ id: Int64, key: String? = nil, path: String? = nil, pool: Pool = .maven,
    bytes: ByteCount = gibibytes(1),
    hoursIdle: Int64 = 1000, evidence: Evidence = .atime, protections: Protections = []
) -> CacheEntry {
    let found = ScannedEntry(
        pool: pool, key: key ?? "org.example:lib-\(id):1.0",
        path: VolumePath(path ?? "repository/org/example/lib-\(id)/1.0") ?? .root, inode: UInt64(1000 + id),
        bytes: bytes, apparentBytes: bytes, files: 5, accessed: ago(hours: hoursIdle),
        fetched: ago(hours: 2000), protections: protections)
    return CacheEntry(
        id: id, found: found, firstSeen: ago(hours: 1990), lastUsed: ago(hours: hoursIdle),
        evidence: evidence,
        confidence: .high, uses: 12)
}

func image(_ id: Int64, layers: [String], names: [String], hoursIdle: Int64 = 1000) -> CacheEntry {
    let found = ScannedEntry(
        pool: .images, key: names.first ?? "sha256:\(id)", path: VolumePath("image\(id)") ?? .root,
        bytes: gibibytes(2), apparentBytes: gibibytes(2), files: 0, accessed: ago(hours: hoursIdle),
        fetched: ago(hours: 2000),
        image: ScannedImage(
            id: "image\(id)", names: names, layers: layers, exclusiveBytes: gibibytes(1.5), containers: 0))
    return CacheEntry(
        id: id, found: found, firstSeen: ago(hours: 1990), lastUsed: ago(hours: hoursIdle),
        evidence: .podmanEvents, confidence: .low, uses: 3)
}

func layer(_ id: String, stored: ByteCount) -> ScannedLayer {
    ScannedLayer(
        id: id, parent: nil, diffBytes: stored, storedBytes: stored, created: ago(hours: 2000),
        incomplete: false,
        images: 1, containers: 0)
}

func usage(
    _ entries: [CacheEntry], layers: [ScannedLayer] = [], used: ByteCount, volume: String = "build",
    trash: ByteCount = .zero
) -> VolumeUsage {
    VolumeUsage(
        volume: volume, usedBytes: used, trashBytes: trash,
        capacity: Capacity(total: gibibytes(20), available: .zero, free: .zero, inodes: 0, freeInodes: 0),
        scan: ScanRecord(
            number: 7, startedAt: ago(hours: 1), complete: true, unreadable: 0,
            identity: VolumeIdentity(marker: 1, rootInode: 2), atimeTrust: EvidenceQuality(.high)),
        entries: entries, layers: layers)
}

/// The widest line, with wide characters counted as two columns.
///
/// Its own small table, so that it does not repeat a mistake of the renderer's.
func widestLine(of text: String) -> Int {
    text.split(separator: "\n").map { line in
        line.unicodeScalars.reduce(0) { sum, scalar in
            switch scalar.value {
            case 0x300...0x36f: sum
            case 0x1100...0x115f, 0x2e80...0x9fff, 0xac00...0xd7a3, 0xff01...0xff60, 0x1f300...0x1f64f:
                sum + 2
            default: sum + 1
            }
        }
    }.max() ?? 0
}

/// The JSON of a report as Foundation reads it.
func parsed(_ report: some Report) throws -> [String: Any] {
    let text = try report.json()
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return object as? [String: Any] ?? [:]
}

extension CapacityReport.Volume {
    /// A volume whose artifacts nobody looked into.
    init(
        _ volume: Volume, _ usage: VolumeUsage, _ history: VolumeHistory, window: Span,
        simulates: Bool = false, regime: PruneRegime? = nil, asked: ByteCount? = nil, now: Timestamp
    ) {
        self.init(
            volume, UsageFigures(usage, of: volume, since: now - window, now: now), history,
            window: window, simulates: simulates, regime: regime, asked: asked, now: now)
    }
}
