import CacheIndex
import CacheModel
import Foundation

/// Scans every 15 minutes of a volume whose use follows working days, recorded by the real index.
///
/// Jobs use few entries much and most little (a power law); 40 of 96 intervals of a day, five days a week, bring
/// nine tenths of the uses. One use in 50 is a fetch of something new, for which something old goes.
struct YearOfScans {
    let state: String
    let days: Int64
    let entries: Int
    /// Distinct entries used between two scans in working hours.
    let uses: Int

    private struct Generator {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15

        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }

        /// 0 up to 1.
        mutating func share() -> Double { Double(next() >> 11) / Double(1 << 53) }
    }

    func run() throws {
        let index = try CacheIndex.open(stateDirectory: state, now: Timestamp(seconds: 1_800_000_000))
        let volume = Volume(name: "build", kind: .buildCache, path: "/cache")
        var generator = Generator()
        var found = (0..<entries).map { entry($0, fetched: Timestamp(seconds: 1_799_990_000)) }
        var number = entries
        var accesses = 0
        var recording = 0.0
        for interval in 0...days * 96 {
            let startedAt = Timestamp(seconds: 1_800_000_000 + interval * 900)
            let (hour, day) = (interval % 96 / 4, interval / 96 % 7)
            let isBusy = day < 5 && (8..<18).contains(hour)
            let count = interval == 0 ? 0 : isBusy ? uses : uses / 20
            for _ in 0..<count {
                let place = min(entries - 1, Int(pow(generator.share(), 3) * Double(entries)))
                if generator.next() % 50 == 0 {
                    let gone = min(entries - 1, entries / 2 + Int(generator.share() * Double(entries) / 2))
                    found[gone] = entry(number, fetched: startedAt - .seconds(60))
                    number += 1
                } else {
                    found[place].accessed = startedAt - .seconds(Int64(generator.next() % 800))
                }
                accesses += 1
            }
            recording += try EvidenceBenchmark.seconds {
                _ = try index.record(scan(at: startedAt, found), of: volume)
                _ = try index.foldAccesses(before: startedAt - CacheIndex.keptOneByOne)
                _ = try index.forgetGhosts(goneBefore: startedAt - .days(366))
            }.0
            if interval % 96 == 0, interval / 96 % 5 == 0 || interval == days * 96 {
                report(Double(interval / 96), Double(accesses), recording / Double(interval + 1))
            }
        }
    }

    private func report(_ day: Double, _ accesses: Double, _ recording: Double) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: state + "/larder.db")
        let size = (attributes?[.size] as? NSNumber)?.doubleValue ?? 0
        EvidenceBenchmark.say([
            "day": day, "megabytes": size / 1e6, "uses": accesses, "seconds_a_scan": recording,
        ])
        fflush(nil)
    }

    /// A GAV with names as long as real ones are.
    private func entry(_ number: Int, fetched: Timestamp) -> ScannedEntry {
        let group = "org/example/team\(number % 97)/module\(number % 1009)"
        let path = ".m2/repository/\(group)/artifact-\(number)/1.\(number % 20).0"
        return ScannedEntry(
            pool: .maven,
            key:
                "\(group.split(separator: "/").joined(separator: ".")):artifact-\(number):1.\(number % 20).0",
            path: VolumePath(path) ?? .root, inode: UInt64(number + 1_000_000),
            bytes: ByteCount(Int64(number % 900 + 20) << 10),
            apparentBytes: ByteCount(Int64(number % 900 + 10) << 10), files: 5, accessed: fetched,
            fetched: fetched)
    }

    private func scan(at start: Timestamp, _ entries: [ScannedEntry]) -> VolumeScan {
        VolumeScan(
            volume: "build", startedAt: start, finishedAt: start + .seconds(3),
            identity: VolumeIdentity(marker: 7, rootInode: 2), complete: true, directories: 300_000,
            files: 500_000, bytes: ByteCount(40 << 30), apparentBytes: ByteCount(38 << 30),
            capacity: Capacity(
                total: ByteCount(100 << 30), available: ByteCount(50 << 30), free: ByteCount(55 << 30),
                inodes: 6_000_000, freeInodes: 5_000_000),
            atimeTrust: EvidenceQuality(.high), entries: entries,
            snapshot: Self.snapshot(start, entries.count))
    }

    /// What the scanner keeps for its next walk: about 90 bytes for each of three directories an entry has, and not
    /// the same twice.
    private static func snapshot(_ start: Timestamp, _ entries: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 1, count: entries * 270)
        withUnsafeBytes(of: start.nanoseconds) { time in
            for (place, byte) in time.enumerated() where place < bytes.count { bytes[place] = byte }
        }
        return bytes
    }
}
