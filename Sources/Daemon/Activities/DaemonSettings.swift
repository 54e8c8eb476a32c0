import CacheModel
import CacheServices
import Foundation

/// What the daemon was told: which volumes it keeps, and when it does what.
package struct DaemonSettings: Sendable {
    /// The volumes.
    package var volumes: [Volume]
    /// What was used more recently is not evicted.
    package var idleFloor: Span
    /// When each activity comes; one that is left out comes on request only.
    package var schedules: [Activity: CronSchedule]
    /// The zone of the clock that the schedules go by.
    package var timeZone: TimeZone
    /// How far activities are moved from their schedules.
    package var jitter: Jitter
    /// How many volumes may be worked on at once.
    package var parallel: Int
    /// How often the fill of the volumes is looked at.
    package var pressureInterval: Span
    /// How often the event logs are looked at.
    package var eventInterval: Span
    /// How long activities may take to come to an end when the daemon is to stop.
    package var gracePeriod: Span
    /// The directory of the index.
    package var stateDirectory: String

    /// Makes settings from all they consist of.
    package init(
        volumes: [Volume], idleFloor: Span = .hours(24), schedules: [Activity: CronSchedule],
        timeZone: TimeZone = .gmt,
        jitter: Jitter = Jitter(), parallel: Int = 2, pressureInterval: Span = .seconds(5),
        eventInterval: Span = .seconds(1), gracePeriod: Span = .seconds(25), stateDirectory: String
    ) {
        self.volumes = volumes
        self.idleFloor = idleFloor
        self.schedules = schedules
        self.timeZone = timeZone
        self.jitter = jitter
        self.parallel = parallel
        self.pressureInterval = pressureInterval
        self.eventInterval = eventInterval
        self.gracePeriod = gracePeriod
        self.stateDirectory = stateDirectory
    }

    /// Every activity there can be with these volumes.
    var keys: Set<ActivityKey> {
        var keys: Set<ActivityKey> = [ActivityKey(.report, on: nil)]
        for volume in volumes {
            for activity in [Activity.scan, .prune, .verify] {
                keys.insert(ActivityKey(activity, on: volume.name))
            }
            if volume.kind == .imageStore { keys.insert(ActivityKey(.warm, on: volume.name)) }
        }
        return keys
    }
}

/// The settings with what carries out activities by them: what a change of the configuration replaces as a whole.
package struct DaemonPlan: Sendable {
    /// What the daemon was told.
    package var settings: DaemonSettings
    /// Does an activity on a volume and says what became of it; cancelling the task ends it early and safely.
    ///
    /// It gets what was seen at the volume's path a moment ago, and works on nothing else.
    package var run: Run

    /// The form of `run`.
    package typealias Run = @Sendable (ActivityKey, RootPresence?) async -> ActivityOutcome

    /// Makes a plan from both.
    package init(settings: DaemonSettings, run: @escaping Run) {
        self.settings = settings
        self.run = run
    }
}
