import CacheModel
import CacheServices

/// The configuration with what carries out activities by it: what a reload replaces as a whole.
package struct DaemonPlan: Sendable {
    /// What the daemon was told.
    package var configuration: Configuration
    /// Does an activity on a volume and says what became of it; cancelling the task ends it early and safely.
    ///
    /// It gets what was seen at the volume's path a moment ago, and works on nothing else.
    package var run: Run

    /// The form of `run`.
    package typealias Run = @Sendable (ActivityKey, RootPresence?) async -> ActivityOutcome

    /// Tells people's webhooks what an activity that has ended had to tell.
    package var tell: @Sendable (Notices) async -> Void

    /// How far what runs has come.
    package var progress: ActivityProgress

    /// Makes a plan from all it consists of.
    package init(
        _ configuration: Configuration, run: @escaping Run,
        tell: @escaping @Sendable (Notices) async -> Void = { _ in },
        progress: ActivityProgress = ActivityProgress()
    ) {
        self.progress = progress
        self.configuration = configuration
        self.run = run
        self.tell = tell
    }

    /// A plan whose activities are the services'.
    ///
    /// - Parameter progress: the daemon's, whatever the configuration.
    package init(_ services: Services, _ progress: ActivityProgress) {
        let runner = ActivityRunner(services: services, progress: progress)
        self.init(
            services.configuration, run: { await runner.perform($0, seen: $1) },
            tell: { await runner.tell($0) }, progress: progress)
    }
}

extension Configuration {
    /// Every activity there can be with these volumes.
    var activityKeys: Set<ActivityKey> {
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
