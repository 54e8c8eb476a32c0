import CacheIndex
import CacheModel
import CacheServices
import Foundation
import TestSupport
import Testing

/// A volume of a running testbed under an index of its own.
struct RealVolume {
    let volume: Volume
    private let state: TemporaryDirectory
    let index: CacheIndex

    static let settings: [String: String]? = {
        guard let directory = ProcessInfo.processInfo.environment["LARDER_TESTBED"],
            let text = try? String(contentsOfFile: "\(directory)/env", encoding: .utf8)
        else { return nil }
        let pairs = text.split(separator: "\n").compactMap { line -> (String, String)? in
            let parts = line.split(separator: "=", maxSplits: 1)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }()

    init(_ kind: Volume.Kind, path: String) throws {
        volume = Volume(name: "v", kind: kind, path: path)
        state = try TemporaryDirectory()
        index = try CacheIndex.open(stateDirectory: state.path, now: Self.now())
    }

    @Sendable static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }

    /// Scans by a clock that much behind, and gives the hits and misses that this scan recorded, by key.
    func scan(
        before: Span = .zero
    ) throws -> (hits: [String], misses: [String], result: ScanService.Result) {
        let clock: @Sendable () -> Timestamp = { Self.now() - before }
        let locked = try LockedVolume(volume, now: clock())
        let result = try ScanService(index: index, clock: clock).run(locked)
        var hits: [String] = []
        var misses: [String] = []
        for entry in try index.usage(of: volume.name)?.entries ?? [] {
            for access in try index.accesses(of: entry.id, limit: 100)
            where access.scan == result.recorded.number {
                if access.kind == .hit { hits.append(entry.key) } else { misses.append(entry.key) }
            }
        }
        return (hits.sorted(), misses.sorted(), result)
    }

    /// Runs the testbed's own program.
    static func testbed(_ command: String, _ arguments: String...) throws -> String {
        try testbed(command, arguments)
    }

    /// As above.
    static func testbed(_ command: String, _ arguments: [String]) throws -> String {
        let directory = settings?["LARDER_TESTBED"] ?? ""
        return try run(
            "/usr/bin/env", ["python3", Testbed.program, command, directory] + arguments
        ).checked().output
    }
}
