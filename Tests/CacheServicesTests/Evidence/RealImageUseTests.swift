import CacheModel
import Foundation
import TestSupport
import Testing

/// Real Podman and real Testcontainers jobs, against what the registry says it sent.
@Suite(
    .enabled(if: Testbed.withImages != nil, "needs Podman: bring up Tests/Testbed and set LARDER_TESTBED"),
    .serialized)
struct RealImageUseTests {
    private let settings = RealVolume.settings ?? [:]

    /// The digests of blobs of a repository that the registry sent since its log had that many lines.
    private func blobs(of repository: String, after lines: Int) throws -> Set<String> {
        Set(
            try log().dropFirst(lines).compactMap { line in
                let prefix = "GET /v2/ci/\(repository)/blobs/"
                guard line.contains("\" 200 "), let start = line.range(of: prefix) else { return nil }
                return String(line[start.upperBound...].prefix { $0 != " " })
            })
    }

    /// The registry's access log: lines in the common format, between others.
    private func log() throws -> [Substring] {
        try String(contentsOfFile: try #require(settings["LOG"]) + "/registry.log", encoding: .utf8)
            .split(separator: "\n").filter { $0.hasPrefix("127.0.0.1 - - ") }
    }

    /// The hits and misses of one image: other tests use the store, too.
    private func scan(
        _ real: RealVolume, _ image: String
    ) throws -> (hits: [String], misses: [String], confidence: Confidence) {
        let scan = try real.scan()
        return (
            scan.hits.filter { $0 == image }, scan.misses.filter { $0 == image },
            scan.result.scan.atimeTrust.confidence
        )
    }

    private func podman(_ arguments: String...) throws { _ = try RealVolume.testbed("podman", arguments) }

    /// The layers in the store, by what `du` says they occupy.
    private func layers() throws -> [String: Int64] {
        let directory = try #require(settings["STORAGE"]) + "/vfs/dir"
        let list = try run("/bin/bash", "-c", "cd '\(directory)' && du -s -B1 -- * 2>/dev/null")
        let pairs = list.output.split(separator: "\n").compactMap { line -> (String, Int64)? in
            let parts = line.split(separator: "\t")
            return parts.count == 2 ? Int64(parts[0]).map { (String(parts[1]), $0) } : nil
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    @Test func twoRunsOfATestcontainersJobAreOneMissAndOneHit() throws {
        let real = try RealVolume(.imageStore, path: try #require(settings["STORAGE"]))
        let image = try #require(settings["IMAGE_REDIS"])
        try? podman("rmi", image)
        _ = try real.scan()

        var lines = try log().count
        _ = try RealVolume.testbed("job", "redis")
        #expect(try blobs(of: "redis", after: lines).count > 1)
        let first = try scan(real, image)
        #expect((first.hits, first.misses) == ([], [image]))

        lines = try log().count
        _ = try RealVolume.testbed("job", "redis")
        #expect(try blobs(of: "redis", after: lines).isEmpty)
        let second = try scan(real, image)
        #expect((second.hits, second.misses) == ([image], []))
        let entry = try #require(try real.index.entries(matching: image).first?.entry)
        let accesses = try real.index.accesses(of: entry.id, limit: 9)
        #expect(accesses.map(\.kind) == [.hit, .miss])
        #expect((entry.uses, entry.confidence) == (1, .high))
    }

    @Test func bothRunsBetweenTwoScansCountTheSame() throws {
        let real = try RealVolume(.imageStore, path: try #require(settings["STORAGE"]))
        let image = try #require(settings["IMAGE_REDIS"])
        try? podman("rmi", image)
        _ = try real.scan()
        for _ in 1...2 { _ = try RealVolume.testbed("job", "redis") }
        let both = try scan(real, image)
        #expect((both.hits, both.misses) == ([image], [image]))
    }

    @Test func aPullOntoLayersThatAreThereCostsTheOthers() throws {
        let real = try RealVolume(.imageStore, path: try #require(settings["STORAGE"]))
        let (app, base) = (try #require(settings["IMAGE_APP_B"]), try #require(settings["IMAGE_BASE"]))
        try podman("pull", "-q", base)
        try? podman("rmi", app)
        _ = try real.scan()
        let (before, lines) = (try layers(), try log().count)
        try podman("pull", "-q", app)
        let new = try layers().filter { before[$0.key] == nil }
        // The manifest's configuration is a blob, too.
        #expect(try blobs(of: "app-b", after: lines).count == new.count + 1)
        #expect(try scan(real, app).misses == [app])
        let entry = try #require(try real.index.entries(matching: app).first?.entry)
        let access = try #require(try real.index.accesses(of: entry.id, limit: 1).first)
        #expect(access.bytes < entry.bytes)
        // The store's records tell lengths, du blocks.
        let occupied = new.values.reduce(0, +)
        #expect(abs(access.bytes.bytes - occupied) < occupied / 5, "\(access.bytes) of \(entry.bytes)")
    }

    @Test func aScanBetweenAPullAndItsContainerChangesNothing() throws {
        let real = try RealVolume(.imageStore, path: try #require(settings["STORAGE"]))
        let image = try #require(settings["IMAGE_PG"])
        try? podman("rmi", image)
        _ = try real.scan()
        try podman("pull", "-q", image)
        let pulled = try scan(real, image)
        #expect((pulled.hits, pulled.misses) == ([], [image]))
        try podman("run", "--rm", image, "true")
        let created = try scan(real, image)
        #expect((created.hits, created.misses) == ([], []))
        try podman("run", "--rm", image, "true")
        let again = try scan(real, image)
        #expect((again.hits, again.misses) == ([image], []))
    }

    @Test func twoRunsOfAContainerAreOneMissAndOneHit() throws {
        let real = try RealVolume(.imageStore, path: try #require(settings["STORAGE"]))
        let image = try #require(settings["IMAGE_PG"])
        _ = try? RealVolume.testbed("podman", "rmi", image)
        #expect(try real.scan().result.recorded.baseline)
        for _ in 1...2 { _ = try RealVolume.testbed("podman", "run", "--rm", image, "true") }
        let both = try scan(real, image)
        #expect(both.misses == [image])
        #expect(both.hits == [image])
        #expect(both.confidence == .high)
        _ = try RealVolume.testbed("podman", "run", "--rm", image, "true")
        _ = try? RealVolume.testbed("podman", "pull", "\(image)-nowhere")
        let third = try scan(real, image)
        #expect((third.hits, third.misses) == ([image], []))
        let idle = try scan(real, image)
        #expect((idle.hits, idle.misses) == ([], []))
        let entry = try #require(try real.index.usage(of: "v")?.entries.first { $0.key == image })
        #expect((entry.uses, entry.confidence) == (2, .high))
    }
}
