import CacheModel
import Synchronization
import Testing

@testable import Daemon

/// A volume whose file system hangs holds up itself alone.
@Suite struct VolumeRoundsTests {
    private static let volumes = ["build", "images", "other"].map {
        Volume(name: $0, kind: .buildCache, path: "/\($0)")
    }

    /// Whether a condition comes to hold.
    private static func comes(_ condition: () -> Bool) async -> Bool {
        for _ in 0..<2000 {
            if condition() { return true }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return condition()
    }

    @Test(.timeLimit(.minutes(1))) func oneThatHangsDelaysNoOther() async throws {
        let rounds = VolumeRounds<Int>()
        let done = Mutex<[String: Int]>([:])
        let (answers, answer) = AsyncStream<Void>.makeStream()
        let hung = Self.volumes[1]
        func begin(at seconds: Int64) -> [VolumeRounds<Int>.Unfinished] {
            rounds.begin(Self.volumes, now: Timestamp(seconds: seconds)) { volume, before in
                if volume == hung { for await _ in answers { break } }
                let count = (before ?? 0) + 1
                done.withLock { $0[volume.name] = count }
                return count
            }
        }
        func count(_ volume: Volume) -> Int { done.withLock { $0[volume.name] ?? 0 } }

        #expect(begin(at: 100).isEmpty)
        // Rounds of the others go on, each with what its last one left.
        var second = Int64(100)
        let isOn = await Self.comes {
            second += 1
            let unfinished = begin(at: second)
            return count(Self.volumes[0]) >= 3 && count(Self.volumes[2]) >= 3
                && unfinished.contains { $0.volume == hung && $0.since == Timestamp(seconds: 100) }
        }
        #expect(isOn && count(hung) == 0)

        // Once it answers, its rounds go on as well.
        answer.yield()
        #expect(await Self.comes { count(hung) == 1 })
        answer.finish()
        let isBack = await Self.comes {
            second += 1
            _ = begin(at: second)
            return count(hung) >= 2
        }
        #expect(isBack)
    }
}
