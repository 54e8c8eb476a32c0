import CacheModel
import Caches
import Foundation
import TestSupport
import Testing

@testable import CacheServices
@testable import PodmanClient

/// What ends a pull in the middle, and what the next one finds.
extension OnTheTestbed {
    @Suite(.serialized) struct BrokenWarmTests {
        let bed: WarmFixture

        init() throws { bed = try WarmFixture() }

        /// In the registry it is only once a pull of it was to be killed.
        private func huge() throws -> ImageReference {
            try run(
                "/usr/bin/python3", "-c",
                """
                import sys
                sys.dont_write_bytecode = True
                sys.path.insert(0, sys.argv[1])
                import images, layout
                bed = layout.Layout(sys.argv[2])
                images.push(bed, sys.argv[3], ("huge",))
                """, WarmFixture.testbed, bed.setting("LARDER_TESTBED"), bed.setting("REGISTRY")
            ).checked()
            return try ImageReference(bed.setting("IMAGE_HUGE"))
        }

        private func stored(_ small: SmallStore) throws -> ImageStore {
            try ImageStoreReader(root: small.root).read()
        }

        @Test func aDiskThatIsFullInTheMiddleEndsTheImageAndLeavesTheStoreUsable() async throws {
            let small = try SmallStore(bed, size: "120m")
            let images = try await small.warm([try huge()])
            #expect(images.map(\.result) == [.failed])
            #expect(images.first?.attempts == 1)
            #expect(images.first?.reason?.contains("no space left on device") == true)
            #expect(images.first?.reason?.contains("larder prune") == true)
            // An image that fits comes all the same, and Podman has cleaned up by then.
            let base = try ImageReference(bed.setting("IMAGE_BASE"))
            let next = try await small.warm([base])
            #expect(next.map(\.result) == [.pulled], "\(next.first?.reason ?? "")")
            #expect(try stored(small).layers.allSatisfy { !$0.incomplete })
            #expect(try await small.podman.images().flatMap(\.names) == [base.name])
        }

