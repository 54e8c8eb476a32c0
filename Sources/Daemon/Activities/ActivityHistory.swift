import CacheIndex
import CacheModel
import CacheServices
import Logging

/// When activities last ran, as the index keeps it from one process to the next.
///
/// Its methods block, for seconds where another process holds the index: they are for the activities' threads.
struct ActivityHistory: Sendable {
    let stateDirectory: String
    let logger: Logger
    let clock: @Sendable () -> Timestamp

    /// The last run of each activity, whether the daemon did it or a command.
    ///
    /// - Throws: `IndexError`.
    func read(of volumes: [Volume]) throws -> [ActivityKey: LastRun] {
        let index: CacheIndex
        do {
            index = try CacheIndex.open(stateDirectory: stateDirectory, now: clock())
        } catch IndexError.full(let path) {
            // A full disk is when a prune is needed most, and it can do without.
            logger.warning("\(IndexError.full(path: path)); it is not known what was missed")
            return [:]
        }
        for notice in index.notices { logger.warning("\(notice)") }
        var known: [ActivityKey: LastRun] = [:]
        for record in try index.activities() {
            guard let activity = Activity(rawValue: record.activity) else { continue }
            known[ActivityKey(activity, on: record.volume)] = LastRun(
                startedAt: record.startedAt, endedAt: record.finishedAt, succeededAt: record.succeededAt,
                line: record.line)
        }
        for volume in volumes {
            for (activity, time) in [
                (Activity.scan, try index.lastScan(of: volume.name)),
                (.prune, try index.lastRun(kind: "prune", volume: volume.name)),
            ] {
                let key = ActivityKey(activity, on: volume.name)
                guard let time, known[key].map({ $0.endedAt < time }) ?? true else { continue }
                known[key] = LastRun(startedAt: time, endedAt: time, succeededAt: time, line: "by a command")
            }
        }
        return known
    }

    /// Records an activity's end; where that fails, the log says so, and nothing else is lost.
    func record(_ last: LastRun, of key: ActivityKey) {
        do {
            let index = try CacheIndex.open(stateDirectory: stateDirectory, now: clock())
            try index.record(
                ActivityRecord(
                    activity: key.activity.rawValue, volume: key.volume, startedAt: last.startedAt,
                    finishedAt: last.endedAt, succeededAt: last.succeededAt, line: last.line))
        } catch {
            logger.warning("\(key): its end could not be recorded: \(error)")
        }
    }
}
