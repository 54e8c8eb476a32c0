import CacheModel
import Foundation
import TestSupport
import Testing

@testable import CacheServices
@testable import PodmanClient

/// Warming the store of two real Podmans from a real registry, and from one that fails on command.
extension OnTheTestbed {
    @Suite(.serialized) struct RealWarmTests {
        let bed: WarmFixture

        init() throws { bed = try WarmFixture() }

        @Test func pulledPresentAndUpdatedAreToldApart() async throws {
            let registry = try bed.setting("REGISTRY")
            let big = try ImageReference("\(registry)/ci/big:1")
            let base = try ImageReference("\(registry)/ci/base:1")
            let moved = try ImageReference("\(registry)/ci/big:moved")
            try await bed.remove(big, moved)
            _ = try bed.job("pull", "--quiet", base.name)
            let first = try await bed.warm([big, base])
            #expect(first.map(\.result) == [.pulled, .present])
            #expect(first.map(\.attempts) == [1, 0])
            let id = try bed.job("image", "inspect", "--format", "{{.Id}}", big.name)
            #expect(first.first?.image == id)
            #expect((first.first?.bytes ?? .zero) > ByteCount(50_000_000))

            let second = try await bed.warm([big], policy: .always)
            #expect(second.map(\.result) == [.present])
            #expect(second.map(\.attempts) == [1])

            // A tag that stands for another image by now.
            _ = try bed.job("tag", base.name, moved.name)
            _ = try bed.job("push", "--quiet", "--tls-verify=false", big.name, moved.name)
            #expect(try await bed.warm([moved]).map(\.result) == [.present])
            let updated = try await bed.warm([moved], policy: .newer)
            #expect(updated.map(\.result) == [.updated])
            #expect(updated.first?.image == id)
            try await bed.remove(moved)
        }

        @Test func whatCannotPassIsTriedOnce() async throws {
            let registry = try bed.setting("REGISTRY")
            let unknown = try await bed.warm([try ImageReference("\(registry)/ci/nope:1")])
            #expect(unknown.map(\.result) == [.failed])
            #expect(unknown.first?.attempts == 1)
            #expect(unknown.first?.reason?.contains("manifest unknown") == true)
            try bed.registry("status 401")
            let refused = try await bed.warm([try bed.failing("big:1")])
            #expect(refused.map(\.result) == [.failed])
            #expect(refused.first?.attempts == 1)
            #expect(refused.first?.reason?.contains("warm.auth_file") == true)
            let short = try await bed.warm([try ImageReference("no-registry-knows-this")])
            #expect(short.first?.attempts == 1)
            #expect(short.first?.reason?.contains("write the name with its registry") == true)
        }

        @Test(arguments: ["status 500", "down", "cut", "corrupt", "status 429 1"])
        func whatMayPassIsTriedAgain(_ mode: String) async throws {
            let reference = try bed.failing("big:1")
            try await bed.forget("big")
            try bed.registry(mode)
            var limits = WarmFixture.limits
            limits.attempts = 2
            let failed = try await bed.warm([reference], limits: limits)
            #expect(failed.map(\.result) == [.failed])
            #expect(failed.first?.attempts == 2, "\(failed.first?.reason ?? "")")
            #expect(try await bed.podman.imageExists(reference.name) == false)
            try bed.registry("pass")
            #expect(try await bed.warm([reference]).map(\.result) == [.pulled])
            try await bed.remove(reference)
        }

        @Test func oneFailureIsFollowedByASuccess() async throws {
            let reference = try bed.failing("big:1")
            try await bed.remove(reference)
            try bed.registry("once 503 7")
            let images = try await bed.warm([reference])
            #expect(images.map(\.result) == [.pulled])
            #expect(images.first?.attempts == 2)
            let retries = bed.events.withLock { $0 }.filter { if case .retrying = $0 { true } else { false } }
            #expect(retries.count == 1)
            try await bed.remove(reference)
        }

        @Test func aBlobThatHangsEndsAtTheDeadlineAndLeavesTheStoreClean() async throws {
            let reference = try bed.failing("big:1")
            try await bed.forget("big")
            let before = try await bed.podman.images().map(\.id).sorted()
            try bed.registry("hang")
            var limits = WarmFixture.limits
            limits.image = .seconds(3)
            let images = try await bed.warm([reference], limits: limits)
            #expect(images.map(\.result) == [.failed])
            #expect(images.first?.attempts == 1)
            #expect(images.first?.reason?.contains("within 2s") == true, "\(images.first?.reason ?? "")")
            #expect(try await bed.podman.images().map(\.id).sorted() == before)
            try bed.registry("pass")
            #expect(try await bed.warm([reference]).map(\.result) == [.pulled])
            try await bed.remove(reference)
        }

