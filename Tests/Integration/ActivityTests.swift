import CacheModel
import CacheServices
import Daemon
import Foundation
import TestSupport
import Testing

@testable import larder

/// What the daemon's activities say of their end: the commands' own work, seen from the daemon.
@Suite struct ActivityTests {
    private let directory: TemporaryDirectory
    private let configuration: Configuration

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("cache/.m2/repository/g/a/1/a-1.jar", bytes: 9000)
        try directory.write("cache/.m2/repository/g/a/1/_remote.repositories", "a-1.jar>central=\n")
        try directory.shell("find cache -depth -exec touch -d '40 days ago' {} +")
        let volume = Volume(name: "build", kind: .buildCache, path: directory.path + "/cache")
        var configuration = Configuration(
            stateDirectory: directory.path + "/state", volumes: [volume], sockets: [:])
        configuration.idleFloor = .zero
        self.configuration = configuration
    }

    private func perform(_ activity: Activity, later: Span = .zero) async -> ActivityOutcome {
        let services = Services(configuration, clock: { Services.systemClock() + later })
        return await ActivityRunner(services: services, progress: ActivityProgress()).perform(
            ActivityKey(activity, on: activity == .report ? nil : "build"), seen: nil)
    }

    @Test func eachSaysWhatItDid() async {
        let scan = await perform(.scan)
        #expect(scan.result == .done && scan.figures["entries"] == 1)
        let prune = await perform(.prune)
        #expect(prune.result == .done && prune.figures["evicted"] == 0)
        let report = await perform(.report)
        #expect(report.result == .done && directory.exists("state/report.html"))
        #expect(directory.exists("state/report.json"))
    }

    /// A scan by a wrong clock would take its time for the right one, and the next prune would believe it.
    @Test(arguments: [Activity.scan, .prune]) func aClockThatWentBackStopsIt(activity: Activity) async {
        #expect(await perform(.scan).result == .done)
        let outcome = await perform(activity, later: .days(-2))
        #expect(outcome.result == .failed && outcome.line.contains("set the clock"))
        #expect(await perform(activity, later: .minutes(-10)).result == .done)
    }

    @Test func aBusyIndexIsTriedAgain() async throws {
        #expect(await perform(.scan).result == .done)
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
        holder.arguments = [directory.path + "/state/larder.db"]
        let (input, output) = (Pipe(), Pipe())
        (holder.standardInput, holder.standardOutput) = (input, output)
        try holder.run()
        try input.fileHandleForWriting.write(contentsOf: Data("BEGIN EXCLUSIVE;\nSELECT 'held';\n".utf8))
        _ = output.fileHandleForReading.readData(ofLength: 5)
        let outcome = await perform(.scan)
        #expect(outcome.result == .held && outcome.line.contains("another process holds the index"))
        try input.fileHandleForWriting.close()
        holder.waitUntilExit()
        #expect(await perform(.scan).result == .done)
    }

    @Test func aTaskThatIsCancelledRecordsNothing() async throws {
        #expect(await perform(.scan).result == .done)
        let task = Task {
            try? await Task.sleep(for: .seconds(60))
            return await perform(.scan)
        }
        task.cancel()
        #expect(await task.value.result == .stopped)
        let scans = try directory.shell("sqlite3 state/larder.db 'SELECT count(*) FROM scans'")
        #expect(scans == "1\n")
    }
}
