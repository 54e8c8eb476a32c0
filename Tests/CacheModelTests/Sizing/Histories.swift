import TestSupport

@testable import CacheModel

let start = Timestamp(seconds: 1_800_000_000)

/// A history made of contents and accesses, an access a minute unless told.
func history(
    _ contents: [(entry: Int64, bytes: Int64)], _ accesses: [(entry: Int64, bytes: Int64)],
    every step: Span = .minutes(1)
) -> VolumeHistory {
    VolumeHistory(
        beganAt: start, lastScanAt: start + Span(nanoseconds: step.nanoseconds * Int64(accesses.count)),
        contents: contents.enumerated().map { place, content in
            .init(
                entry: content.entry, bytes: ByteCount(content.bytes),
                lastUsed: start - .seconds(Int64(contents.count - place)))
        },
        accesses: accesses.enumerated().map { place, access in
            .init(
                at: start + Span(nanoseconds: step.nanoseconds * Int64(place + 1)), entry: access.entry,
                bytes: ByteCount(access.bytes), isHit: true)
        })
}

/// A random trace: few or many objects, of like or very unlike sizes, of which some grow and shrink.
func randomHistory(_ seed: UInt64, length: Int = 400, changesSizes: Bool) -> VolumeHistory {
    var random = SeededGenerator(seed: seed)
    let objects = Int64.random(in: 1...60, using: &random)
    let largest = Int64(1) << Int64.random(in: 0...20, using: &random)
    var sizes = (0..<objects).map { _ in Int64.random(in: 0...largest, using: &random) }
    func pick(_ random: inout SeededGenerator) -> Int64 {
        min(.random(in: 0..<objects, using: &random), .random(in: 0..<objects, using: &random))
    }
    var contents: [(entry: Int64, bytes: Int64)] = []
    for object in (0..<objects).shuffled(using: &random) where Bool.random(using: &random) {
        contents.append((object * 7 + 3, sizes[Int(object)]))
    }
    let accesses = (0..<Int.random(in: 1...length, using: &random)).map { _ in
        let object = pick(&random)
        if changesSizes, Int.random(in: 0..<8, using: &random) == 0 {
            sizes[Int(object)] = Int64.random(in: 0...largest, using: &random)
        }
        return (entry: object * 7 + 3, bytes: sizes[Int(object)])
    }
    return history(contents, accesses)
}
