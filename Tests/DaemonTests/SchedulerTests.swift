import CacheIndex
import CacheServices
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Daemon

@Suite struct SchedulerTests {
    /// What is not taken on must not be promised: what was asked for before the index was read, nobody ever did.
    @Test func nothingIsTakenOnBeforeTheIndexIsRead() async throws {
        let state = try TemporaryDirectory()
        let configuration = Configuration(
            stateDirectory: state.path, volumes: [WebFixture.volume], sockets: [:])
        let plan = DaemonPlan(configuration) { _, _ in fatalError("nothing may begin") }
        let scheduler = Scheduler(plan, logger: Logger(label: "test")) { WebFixture.now }
        await #expect(throws: RequestRefusal.loading) {
            try await scheduler.request(.prune, volume: "build")
        }
        await scheduler.stop()
        await #expect(throws: RequestRefusal.stopping) {
            try await scheduler.request(.prune, volume: "build")
        }
    }

    @Test func whatRunsTellsHowFarItIs() async throws {
        let state = try TemporaryDirectory()
        _ = try CacheIndex.open(stateDirectory: state.path, now: WebFixture.now)
        let configuration = Configuration(
            stateDirectory: state.path, volumes: [WebFixture.volume], sockets: [:])
        let progress = ActivityProgress()
        let (begun, begins) = AsyncStream<Void>.makeStream()
        let (gate, opens) = AsyncStream<Void>.makeStream()
        let plan = DaemonPlan(
            configuration,
            run: { key, _ in
                let display = progress.display(key, doing: "pruning")
                display.update("3 of 9 entries")
                begins.yield()
                for await _ in gate { break }
                display.end()
                return ActivityOutcome(.done, "done")
            }, progress: progress)
        let scheduler = Scheduler(plan, logger: Logger(label: "test")) { WebFixture.now }
        let work = Task { try await scheduler.run() }
        await scheduler.untilLoaded()
        await scheduler.observe(WebFixture.volume, away: nil)
        try await scheduler.request(.prune, volume: "build")
        for await _ in begun { break }
        let told = await scheduler.activityStates().map { "\($0.activity): \($0.progress ?? "")" }
        #expect(told.contains("prune: pruning, 3 of 9 entries"))
        opens.yield()
        await scheduler.stop()
        try await work.value
        #expect(await scheduler.activityStates().allSatisfy { $0.progress == nil })
    }
}