        /// The registry does not tell the program sizes: it speaks no TLS, and no registries file says so.
        @Test func aFullDiskEndsTheProgramWithItsCodeAndAReason() throws {
            let small = try SmallStore(bed, size: "120m")
            let (huge, base) = (try huge().name, try bed.setting("IMAGE_BASE"))
            let state = try TemporaryDirectory()
            try state.write("larder.yaml", "warm: {registries_file: none}\n")
            func warm(_ images: String...) throws -> (status: Int32, results: [String]) {
                let socket = "unix://\(try bed.setting("LARDER_TESTBED"))/sockets/small.sock"
                let result = try run(
                    Testbed.packageRoot + "/.build/debug/larder",
                    [
                        "--config", state.path + "/larder.yaml", "--state", state.path + "/state",
                        "--build-cache", "/nowhere/cache", "--image-root", small.root, "--socket", socket,
                        "warm", "--format", "json",
                    ] + images)
                struct Report: Decodable {
                    struct Image: Decodable {
                        var result: String
                        var reason: String?
                    }
                    var images: [Image]
                }
                let images = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8)).images
                for image in images where image.result == "failed" {
                    #expect(image.reason?.contains("no space left on device") == true)
                }
                return (result.status, images.map(\.result).sorted())
            }
            #expect(try warm(huge) == (1, ["failed"]))
            #expect(try warm(huge, base) == (4, ["failed", "pulled"]))
            #expect(try warm(base) == (0, ["present"]))
        }

        @Test func aPodmanThatIsKilledInTheMiddleIsNamedAndTheNextRunRecovers() async throws {
            let small = try SmallStore(bed, size: "900m")
            let huge = try huge()
            var limits = WarmFixture.limits
            limits.attempts = 2
            async let killed = small.warm([huge], limits: limits)
            try await small.isExtracting()
            try small.tell("kill")
            let images = try await killed
            #expect(images.map(\.result) == [.failed])
            #expect(images.first?.attempts == 2)
            #expect(images.first?.reason?.contains("small.sock") == true, "\(images.first?.reason ?? "")")
            #expect(try stored(small).layers.contains { $0.incomplete })
            try small.tell("start")
            let next = try await small.warm([huge])
            #expect(next.map(\.result) == [.pulled], "\(next.first?.reason ?? "")")
            #expect(try stored(small).layers.allSatisfy { !$0.incomplete })
            #expect(try await small.podman.imageExists(huge.name))
        }

        @Test func aPodmanThatComesBackIsUsedAgain() async throws {
            let small = try SmallStore(bed, size: "900m")
            let huge = try huge()
            var limits = WarmFixture.limits
            limits.attempts = 4
            limits.firstPause = .seconds(4)
            async let warmed = small.warm([huge], limits: limits)
            try await small.isExtracting()
            try small.tell("kill")
            try small.tell("start")
            let images = try await warmed
            #expect(images.map(\.result) == [.pulled], "\(images.first?.reason ?? "")")
            #expect((images.first?.attempts ?? 0) > 1)
        }

        @Test func cancellingGivesThePullUpAndTheNextOneSucceeds() async throws {
            let small = try SmallStore(bed, size: "900m")
            let huge = try huge()
            let task = Task { try await small.warm([huge]) }
            try await small.isExtracting()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            // The volume's lock is free again, or this would throw.
            let next = try await small.warm([huge])
            #expect(next.map(\.result) == [.pulled], "\(next.first?.reason ?? "")")
            #expect(try stored(small).layers.allSatisfy { !$0.incomplete && $0.images == 1 })
        }

        @Test(arguments: ["large", "long"])
        func aManifestThatIsLargerThanItMayBeIsAFailureWithAReason(_ mode: String) async throws {
            let reference = try bed.failing("big:1")
            try await bed.forget("big")
            try bed.registry(mode)
            let images = try await bed.warm([reference])
            #expect(images.map(\.result) == [.failed])
            #expect(images.first?.reason?.isEmpty == false)
            #expect(try await bed.podman.imageExists(reference.name) == false)
            try bed.registry("pass")
            #expect(try await bed.warm([reference]).map(\.result) == [.pulled])
            try await bed.remove(reference)
        }

        @Test func twoPodmansPullingTheSameAtOnceBothSucceed() async throws {
            let names = ["big:1", "pg:15", "app-a:1", "app-b:1"]
            let references = try names.map { try ImageReference("\(bed.setting("REGISTRY"))/ci/\($0)") }
            for round in 1...3 {
                for reference in references { try await bed.remove(reference) }
                async let job = Task.detached { [bed] in
                    for name in references.reversed().map(\.name) {
                        _ = try bed.job("pull", "--quiet", name)
                    }
                }.value
                let images = try await bed.warm(references)
                try await job
                #expect(images.filter { !$0.isReady } == [], "round \(round)")
                let store = try ImageStoreReader(root: bed.setting("STORAGE")).read()
                for reference in references {
                    #expect(store.images.count { $0.names.contains(reference.name) } == 1)
                    let id = try bed.job("image", "inspect", "--format", "{{.Id}}", reference.name)
                    #expect(images.first { $0.reference == reference.name }?.image == id)
                }
                #expect(store.layers.allSatisfy { !$0.incomplete })
            }
        }

        /// As Podman resolves it: the pod searches the testbed's registry.
        @Test func shortNamesDigestsAndPlatformsArriveAsAsked() async throws {
            let small = try SmallStore(bed, size: "200m")
            let registry = try bed.setting("REGISTRY")
            let short = try await small.warm([try ImageReference("ci/base:1")])
            #expect(short.map(\.result) == [.pulled], "\(short.first?.reason ?? "")")
            #expect(try await small.podman.images().flatMap(\.names) == ["\(registry)/ci/base:1"])
            #expect(try await small.warm([try ImageReference("ci/base:1")]).map(\.attempts) == [0])

            let pushed = try run(
                "/usr/bin/python3", "\(WarmFixture.testbed)/platforms.py", registry, "ci/app-a", "1",
                "ci/arch",
                "1"
            ).checked().output.split(separator: "\n").map(String.init)
            let name = try ImageReference("\(registry)/ci/arch:1")
            let arm = try #require(ImagePlatform("linux/arm64"))
            let amd = try #require(ImagePlatform("linux/amd64"))
            func architecture() throws -> String {
                let url = "unix://\(try bed.setting("LARDER_TESTBED"))/sockets/small.sock"
                return try run(
                    "/usr/bin/env", "podman", "--remote", "--url", url, "image", "inspect", "--format",
                    "{{.Architecture}}", name.name
                ).checked().output.trimmingCharacters(in: .whitespacesAndNewlines)
            }
            #expect(try await small.warm([name], platform: arm).map(\.result) == [.pulled])
            #expect(try architecture() == "arm64")
            #expect(try await small.warm([name], platform: arm).map(\.result) == [.present])
            // The name stands for the other platform's image by now.
            #expect(try await small.warm([name], platform: amd).map(\.result) == [.updated])
            #expect(try architecture() == "amd64")

            let digest = try ImageReference("\(registry)/ci/arch@\(pushed[2])")
            let byDigest = try await small.warm([digest], platform: arm)
            #expect(byDigest.map(\.isReady) == [true], "\(byDigest.first?.reason ?? "")")
            // It is there by another name: Podman finds it, and so must Larder.
            #expect(try await small.warm([digest]).map(\.result) == [.present])
            let other = try ImageReference("\(registry)/ci/arch@\(pushed[1])")
            #expect(try await small.warm([other]).map(\.attempts) == [0])
        }
    }
}
