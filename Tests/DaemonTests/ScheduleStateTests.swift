import CacheModel
import CacheServices
import Foundation
import Testing

@testable import Daemon

/// A board that may be asked within an expectation.
private final class ScheduleFixture {
    private var board = ScheduleState()

    func adopt(_ settings: Configuration, known: [ActivityKey: LastRun], now: Timestamp) {
        board.adopt(settings, known: known, now: now)
    }
    func start(now: Timestamp, absent: Set<String>) -> [(key: ActivityKey, reason: ActivityReason)] {
        board.start(now: now, absent: absent)
    }
    func end(_ key: ActivityKey, _ outcome: ActivityOutcome, now: Timestamp) -> Timestamp? {
        board.end(key, outcome, now: now)
    }
    func ask(_ key: ActivityKey, _ reason: ActivityReason, now: Timestamp) {
        board.ask(key, reason, now: now)
    }
    func nextWake(after now: Timestamp) -> Timestamp? { board.nextWake(after: now) }
    func states() -> [ActivityState] { board.states() }
}

/// What begins when, without a clock, a task or a file.
@Suite struct ScheduleStateTests {
    private static func at(_ minutes: Int64) -> Timestamp {
        Timestamp(seconds: 1_800_000_000 + minutes * 60)
    }

    private let build = Volume(name: "build", kind: .buildCache, path: "/cache")
    private let images = Volume(name: "images", kind: .imageStore, path: "/storage")
    private let scan = ActivityKey(.scan, on: "build")
    private let prune = ActivityKey(.prune, on: "build")

    private func settings(
        _ schedules: [Activity: String], volumes: [Volume]? = nil, jitter: Jitter = Jitter(),
        parallel: Int = 2
    ) -> Configuration {
        var configuration = Configuration(
            stateDirectory: "/nowhere", volumes: volumes ?? [build], sockets: [:])
        func schedule(_ activity: Activity) -> CronSchedule? {
            schedules[activity].flatMap { CronSchedule($0) }
        }
        configuration.daemon.scan = schedule(.scan)
        configuration.daemon.prune = schedule(.prune)
        configuration.daemon.warm = schedule(.warm)
        configuration.daemon.verify = schedule(.verify)
        configuration.daemon.report = schedule(.report)
        (configuration.daemon.jitter, configuration.daemon.jitterKind) = (jitter.most, jitter.kind)
        configuration.daemon.parallel = parallel
        return configuration
    }

    private func ran(_ minutes: Int64) -> LastRun {
        LastRun(
            startedAt: Self.at(minutes), endedAt: Self.at(minutes), succeededAt: Self.at(minutes), line: "")
    }

    private func board(
        _ schedules: [Activity: String], known: [ActivityKey: LastRun]? = nil, volumes: [Volume]? = nil,
        parallel: Int = 2
    ) -> ScheduleFixture {
        let board = ScheduleFixture()
        board.adopt(
            settings(schedules, volumes: volumes, parallel: parallel), known: known ?? [scan: ran(0)],
            now: Self.at(0))
        return board
    }

    private func done(_ line: String = "") -> ActivityOutcome { ActivityOutcome(.done, line) }

    @Test func anUnknownVolumeIsScannedAtOnce() {
        let board = board([:], known: [:])
        let first = board.start(now: Self.at(0), absent: [])
        #expect(first.map(\.key) == [scan])
        #expect(first.first?.reason == .first)
        _ = board.end(scan, done(), now: Self.at(1))
        #expect(board.start(now: Self.at(100), absent: []).isEmpty)
    }

    @Test func whatIsDueRunsOnceAtItsTime() throws {
        // The tests' time begins at 08:00 UTC.
        let board = board([.scan: "17 * * * *"])
        #expect(board.start(now: Self.at(16), absent: []).isEmpty)
        #expect(board.nextWake(after: Self.at(0)) == Self.at(17))
        let due = board.start(now: Self.at(17), absent: [])
        #expect(due.map(\.key) == [scan] && due.first?.reason == .schedule)
        #expect(board.start(now: Self.at(18), absent: []).isEmpty)
        _ = board.end(scan, done("x"), now: Self.at(19))
        #expect(board.nextWake(after: Self.at(19)) == Self.at(77))
        let state = try #require(board.states().first { $0.activity == .scan })
        #expect(state.lastSuccess == Self.at(19) && state.lastResult == "x" && state.nextDue == Self.at(77))
    }

    @Test func whatWasMissedIsCaughtUpOnce() {
        let board = board([.prune: "0 * * * *"], known: [scan: ran(0), prune: ran(-60 * 50)])
        let missed = board.start(now: Self.at(0), absent: [])
        #expect(missed.map(\.key) == [prune] && missed.first?.reason == .missed)
        _ = board.end(prune, done(), now: Self.at(1))
        #expect(board.start(now: Self.at(59), absent: []).isEmpty)
        #expect(board.start(now: Self.at(60), absent: []).first?.reason == .schedule)
    }

    @Test func whatRanInTimeIsNotCaughtUp() {
        let board = board([.prune: "0 * * * *"], known: [scan: ran(0), prune: ran(0)])
        #expect(board.start(now: Self.at(30), absent: []).isEmpty)
    }

    @Test func anActivityThatNeverRanWaitsForItsSchedule() {
        let board = board([.prune: "0 * * * *"])
        #expect(board.start(now: Self.at(59), absent: []).isEmpty)
    }

