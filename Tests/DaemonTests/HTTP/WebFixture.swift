import CacheIndex
import CacheModel
import CacheServices
import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Daemon

/// A daemon that does nothing and remembers what it was asked.
final class FakeControl: DaemonControl {
    let waiting = Mutex<[String]>([])
    let refusal = Mutex<RequestRefusal?>(nil)
    let asked = Mutex<[String]>([])

    let told: Mutex<Configuration>

    init(stateDirectory: String, slowness: Duration = .zero) {
        self.slowness = slowness
        var configuration = Configuration(
            stateDirectory: stateDirectory, volumes: [WebFixture.volume], sockets: [:])
        (configuration.cluster, configuration.node) = ("east", "n1")
        told = Mutex(configuration)
    }

    /// How long it takes to tell its configuration.
    let slowness: Duration

    func configuration() async -> Configuration {
        if slowness > .zero { try? await Task.sleep(for: slowness) }
        return told.withLock { $0 }
    }

    func awayVolumes() async -> Set<String> { [] }

    func waitingFor() async -> [String] { waiting.withLock { $0 } }

    /// Each look finds it one file further.
    let looks = Atomic(0)

    func activityStates() async -> [ActivityState] {
        var state = ActivityState(
            activity: .verify, volume: "build", runningSince: hour(3), lastSuccess: hour(2),
            lastEnd: hour(2), lastResult: "verified /cache/secret", nextDue: nil)
        state.progress = "verifying, \(looks.add(1, ordering: .relaxed).newValue) files"
        return [state]
    }

    func request(_ activity: Activity, volume: String?) async throws(RequestRefusal) {
        if let refusal = refusal.withLock({ $0 }) { throw refusal }
        asked.withLock { $0.append("\(activity) \(volume ?? "all")") }
    }
}

/// How many servers there may be at once: eighty on two cores would answer nobody within the time that curl waits.
private actor Places {
    static let servers = Places(free: 4)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(free: Int) { self.free = free }

    func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func give() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}

/// A server on a port of its own over an index of its own, for one test.
final class WebFixture: Sendable {
    let directory: TemporaryDirectory
    let control: FakeControl
    let port: Int
    let server: WebServer
    private let group: ServiceGroup
    private let task: Task<Void, any Error>
    /// Given back with the last reference, also by a test that failed before it stopped its server.
    private let place: Place

    private final class Place: Sendable {
        init() async { await Places.servers.take() }
        deinit { Task { await Places.servers.give() } }
    }

    /// Its clock stands still.
    static let now = hour(5)
    static let volume = Volume(
        name: "build", kind: .buildCache, path: "/cache", limit: ByteCount(80_000))

