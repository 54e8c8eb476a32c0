import CacheModel

// Times the curve of a year of accesses against sorting the same accesses by time, in turns. Arguments: entries,
// accesses, runs. `report` beside this directory builds and runs it.

/// A generator whose seed gives the same numbers anywhere (the finalizer of SplitMix64).
struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

let numbers = CommandLine.arguments.dropFirst().compactMap { Int64($0) }
guard numbers.count == 3 else {
    print("usage: curve ENTRIES ACCESSES RUNS")
    throw CancellationError()
}
var random = Random(state: 1)
let began = Timestamp(seconds: 1_700_000_000)
let year: Int64 = 365 * 86_400
let contents = (1...numbers[0]).map { entry in
    VolumeHistory.Content(
        entry: entry, bytes: ByteCount(.random(in: 1...4000, using: &random) * 4096),
        lastUsed: began - .seconds(.random(in: 0...9_000_000, using: &random)))
}
let unsorted = (0..<numbers[1]).map { _ in
    // Small numbers come up more often, as popular artifacts do.
    let share = Double.random(in: 0..<1, using: &random)
    let entry = Int64(share * share * Double(numbers[0])) + 1
    return VolumeHistory.Access(
        at: began + .seconds(.random(in: 0..<year, using: &random)), entry: entry,
        bytes: contents[Int(entry - 1)].bytes, isHit: true)
}
let clock = ContinuousClock()
var (sorting, curves): ([Duration], [Duration]) = ([], [])
var hits: Int64 = 0
for _ in 0..<numbers[2] {
    var accesses = unsorted
    sorting.append(clock.measure { accesses.sort { $0.at < $1.at } })
    let history = VolumeHistory(
        beganAt: began, lastScanAt: began + .seconds(year), contents: contents, accesses: accesses)
    curves.append(
        clock.measure { hits = HitRateCurve(history, since: began).rate(at: ByteCount(1 << 36)).hits })
}
let (sort, curve) = (sorting.sorted()[sorting.count / 2], curves.sorted()[curves.count / 2])
let tenths = Int((curve / sort * 10).rounded())
print("sorting \(sort), curve \(curve): \(tenths / 10).\(tenths % 10) times (\(hits) hits at 64 GiB)")
