import CacheModel
import Synchronization

/// What is done for each volume again and again, each by itself: a file system that hangs delays no other's volume.
final class VolumeRounds<State: Sendable>: Sendable {
    /// A volume whose last round has not ended, and when that began.
    struct Unfinished: Sendable {
        var volume: Volume
        var since: Timestamp
    }

    private struct Turn {
        var state: State?
        var since: Timestamp?
    }

    private let turns = Mutex<[Volume: Turn]>([:])

    /// Begins a round for each volume whose last one has ended, with what that left, and returns at once.
    ///
    /// What was kept of volumes that are no longer among them is forgotten.
    ///
    /// - Returns: those that are still in their last round.
    func begin(
        _ volumes: [Volume], now: Timestamp, work: @escaping @Sendable (Volume, State?) async -> State?
    ) -> [Unfinished] {
        let (begun, unfinished) = turns.withLock { turns in
            turns = turns.filter { volumes.contains($0.key) || $0.value.since != nil }
            var begun: [(volume: Volume, state: State?)] = []
            var unfinished: [Unfinished] = []
            for volume in volumes {
                if let since = turns[volume]?.since {
                    unfinished.append(Unfinished(volume: volume, since: since))
                } else {
                    begun.append((volume, turns[volume]?.state))
                    turns[volume] = Turn(state: nil, since: now)
                }
            }
            return (begun, unfinished)
        }
        for (volume, state) in begun {
            Task.detached(executorPreference: ActivityExecutor.shared) { [self] in
                let state = await work(volume, state)
                turns.withLock { $0[volume] = Turn(state: state, since: nil) }
            }
        }
        return unfinished
    }
}