        @Test func credentialsOfTheFileOpenTheRegistry() async throws {
            let reference = try bed.failing("big:1")
            try await bed.remove(reference)
            try bed.registry("auth ci:s3cret")
            let folder = try TemporaryDirectory()
            let auth = Data("ci:s3cret".utf8).base64EncodedString()
            try folder.write("config.json", #"{"auths": {"\#(bed.proxy)/ci": {"auth": "\#(auth)"}}}"#)
            try folder.shell("chmod 600 config.json")
            #expect(try await bed.warm([reference]).map(\.result) == [.failed])
            let file = try AuthFile(contentsOf: folder.path + "/config.json")
            #expect(try await bed.warm([reference], auth: file).map(\.result) == [.pulled])
            #expect(!"\(bed.events.withLock { $0 })".contains("s3cret"))
            try await bed.remove(reference)
        }

        @Test func aStoreWithoutRoomGetsNothingNew() async throws {
            let registry = try bed.setting("REGISTRY")
            let big = try ImageReference("\(registry)/ci/big:1")
            let base = try ImageReference("\(registry)/ci/base:1")
            try await bed.remove(big)
            _ = try bed.job("pull", "--quiet", base.name)
            let blobs = try bed.blobRequests().count
            let full = Quota(limit: ByteCount(1 << 40), high: ByteCount(1 << 40), low: ByteCount(1000))
            for expected in [nil, ByteCount(50_000_000)] {
                let images = try await bed.warm([big, base], quota: full, expected: expected)
                #expect(images.map(\.result) == [.skipped, .present])
                #expect(images.first?.reason?.contains("--make-room") == true)
            }
            #expect(try bed.blobRequests().count == blobs)
            #expect(try await bed.podman.imageExists(big.name) == false)
            // One that is there is renewed as long as the high watermark is not reached.
            #expect(try await bed.warm([base], policy: .always, quota: full).map(\.attempts) == [1])
            let over = Quota(limit: ByteCount(1000), high: ByteCount(1000), low: ByteCount(1000))
            #expect(try await bed.warm([base], policy: .always, quota: over).map(\.result) == [.skipped])
        }

        @Test func aSocketThatIsGoneIsNamed() async throws {
            let gone = try PodmanClient(socket: "unix:///nowhere/podman.sock")
            let reference = try ImageReference("\(try bed.setting("REGISTRY"))/ci/nope:1")
            let images = try await bed.warm([reference], podman: gone)
            #expect(images.map(\.result) == [.failed])
            #expect(images.first?.attempts == WarmFixture.limits.attempts)
            #expect(images.first?.reason?.contains("/nowhere/podman.sock") == true)
        }

        /// Podman 4.3.1 itself may keep the killed pull's layer in its records until another one starts.
        @Test func theNextRunRecoversFromAKilledPullOrSaysWhatToDo() async throws {
            let huge = try ImageReference(try bed.setting("IMAGE_HUGE"))
            try await bed.remove(huge)
            try run(
                "/usr/bin/python3", "\(WarmFixture.testbed)/testbed.py", "kill-pull",
                try bed.setting("LARDER_TESTBED")
            ).checked()
            var images = try await bed.warm([huge])
            if images.first?.result != .pulled {
                let reason = try #require(images.first?.reason)
                #expect(reason.contains("restart the podman sidecar, which removes it"), "\(reason)")
                #expect(images.first?.attempts == WarmFixture.limits.attempts)
                try bed.startAnotherPodman()
                images = try await bed.warm([huge])
            }
            #expect(images.map(\.result) == [.pulled], "\(images.first?.reason ?? "")")
            #expect(try bed.job("image", "inspect", "--format", "{{.Id}}", huge.name) == images.first?.image)
            try await bed.remove(huge)
        }

        @Test func pullsAtOnceStayWithinTheLimits() async throws {
            let registry = try bed.setting("REGISTRY")
            let references = try ["big:1", "pg:15", "app-a:1", "app-b:1"].map {
                try ImageReference("\(registry)/ci/\($0)")
            }
            for (parallel, perRegistry) in [(1, 4), (4, 1), (3, 2)] {
                for reference in references { try await bed.remove(reference) }
                bed.events.withLock { $0 = [] }
                var limits = WarmFixture.limits
                (limits.parallel, limits.perRegistry) = (parallel, perRegistry)
                let images = try await bed.warm(references, limits: limits, expected: ByteCount(1000))
                #expect(images.map(\.reference) == references.map(\.name))
                #expect(images.allSatisfy { $0.result == .pulled })
                var (running, most) = (0, 0)
                for event in bed.events.withLock({ $0 }) {
                    if case .began = event { running += 1 }
                    if case .ended = event { running -= 1 }
                    most = max(most, running)
                }
                #expect(most <= min(parallel, perRegistry))
            }
        }
    }
}
