import CacheModel
import Glibc
import Reporting
import Synchronization
import TestSupport
import Testing

@testable import CacheServices

/// When webhooks are told, and for how long they may take.
@Suite struct NotificationTests {
    /// A server that takes connections and never answers: the kernel accepts what nobody asks for.
    private final class Silence {
        private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let port: UInt16

        init() throws {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let descriptor = descriptor
            let isBound = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, length) == 0 && listen(descriptor, 50) == 0
                        && getsockname(descriptor, $0, &length) == 0
                }
            }
            try #require(isBound)
            port = UInt16(bigEndian: address.sin_port)
        }

        deinit { close(descriptor) }
    }

    private func services(_ state: TemporaryDirectory, hooks: [Webhook]) -> Services {
        var configuration = Configuration(
            stateDirectory: state.path,
            volumes: [Volume(name: "build", kind: .buildCache, path: state.path + "/cache")], sockets: [:])
        configuration.notifications.webhooks = hooks
        return Services(configuration, clock: { Timestamp(seconds: 1_800_000_000) })
    }

    private func stuck(_ volume: String = "build") -> Notices {
        var notices = Notices()
        notices.all = [Notice(.overQuota, of: volume, "full")]
        return notices
    }

    @Test func serversThatHangHoldUpNobody() async throws {
        let (state, silence) = (try TemporaryDirectory(), try Silence())
        let hook = Webhook(url: "http://127.0.0.1:\(silence.port)/")
        let services = services(state, hooks: [hook, hook, hook])
        let sent = await services.tell(stuck(), pauses: [.zero, .zero, .zero], within: .milliseconds(300))
        // None is tried again once the time is over.
        #expect(sent.count == 3)
        #expect(sent.allSatisfy { $0.attempts <= 1 && $0.failure != nil })
    }

    @Test func aRefusedConnectionIsToldAndTriedAgain() async throws {
        let state = try TemporaryDirectory()
        var services = services(state, hooks: [Webhook(url: "http://127.0.0.1:1/")])
        let told = Mutex<[String]>([])
        services.notify = { text, _ in told.withLock { $0.append(text) } }
        let sent = await services.tell(stuck(), pauses: [.zero], within: .seconds(1200))
        #expect(sent.first?.attempts == 2)
        #expect(told.withLock { $0.first }?.contains("trying again in 0 s (attempt 2 of 2)") == true)
    }

    @Test func whatWasNotDeliveredIsToldAgain() async throws {
        let state = try TemporaryDirectory()
        let services = services(state, hooks: [Webhook(url: "http://127.0.0.1:1/")])
        for _ in 1...2 {
            #expect(await services.tell(stuck(), pauses: []).count == 1)
        }
    }

    @Test func aStateIsToldWhenItBeginsChangesOrLasts() async throws {
        let state = try TemporaryDirectory()
        let services = services(state, hooks: [Webhook(url: "http://127.0.0.1:1/")])
        func isTold(_ notices: Notices) async -> Bool { await !services.tell(notices, pauses: []).isEmpty }
        func remember(_ state: String, hoursAgo: Int64) throws {
            try services.index().recordTold(
                of: "over-quota", on: "build", state: state, at: services.clock() - .hours(hoursAgo))
        }
        #expect(await isTold(stuck()))
        try remember("", hoursAgo: 1)
        #expect(await !isTold(stuck()))
        #expect(await isTold(stuck("other")))
        try remember("", hoursAgo: 24)
        #expect(await isTold(stuck()))
        try remember("7", hoursAgo: 1)
        #expect(await isTold(stuck()))
        // Once it was over, the next time is news.
        try remember("", hoursAgo: 1)
        var over = Notices()
        over.settled = [.init(.overQuota, of: "build")]
        _ = await services.tell(over, pauses: [])
        #expect(await isTold(stuck()))
        // A prune is told each time.
        var pruned = Notices()
        pruned.all = [Notice(.pruned, of: "build", "done")]
        for _ in 1...2 { #expect(await isTold(pruned)) }
    }

    @Test func aPruneByKeySaysNothingOfTheQuota() throws {
        func notices(_ selection: EntrySelection?) -> [Notices.State] {
            let plan = EvictionPlan(
                volume: "build", createdAt: Timestamp(seconds: 0), usedBytes: .zero, trashBytes: .zero,
                unmanagedBytes: .zero,
                quota: Quota(
                    limit: ByteCount(10), high: .share(basisPoints: 8500), low: .share(basisPoints: 7000)),
                goal: ByteCount(7), evict: [], kept: [], volumeIsOver: false, reachesGoal: true,
                selection: selection)
            let outcome = EvictionOutcome(
                volume: "build", usedBefore: .zero, usedAfter: .zero, overQuota: false)
            return Notices(
                of: PruneReport(run: "r", dryRun: false, volumes: [.init(outcome: outcome, plan: plan)])
            ).settled
        }
        #expect(notices(nil) == [.init(.overQuota, of: "build")])
        #expect(notices(EntrySelection(keys: ["g:*"])).isEmpty)
    }
}
