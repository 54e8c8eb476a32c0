import CacheIndex
import CacheModel
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import CacheServices

/// What goes back where it came from, over what, and what a run that was killed in the middle of a move left.
@Suite struct EntryReturnTests {
    private let bench: BuildVolume
    private let state: TemporaryDirectory

    init() throws {
        (bench, state) = (try BuildVolume(), try TemporaryDirectory())
        try bench.add("one", daysAgo: 50, bytes: 1_000_000)
        try bench.add("two", daysAgo: 40, bytes: 1_000_000)
    }

    private func services(limit: Int64 = 100) -> Services {
        var volume = bench.volume
        volume.limit = ByteCount(limit << 20)
        var configuration = Configuration(stateDirectory: state.path, volumes: [volume], sockets: [:])
        configuration.idleFloor = .zero
        configuration.limits.bytesShare = .share(basisPoints: 10_000)
        return Services(configuration, clock: BuildVolume.now)
    }

    private func prune(_ services: Services, key: String? = nil) async throws -> String {
        var options = PruneOptions()
        options.beyondLimits = true
        options.goal =
            key.map { PruneGoal(target: nil, selection: EntrySelection(keys: [$0])) }
            ?? PruneGoal(target: .zero)
        return try await services.prune(options).report.run
    }

    private func scanNotices(_ services: Services) throws -> [String] {
        let heard = Mutex<[String]>([])
        let listening = Services(
            services.configuration, clock: BuildVolume.now,
            notify: { text, _ in heard.withLock { $0.append(text) } })
        _ = try listening.scan()
        return heard.withLock { $0 }
    }

    /// The files of an entry with their contents; empty where it is not there.
    private func files(_ name: String) throws -> String {
        try bench.directory.shell(
            "find \(bench.path(name)) -type f -exec sha1sum {} + 2>/dev/null | sort || true")
    }

    @Test(arguments: [
        "mkdir -p PLACE", "mkdir -p PLACE; echo error > PLACE/one-1.pom.lastUpdated",
        "mkdir -p PLACE; touch PLACE/one-1.jar.lastUpdated PLACE/resolver-status.properties",
    ])
    func whatFailedDownloadsLeaveGivesWay(before: String) async throws {
        let services = services()
        _ = try services.scan()
        let content = try files("one")
        let run = try await prune(services, key: "g:one:1")
        #expect(try files("one") == "" && content != "")
        try bench.directory.shell(before.replacing("PLACE", with: bench.path("one")))
        let result = try services.restore(run: run, key: nil)
        #expect(result.report.refused.isEmpty && result.code == nil)
        #expect(try files("one") == content)
        #expect(try services.trashedRuns().runs.isEmpty)
    }

    @Test(arguments: [
        "echo x > PLACE/one-1.jar", "echo x > PLACE/one-1.jar.part; touch PLACE/one-1.pom.lastUpdated",
        "mkdir PLACE/checkout", "ln -s /etc/passwd PLACE/one-1.pom.lastUpdated", "touch PLACE/notes",
    ])
    func whatSomebodyMayMissStays(there: String) async throws {
        let services = services()
        _ = try services.scan()
        let run = try await prune(services, key: "g:one:1")
        let place = bench.path("one")
        try bench.directory.shell("mkdir -p PLACE; \(there)".replacing("PLACE", with: place))
        let before = try bench.directory.shell("ls -lR \(place)")
        let result = try services.restore(run: run, key: nil)
        #expect(
            result.report.refused.map(\.reason) == [
                "it is there already: a job fetched it again, or it was brought back before"
            ])
        #expect(try bench.directory.shell("ls -lR \(place)") == before)
        #expect(try services.trashedRuns().runs.first?.entries.count == 1)
    }

    /// A run that was killed right after a move: the index knows nothing of it, and its folder says that it did not end.
    private func killedRun(_ change: String) async throws -> Services {
        let services = services()
        _ = try services.scan()
        let before = try TemporaryDirectory()
        try state.shell("cp -a . '\(before.path)'")
        let run = try await prune(services, key: "g:one:1")
        try state.shell("rm -rf ./*; cp -a '\(before.path)'/. .")
        try bench.directory.shell(
            "cd .larder/trash/\(run); rm ended; cd 0; \(change)".replacing(
                "PLACE", with: "\(bench.directory.path)/\(bench.path("one"))"))
        return services
    }

    private let install = "echo mine > one-1-tests.jar; echo 'one-1-tests.jar>=' >> _remote.repositories"

    @Test func whatWasInstalledIntoItAsItWasMovedGoesBack() async throws {
        let services = try await killedRun(install)
        let notices = try scanNotices(services)
        #expect(
            notices.contains { $0.contains("g:one:1 changed as prune") && $0.contains("back in its place") })
        #expect(try bench.directory.shell("cat \(bench.path("one"))/one-1-tests.jar") == "mine\n")
        _ = try services.scan()
        let entry = try #require(try services.explain("g:one:1").reports.first)
        #expect(entry.verdict == .kept(.locallyInstalled))
    }

    @Test func whatDidNotChangeWaitsInTheTrash() async throws {
        let services = try await killedRun("true")
        _ = try services.scan()
        #expect(try files("one") == "")
        #expect(try services.trashedRuns().runs.first?.entries.map(\.key) == ["g:one:1"])
    }

    /// Neither its time nor a lack of space takes it; who asks for it does.
    @Test func whatCannotGoBackIsKeptFromEveryPrune() async throws {
        let services = try await killedRun(
            "\(install); mkdir -p PLACE; echo other > PLACE/one-1.jar; touch -d '40 days ago' PLACE/* PLACE")
        #expect(try scanNotices(services).contains { $0.contains("no prune purges it from the trash") })
        let held = "find .larder/trash -name one-1-tests.jar | wc -l"
        #expect(try bench.directory.shell(held) == "1\n")
        // A limit far below what is there: the trash is purged down to nothing, but for this.
        let small = self.services(limit: 1)
        _ = try await prune(small)
        try bench.directory.shell("rm -rf .m2/repository/g/two")
        _ = try await prune(small)
        #expect(try bench.directory.shell(held) == "1\n")
        let listed = try services.trashedRuns()
        #expect(listed.text(width: 200, color: false, now: BuildVolume.now()).contains("no prune purges it"))
        _ = try services.purgeTrash()
        #expect(try bench.directory.shell(held) == "0\n")
        #expect(try bench.directory.shell("ls .larder/trash") == "")
    }

    /// Gradle's `publishToMavenLocal` leaves the tracking file as it is; where times are lost, its note alone tells.
    @Test func aVersionThatWasPublishedHereStays() async throws {
        let note = "<metadata><versioning><versions><version>1</version></versions></versioning></metadata>"
        try bench.directory.write(".m2/repository/g/one/maven-metadata-local.xml", note)
        try bench.directory.write(
            ".m2/repository/g/two/maven-metadata-local.xml", note.replacing(">1<", with: ">11<"))
        try bench.directory.shell("find .m2 -depth -exec touch -d '40 days ago' {} +")
        let services = services()
        _ = try services.scan()
        _ = try await prune(services)
        #expect(try files("one") != "" && files("two") == "")
    }
}
