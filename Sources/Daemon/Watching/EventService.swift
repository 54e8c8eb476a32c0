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
        var followers: [Volume: EventFollower] = [:]
        // A failure is told once, until something works again.
        var told: Set<String> = []
        while !Task.isCancelled {
            let configuration = await scheduler.configuration()
            let stores = configuration.volumes.filter { $0.kind == .imageStore }
            followers = followers.filter { stores.contains($0.key) }
            for store in stores {
                var follower = followers[store] ?? EventFollower(store)
                if follower.isDue(), await !scheduler.isBusy(store.name) {
                    do {
                        let index = try CacheIndex.open(
                            stateDirectory: configuration.stateDirectory, now: clock(), readOnly: false)
                        let (uses, notices) = try follower.follow(into: index)
                        told.remove(store.name)
                        report(uses, notices, of: store)
                    } catch {
                        if told.insert(store.name).inserted {
                            logger.warning(
                                "volume \(store.name): uses are not recorded for now: \(error)",
                                metadata: ["volume": "\(store.name)"])
                        }
                    }
                }
                followers[store] = follower
            }
            try? await Task.sleep(for: .nanoseconds(configuration.daemon.eventInterval.nanoseconds))
        }
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