    @Test func aVolumeDoesOneThingAtATime() {
        let board = board(
            [.scan: "* * * * *", .prune: "* * * * *", .warm: "* * * * *"],
            known: [scan: ran(0), ActivityKey(.scan, on: "images"): ran(0)], volumes: [build, images],
            parallel: 9)
        var running: [String: Activity] = [:]
        var (most, begun) = (0, 0)
        var dice = SystemRandomNumberGenerator()
        for minute in 1..<2000 {
            for (key, _) in board.start(now: Self.at(Int64(minute)), absent: []) {
                let volume = key.volume ?? ""
                #expect(running[volume] == nil, "\(key) beside \(running)")
                running[volume] = key.activity
                begun += 1
            }
            most = max(most, running.count)
            if let (volume, activity) = running.randomElement(using: &dice) {
                _ = board.end(ActivityKey(activity, on: volume), done(), now: Self.at(Int64(minute)))
                running[volume] = nil
            }
        }
        #expect(most == 2 && begun > 1000)
    }

    @Test func noMoreVolumesThanAllowedWorkAtOnce() {
        let board = board([:], known: [:], volumes: [build, images], parallel: 1)
        #expect(board.start(now: Self.at(0), absent: []).count == 1)
        #expect(board.start(now: Self.at(1), absent: []).isEmpty)
    }

    @Test func aVolumeThatIsAwayIsWaitedFor() {
        let board = board([.scan: "0 * * * *"])
        #expect(board.start(now: Self.at(61), absent: ["build"]).isEmpty)
        #expect(board.start(now: Self.at(300), absent: []).map(\.key) == [scan])
        _ = board.end(scan, done(), now: Self.at(301))
        #expect(board.start(now: Self.at(302), absent: []).isEmpty)
    }

    @Test func whatIsHeldIsTriedAgainLaterAndLater() {
        let board = board([.scan: "0 * * * *"])
        var now = Self.at(60)
        var pauses: [Int64] = []
        for _ in 0..<9 {
            #expect(board.start(now: now, absent: []).count == 1)
            guard let again = board.end(scan, ActivityOutcome(.held, "busy"), now: now) else { break }
            pauses.append((again - now).seconds)
            #expect(board.start(now: again - .seconds(1), absent: []).isEmpty)
            now = again
        }
        #expect(pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300])
        #expect(board.start(now: now, absent: []).count == 1)
        #expect(board.end(scan, done(), now: now) == nil)
        #expect(board.start(now: now, absent: []).isEmpty)
    }

    @Test func aFailureWaitsForTheNextTime() {
        let board = board([.scan: "0 * * * *"])
        _ = board.start(now: Self.at(60), absent: [])
        #expect(board.end(scan, ActivityOutcome(.failed, "no"), now: Self.at(61)) == nil)
        #expect(board.start(now: Self.at(119), absent: []).isEmpty)
        #expect(board.states().first { $0.activity == .scan }?.lastSuccess == Self.at(0))
        #expect(board.start(now: Self.at(120), absent: []).count == 1)
    }

    @Test func pressureGoesFirst() {
        let board = board([.scan: "0 * * * *"])
        board.ask(prune, .pressure, now: Self.at(61))
        #expect(board.start(now: Self.at(61), absent: []).map(\.key) == [prune])
        _ = board.end(prune, done(), now: Self.at(62))
        #expect(board.start(now: Self.at(62), absent: []).map(\.key) == [scan])
    }

    @Test func aReloadKeepsWhatRunsAndTakesTheNewSchedule() {
        let board = board([.scan: "0 * * * *"])
        #expect(board.start(now: Self.at(60), absent: []).count == 1)
        board.adopt(settings([.scan: "30 * * * *"]), known: [scan: ran(0)], now: Self.at(61))
        #expect(board.start(now: Self.at(61), absent: []).isEmpty)
        _ = board.end(scan, done(), now: Self.at(62))
        #expect(board.nextWake(after: Self.at(62)) == Self.at(90))
        board.adopt(settings([:], volumes: [images]), known: [:], now: Self.at(63))
        #expect(board.states().allSatisfy { $0.volume != "build" })
    }

    @Test func jitterMovesAndKeepsEveryTime() {
        let jitter = Jitter(most: .hours(3), kind: .random)
        let board = ScheduleFixture()
        board.adopt(settings([.scan: "0 * * * *"], jitter: jitter), known: [scan: ran(0)], now: Self.at(0))
        var begun = 0
        for minute in 1...6000 where !board.start(now: Self.at(Int64(minute)), absent: []).isEmpty {
            begun += 1
            _ = board.end(scan, done(), now: Self.at(Int64(minute)))
        }
        // A hundred hours: none is run twice, and most are not passed over.
        #expect((30...100).contains(begun), "\(begun)")
    }

    @Test func fixedJitterIsTheSameEachTimeAndNotTheSameForAll() {
        var dice = SystemRandomNumberGenerator()
        let jitter = Jitter(most: .hours(1))
        let delays = (0..<50).map { jitter.delay(of: ActivityKey(.scan, on: "v\($0)"), using: &dice) }
        #expect(delays == (0..<50).map { jitter.delay(of: ActivityKey(.scan, on: "v\($0)"), using: &dice) })
        #expect(Set(delays).count > 40)
        #expect(delays.allSatisfy { $0 >= .zero && $0 < .hours(1) })
    }
}
