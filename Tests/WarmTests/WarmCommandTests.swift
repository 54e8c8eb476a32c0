import CacheIndex
import CacheModel
import Foundation
import Reporting
import TestSupport
import Testing

@testable import Maintenance
@testable import PodmanClient
@testable import larder

/// `larder warm` as a whole, on the testbed's store.
extension OnTheTestbed {
    @Suite(.serialized) struct WarmCommandTests {
        let bed: WarmBed
        let state: TemporaryDirectory
        let images: (a: ImageReference, b: ImageReference, c: ImageReference)

        init() throws {
            bed = try WarmBed()
            state = try TemporaryDirectory()
            let registry = try bed.setting("REGISTRY")
            images = (
                try ImageReference("\(registry)/ci/pg:15"), try ImageReference("\(registry)/ci/redis:7"),
                try ImageReference("\(registry)/ci/app-a:1")
            )
        }

        private func application(_ warm: WarmConfiguration = WarmConfiguration(), low: ByteCount? = nil)
            throws
            -> Application
        {
            var volume = Volume(name: "images", kind: .imageStore, path: try bed.setting("STORAGE"))
            if let low {
                (volume.limit, volume.low, volume.high) = (
                    ByteCount(1 << 40), .size(low), .size(ByteCount(1 << 39))
                )
            }
            var configuration = Configuration(
                stateDirectory: state.path, volumes: [volume],
                sockets: ["images": "unix://\(try bed.setting("LARDER_SOCKET"))"])
            configuration.warm = warm
            configuration.idleFloor = .zero
            return Application(configuration: configuration, format: .json, clock: Application.systemClock)
        }

        private func larder(_ arguments: String..., on application: Application) async throws -> Failure.Code?
        {
            let command = try #require(try Larder.parseAsRoot(["warm"] + arguments) as? WarmCommand)
            return try await command.run(application)
        }

        private func scan(_ application: Application) throws {
            let index = try application.index()
            let locked = try LockedVolume(application.configuration.volumes[0], now: application.clock())
            _ = try application.survey(locked, index)
        }

        /// The claim of the whole command: the job finds everything there.
        @Test func aJobAfterWarmTopMakesNoRequestForABlob() async throws {
            let application = try application()
            try await bed.remove(images.a, images.b, images.c)
            try scan(application)
            for image in [images.a, images.b, images.c] { _ = try bed.job("pull", "--quiet", image.name) }
            try scan(application)
            try await bed.remove(images.a, images.b, images.c)
            #expect(try await larder("--top", "3", on: application) == nil)
            let before = try bed.blobRequests().count
            for image in [images.a, images.b, images.c] {
                let container = try bed.job("create", image.name)
                _ = try bed.job("rm", container)
            }
            #expect(try bed.blobRequests().count == before)
            let usage = try #require(try application.index().usage(of: "images"))
            for image in [images.a, images.b, images.c] {
                let entry = try #require(usage.entries.first { $0.key == image.name })
                #expect((entry.warmedUntil ?? .init(seconds: 0)) > application.clock() + .hours(23))
            }
            #expect(try application.index().lastRun(kind: "warm", volume: "images") == nil)
        }

        @Test func codesAreThoseOfTheContract() async throws {
            let application = try application()
            #expect(try await larder(on: application) == nil)
            #expect(try await larder(images.b.name, on: application) == nil)
            let unknown = "\(try bed.setting("REGISTRY"))/ci/nope:1"
            #expect(try await larder(images.b.name, unknown, on: application) == .inPart)
            #expect(try await larder(unknown, on: application) == .failed)
            let error = await #expect(throws: Failure.self) {
                try await larder("No Reference", on: application)
            }
            #expect(error?.code == .usage)
            let held = try LockedVolume(application.configuration.volumes[0], now: application.clock())
            let refusal = await #expect(throws: MaintenanceError.self) {
                try await larder(images.b.name, on: application)
            }
            #expect(refusal.map { Failure($0).code } == .held)
            withExtendedLifetime(held) {}
        }

        @Test func aDryRunPullsNothing() async throws {
            let application = try application()
            try await bed.remove(images.a)
            #expect(try await larder(images.a.name, "--dry-run", on: application) == nil)
            #expect(try await bed.podman.imageExists(images.a.name) == false)
        }

        @Test func makeRoomEvictsWhatIsOldAndNoneOfTheWarmSet() async throws {
            let big = try ImageReference(try bed.setting("IMAGE_BIG"))
            var warm = WarmConfiguration()
            warm.images = [WarmConfiguration.Image(reference: images.b)]
            try scan(try application())
            for image in [images.b, images.a, big] { _ = try bed.job("pull", "--quiet", image.name) }
            try scan(try application())
            try await bed.remove(big)
            let used = try #require(try application().index().usage(of: "images")).usedBytes
            // There is room for big only once something has gone.
            let tight = try application(warm, low: used - ByteCount(1_000_000))
            #expect(try await larder(big.name, on: tight) == .inPart)
            #expect(try await bed.podman.imageExists(big.name) == false)
            #expect(try await larder(big.name, "--make-room", on: tight) == nil)
            #expect(try await bed.podman.imageExists(big.name))
            #expect(try await bed.podman.imageExists(images.b.name))
            let after = try #require(try tight.index().usage(of: "images")).usedBytes
            #expect(after <= used - ByteCount(1_000_000))
            try await bed.remove(big)
        }

        /// No earlier run has warmed it, so nothing but the list protects it.
        @Test func makeRoomSparesAnImageThatIsOnTheListForTheFirstTime() async throws {
            let big = try ImageReference(try bed.setting("IMAGE_BIG"))
            var warm = WarmConfiguration()
            warm.images = [WarmConfiguration.Image(reference: images.b)]
            try await bed.remove(big)
            for image in [images.b, images.a] { _ = try bed.job("pull", "--quiet", image.name) }
            // So tight that all else must go, also what was used after it.
            _ = try await larder(big.name, "--make-room", on: application(warm, low: ByteCount(1_000_000)))
            #expect(try await bed.podman.imageExists(images.b.name))
            #expect(try await bed.podman.imageExists(images.a.name) == false)
            // As other tests expect to find the store.
            try await bed.remove(big)
            for name in ["IMAGE_BASE", "IMAGE_APP_A", "IMAGE_APP_B"] {
                _ = try bed.job("pull", "--quiet", bed.setting(name))
            }
        }
    }
}
