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
}
