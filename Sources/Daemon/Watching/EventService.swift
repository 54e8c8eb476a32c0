import CacheIndex
import CacheModel
import CacheServices
import Logging
import ServiceLifecycle

/// Follows the event logs of the image stores as they grow.
struct EventService: Service {
    let scheduler: Scheduler
    let logger: Logger
    let clock: @Sendable () -> Timestamp

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskExecutorPreference(ActivityExecutor.shared) { await follow() }
        }
    }

    private func follow() async {
        await scheduler.untilLoaded()
        let rounds = VolumeRounds<Following>()
        while !Task.isCancelled {
            let configuration = await scheduler.configuration()
            let stores = configuration.volumes.filter { $0.kind == .imageStore }
            _ = rounds.begin(stores, now: clock()) { store, following in
                await follow(store, following ?? Following(follower: EventFollower(store)), configuration)
            }
            try? await Task.sleep(for: .nanoseconds(configuration.daemon.eventInterval.nanoseconds))
        }
    }

    /// Where the reading of a store's logs stands.
    private struct Following: Sendable {
        var follower: EventFollower
        /// A failure is told once, until something works again.
        var isFailureTold = false
    }

    private func follow(
        _ store: Volume, _ before: Following, _ configuration: Configuration
    ) async -> Following {
        var after = before
        guard after.follower.isDue(), await !scheduler.isBusy(store.name) else { return after }
        do {
            let index = try CacheIndex.open(
                stateDirectory: configuration.stateDirectory, now: clock(), readOnly: false)
            let (uses, notices) = try after.follower.follow(into: index)
            after.isFailureTold = false
            report(uses, notices, of: store)
        } catch {
            if !after.isFailureTold {
                logger.warning(
                    "volume \(store.name): uses are not recorded for now: \(error)",
                    metadata: ["volume": "\(store.name)"])
            }
            after.isFailureTold = true
        }
        return after
    }

    private func report(_ uses: Int, _ notices: [String], of store: Volume) {
        for notice in notices {
            logger.warning("volume \(store.name): \(notice)", metadata: ["volume": "\(store.name)"])
        }
        guard uses > 0 else { return }
        logger.info(
            "volume \(store.name): \(uses) uses from the event logs",
            metadata: ["volume": "\(store.name)", "uses": "\(uses)"])
    }
}