    init(
        token: Bool = false, limits: ConnectionLimits = .init(), pace: StatsCache.Pace = .init(),
        prepare: (CacheIndex) throws -> Void = { try WebFixture.record($0) }
    ) async throws {
        place = await Place()
        directory = try TemporaryDirectory()
        control = FakeControl(stateDirectory: directory.path)
        try prepare(CacheIndex.open(stateDirectory: directory.path, now: Self.now))
        if token {
            try directory.write("token", "0123456789abcdefXYZ\n")
            try directory.shell("chmod 0440 token")
        }
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        server = WebServer(
            .init(
                address: .tcp(host: "127.0.0.1", port: 0), stateDirectory: directory.path,
                tokenFile: token ? directory.path + "/token" : nil),
            control: control, clock: { Self.now }, logger: logger, limits: limits, pace: pace
        ) { found.yield($0 ?? 0) }
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        self.group = group
        task = Task { try await group.run() }
        var first: Int?
        for await port in ports.prefix(1) { first = port }
        port = try #require(first)
        await server.figures.refresh()
        // The report is made beside: tests that need it wait for it, not for a time.
        while await server.figures.sizes == nil, try await hasVolumes() {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func hasVolumes() async throws -> Bool {
        ((try? await server.figures.current())?.volumes.isEmpty).map { !$0 } ?? false
    }

    deinit { task.cancel() }

    /// Stops the server as SIGTERM does.
    func stop() async throws {
        await group.triggerGracefulShutdown()
        try await task.value
    }

    /// Seven entries of which one has a hostile name, used and fetched over five hours, and a prune.
    static func record(_ index: CacheIndex) throws {
        var entries = try (1...6).map { try artifact("part\($0)", bytes: Int64($0) * 1000) }
        entries.append(try artifact("<script>alert('x')</script>&\"", bytes: 9000))
        entries.sort { $0.path < $1.path }
        _ = try index.record(scan(at: 1, entries), of: volume)
        for place in entries.indices where place % 2 == 0 { entries[place].accessed = hour(1) + .minutes(30) }
        _ = try index.record(scan(at: 2, entries), of: volume)
        let usage = try #require(try index.usage(of: "build"))
        try index.record(
            EvictionOutcome(
                volume: "build", evicted: usage.entries.prefix(2).map(\.line), freedBytes: ByteCount(500),
                trashedBytes: ByteCount(2500), usedBefore: usage.usedBytes,
                usedAfter: usage.usedBytes - ByteCount(3000), overQuota: true),
            run: RunRecord(
                id: "run-1", kind: "prune", startedAt: hour(3), finishedAt: hour(3), exitCode: 0))
        try index.recordTrash(
            of: "build",
            holding: [
                TrashedRun(
                    run: "run-1",
                    entries: usage.entries.prefix(2).enumerated().map {
                        .init(number: $0.offset, key: $0.element.key, bytes: $0.element.bytes)
                    })
            ])
        // One comes back: a miss, and regret.
        entries[0].fetched = hour(3) + .minutes(30)
        entries[0].inode = 77
        entries.remove(at: 1)
        _ = try index.record(scan(at: 4, entries), of: volume)
    }

    /// What the sqlite3 command answers, a line a row, columns joined by `|`.
    func sql(_ query: String) throws -> [String] {
        try run("/usr/bin/env", "sqlite3", "-batch", directory.path + "/larder.db", query).checked().output
            .split(separator: "\n").map(String.init)
    }

    /// Asks for a path with curl and gives the answer.
    func ask(_ path: String, _ options: String...) async throws -> WebAnswer {
        try await ask(path, options)
    }

    /// As above, with the options one by one.
    func ask(_ path: String, _ options: [String]) async throws -> WebAnswer {
        let command =
            ["curl", "-s", "-i", "--path-as-is", "--max-time", "60"] + options
            + ["http://127.0.0.1:\(port)\(path)"]
        return try WebAnswer(try await apart { try run("/usr/bin/env", command).checked().output })
    }
}

/// Does what blocks on a thread of its own: the server in this process needs those that tests run on.
func apart<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}

/// An answer as it came.
struct WebAnswer {
    var status: Int
    var headers: [String: String] = [:]
    var body: String

    init(_ text: String) throws {
        let text = text.replacing("\r\n", with: "\n")
        let end = try #require(text.range(of: "\n\n"))
        let lines = text[..<end.lowerBound].split(separator: "\n")
        status = try #require(lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = String(parts.last ?? "").trimmingCharacters(in: .whitespaces)
        }
        body = String(text[end.upperBound...])
    }

    var json: [String: Any] {
        get throws {
            try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        }
    }
}

/// That many hours after the beginning of the tests' time.
func hour(_ hours: Int64) -> Timestamp { Timestamp(seconds: 1_800_000_000 + hours * 3600) }

private func artifact(_ name: String, bytes: Int64) throws -> ScannedEntry {
    ScannedEntry(
        pool: .maven, key: "org.example:\(name):1.0",
        path: try #require(VolumePath("repository/\(name.replacing("/", with: "_"))")), inode: 1,
        bytes: ByteCount(bytes), apparentBytes: ByteCount(bytes - 10), files: 3, accessed: hour(-90),
        fetched: hour(-90))
}

private func scan(at start: Int64, _ entries: [ScannedEntry]) -> VolumeScan {
    VolumeScan(
        volume: "build", startedAt: hour(start), finishedAt: hour(start) + .seconds(5),
        identity: VolumeIdentity(marker: 7, rootInode: 2), complete: true, directories: 10, files: 30,
        bytes: entries.reduce(ByteCount(60_000)) { $0 + $1.bytes }, apparentBytes: ByteCount(4000),
        trashBytes: ByteCount(300),
        capacity: Capacity(
            total: ByteCount(100_000), available: ByteCount(40_000), free: ByteCount(50_000), inodes: 100,
            freeInodes: 60), atimeTrust: EvidenceQuality(.high), entries: entries)
}

extension CacheEntry {
    fileprivate var line: EvictionOutcome.Line {
        EvictionOutcome.Line(entryID: id, pool: pool, key: key, bytes: bytes)
    }
}
