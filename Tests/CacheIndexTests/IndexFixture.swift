import CacheIndex
import CacheModel
import Foundation
import Testing

/// A state directory of its own for one test, with an index in it, removed when the test ends.
final class IndexFixture {
    let directory: String
    var database: String { directory + "/larder.db" }
    let volume = Volume(name: "build", kind: .buildCache, path: "/cache")

    init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/larder-index-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    func open(readOnly: Bool = false) throws -> CacheIndex {
        try CacheIndex.open(stateDirectory: directory, now: hour(0), readOnly: readOnly)
    }

    var files: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: directory)
                .filter { $0 != "reserve" && $0 != "larder.db.checked" }.sorted()
        }
    }

    /// What the sqlite3 command answers, a line a row, columns joined by `|`.
    func sql(_ query: String) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["sqlite3", "-batch", database, query]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "sqlite3: apt-get install sqlite3")
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

/// That many hours after the beginning of the tests' time.
func hour(_ hours: Int64) -> Timestamp { Timestamp(seconds: 1_800_000_000 + hours * 3600) }

/// A GAV directory of 1000 bytes with inode 1, fetched and read two hours before the beginning.
func artifact(
    _ name: String, pool: Pool = .maven, inode: UInt64 = 1, bytes: Int64 = 1000,
    accessed: Timestamp = hour(-2), fetched: Timestamp = hour(-2), image: ScannedImage? = nil
) throws -> ScannedEntry {
    ScannedEntry(
        pool: pool, key: "org.example:\(name):1.0", path: try #require(VolumePath("repository/\(name)/1.0")),
        inode: inode, bytes: ByteCount(bytes), apparentBytes: ByteCount(bytes - 10), files: 3,
        accessed: accessed, fetched: fetched, image: image)
}

/// A scan at that hour, complete and with trusted access times.
func scan(
    at start: Int64, _ entries: [ScannedEntry], of volume: String = "build", complete: Bool = true,
    trust: Confidence = .high, identity: VolumeIdentity = VolumeIdentity(marker: 7, rootInode: .max),
    layers: [ScannedLayer] = [], snapshot: [UInt8] = []
) -> VolumeScan {
    VolumeScan(
        volume: volume, startedAt: hour(start), finishedAt: hour(start) + .seconds(5), identity: identity,
        complete: complete, directories: 10, files: 30,
        bytes: entries.reduce(ByteCount(5000)) { $0 + $1.bytes }, apparentBytes: ByteCount(4000),
        trashBytes: ByteCount(300), unreadableCount: complete ? 0 : 1,
        capacity: Capacity(
            total: ByteCount(100_000), available: ByteCount(40_000), free: ByteCount(50_000), inodes: 100,
            freeInodes: 60),
        atimeTrust: EvidenceQuality(trust, reason: trust == .high ? "" : "because"), entries: entries,
        layers: layers, snapshot: snapshot)
}

/// A prune that ended at that hour.
func prune(_ id: String, at hours: Int64, exitCode: Int32 = 0) -> RunRecord {
    RunRecord(
        id: id, kind: "prune", startedAt: hour(hours) - .minutes(5), finishedAt: hour(hours),
        exitCode: exitCode)
}

extension CacheEntry {
    /// The line of an outcome that evicts this entry.
    var line: EvictionOutcome.Line {
        EvictionOutcome.Line(entryID: id, pool: pool, key: key, bytes: bytes)
    }
}
