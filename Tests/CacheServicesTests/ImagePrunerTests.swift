import CacheModel
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// What an image's removal needs: records that are still those of the plan, before each request and after it.
@Suite struct ImagePrunerTests {
    /// A store of `a` and `b` whose Podman removes what it is asked to.
    private func obedient() throws -> StoreFixture {
        try StoreFixture(images: ["a", "b"]) { bench, request in
            let gone = request.contains("test%2Fa") ? "a" : "b"
            let left = bench.requests.count > 1 ? [] : ["a", "b"].filter { $0 != gone }
            return (try? bench.write(images: left)) == nil ? (500, "{}") : StoreFixture.removed
        }
    }

    private func asked(_ bench: StoreFixture, for name: String) -> Bool {
        bench.requests.contains { $0.contains("test%2F\(name)") }
    }

    @Test func whatIsPlannedGoes() async throws {
        let bench = try obedient()
        let result = try await bench.prune()
        #expect(result.outcome.evicted.map(\.key).sorted() == ["registry.test/a:1", "registry.test/b:1"])
        #expect(result.outcome.usedAfter == .zero)
        #expect(bench.requests.allSatisfy { $0.hasPrefix("DELETE ") && !$0.contains("force") })
    }

    @Test func whatAContainerUsesByNowIsNotAskedFor() async throws {
        let bench = try obedient()
        let result = try await bench.prune { try bench.use("a") }
        #expect(result.outcome.refused.map(\.reason) == ["a container uses it by now"])
        #expect(result.outcome.evicted.map(\.key) == ["registry.test/b:1"])
        #expect(!asked(bench, for: "a") && asked(bench, for: "b"))
    }

    @Test func whatWasPulledAgainSinceThePlanStays() async throws {
        let bench = try obedient()
        let result = try await bench.prune {
            try bench.write(images: ["a", "b"], extracted: "2020-01-05T00:00:00Z")
        }
        let reasons = result.outcome.refused.map(\.reason)
        #expect(reasons == Array(repeating: "it was pulled again since the scan", count: 2))
        #expect(bench.requests.isEmpty)
    }

    @Test func whatWasUsedSinceThePlanStays() async throws {
        let bench = try obedient()
        let result = try await bench.prune {
            try bench.directory.shell("touch storage/vfs-images/\(StoreFixture.id("a"))/manifest")
        }
        #expect(result.outcome.refused.map(\.reason) == ["it was used or pulled since the scan"])
        #expect(!asked(bench, for: "a") && asked(bench, for: "b"))
    }

    /// A pull that the scan saw is part of the plan, whatever the index made of it.
    @Test func whatTheScanSawIsNoChange() {
        let seen = Timestamp(seconds: 1_790_000_000)
        var planned = ScannedEntry(
            pool: .images, key: "a", path: .root, bytes: .zero, apparentBytes: .zero, files: 0,
            accessed: seen - .days(1), fetched: seen - .days(2))
        var now = planned
        now.accessed = seen - .seconds(2)
        #expect(ImagePruner.change(from: planned, to: now, seenUntil: seen) == nil)
        now.accessed = seen
        #expect(ImagePruner.change(from: planned, to: now, seenUntil: seen) != nil)
        planned.accessed = seen
        #expect(ImagePruner.change(from: planned, to: now, seenUntil: seen) == nil)
    }

    @Test func whatGotAnotherNameSinceThePlanStays() async throws {
        let bench = try obedient()
        let result = try await bench.prune { try bench.write(images: ["a", "b"], tag: "2") }
        let reasons = result.outcome.refused.map(\.reason)
        #expect(reasons == Array(repeating: "its names changed since the scan", count: 2))
        #expect(bench.requests.isEmpty)
    }

    /// All of the plan is reached, whoever did it.
    @Test func whatIsGoneAlreadyIsNotAskedForAndCountsAsReached() async throws {
        let bench = try obedient()
        let result = try await bench.prune { try bench.write(images: ["b"]) }
        #expect(result.outcome.refused.isEmpty)
        #expect(
            result.outcome.evicted.first { $0.key == "registry.test/a:1" }
                == EvictionOutcome.Line(
                    entryID: 0, pool: .images, key: "registry.test/a:1", bytes: .zero,
                    reason: "somebody else removed it meanwhile"))
        #expect(!asked(bench, for: "a"))
    }

    /// Podman says 409 where a container uses the image: the rest goes on, and nothing is asked for twice.
    @Test func aRefusalIsNoFailureAndNothingIsForced() async throws {
        let bench = try StoreFixture(images: ["a", "b"]) { bench, request in
            if request.contains("test%2Fa") {
                return (409, #"{"cause":"image is in use","message":"image used by 54","response":409}"#)
            }
            return (try? bench.write(images: ["a"])) == nil ? (500, "{}") : StoreFixture.removed
        }
        let result = try await bench.prune()
        #expect(result.failure == nil)
        #expect(result.outcome.refused.count == 1)
        #expect(result.outcome.refused.first?.reason.contains("image used by 54") == true)
        #expect(result.outcome.evicted.map(\.key) == ["registry.test/b:1"])
        #expect(bench.requests.count == 2 && !bench.requests.contains { $0.contains("force") })
    }

    /// Podman may refuse a parent after the child is gone: the store tells what happened.
    @Test func aRefusalOfWhatIsGoneIsNone() async throws {
        let bench = try StoreFixture(images: ["a"]) { bench, _ in
            _ = try? bench.write(images: [])
            return (409, #"{"cause":"image is in use","message":"parent used by 54","response":409}"#)
        }
        let result = try await bench.prune()
        #expect(result.outcome.refused.isEmpty)
        #expect(result.outcome.evicted.map(\.key) == ["registry.test/a:1"])
    }

    /// Nameless parents are other images, and none of them may go along.
    @Test func noParentGoesAlong() async throws {
        let bench = try obedient()
        _ = try await bench.prune()
        #expect(bench.requests.count == 2 && bench.requests.allSatisfy { $0.contains("noprune=true") })
    }

    @Test func whatIsStillInTheStoreDoesNotCountAsRemoved() async throws {
        let bench = try StoreFixture(images: ["a"]) { _, _ in StoreFixture.removed }
        let result = try await bench.prune()
        #expect(result.outcome.evicted.isEmpty)
        let reasons = result.outcome.refused.map(\.reason)
        #expect(reasons == ["it is still in the store after its names were removed"])
        #expect(result.outcome.usedAfter > .zero)
    }

    @Test func anotherStoreAtThePathIsLeftAlone() async throws {
        let bench = try obedient()
        await #expect(throws: MaintenanceError.otherVolume(volume: "images", path: bench.volume.path)) {
            _ = try await bench.prune {
                try bench.directory.shell("echo 0123456789abcdef > storage/.larder/volume-id")
            }
        }
        #expect(bench.requests.isEmpty)
    }
}
