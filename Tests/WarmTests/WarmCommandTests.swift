import CacheIndex
import CacheModel
import Foundation
import Reporting
import TestSupport
import Testing

@testable import CacheServices
@testable import PodmanClient
@testable import CacheServices
@testable import larder

/// `larder warm` as a whole, on the testbed's store.
extension OnTheTestbed {
    @Suite(.serialized) struct WarmCommandTests {
        let bed: WarmFixture
        let state: TemporaryDirectory
        let images: (a: ImageReference, b: ImageReference, c: ImageReference)

        init() throws {
            bed = try WarmFixture()
            state = try TemporaryDirectory()
            let registry = try bed.setting("REGISTRY")
            images = (
                try ImageReference("\(registry)/ci/pg:15"), try ImageReference("\(registry)/ci/redis:7"),
                try ImageReference("\(registry)/ci/app-a:1")
            )
        }

        private func services(_ warm: WarmConfiguration = WarmConfiguration(), low: ByteCount? = nil)
            throws
            -> Services
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
            return Services(configuration)
        }

        private func larder(_ arguments: String..., on services: Services) async throws -> Failure.Code? {
            let command = try #require(try Larder.parseAsRoot(["warm"] + arguments) as? WarmCommand)
            return try await command.run(Application(services: services, format: .json))
        }

        private func scan(_ services: Services) throws {
            let index = try services.index()
            let locked = try LockedVolume(services.configuration.volumes[0], now: services.clock())
            _ = try services.survey(locked, index)
        }

        /// The claim of the whole command: the job finds everything there.
        @Test func aJobAfterWarmTopMakesNoRequestForABlob() async throws {
            let services = try services()
            try await bed.remove(images.a, images.b, images.c)
            try scan(services)
            for image in [images.a, images.b, images.c] { _ = try bed.job("pull", "--quiet", image.name) }
            try scan(services)
            try await bed.remove(images.a, images.b, images.c)
            #expect(try await larder("--top", "3", on: services) == nil)
            let before = try bed.blobRequests().count
            for image in [images.a, images.b, images.c] {
                let container = try bed.job("create", image.name)
                _ = try bed.job("rm", container)
            }
            #expect(try bed.blobRequests().count == before)
            let usage = try #require(try services.index().usage(of: "images"))
            for image in [images.a, images.b, images.c] {
                let entry = try #require(usage.entries.first { $0.key == image.name })
                #expect((entry.warmedUntil ?? .init(seconds: 0)) > services.clock() + .hours(23))
            }
            let last = try services.index().lastRun(kind: "warm", volume: "images")
            #expect(try #require(last) > services.clock() - .minutes(10))
        }

        @Test func aTestcontainersJobAfterWarmTopMakesNoRequestForABlob() async throws {
            let services = try services()
            try await bed.remove(images.a, images.b, images.c)
            try scan(services)
            let cold = try bed.blobRequests().count
            try bed.testcontainersJob()
            #expect(try bed.blobRequests().count > cold, "the job that nobody warmed for fetches blobs")
            try scan(services)
            try await bed.remove(images.b)
            #expect(try await larder("--top", "3", on: services) == nil)
            let warm = try bed.blobRequests().count
            try bed.testcontainersJob()
            #expect(try bed.blobRequests().count == warm)
        }

        @Test func whatWasNeverHereIsEstimatedWhereItsRegistryTells() async throws {
            try await bed.remove(images.a)
            try state.write("registries.conf", "[[registry]]\nlocation = \"127.0.0.1\"\ninsecure = true\n")
            for (file, words) in [(state.path + "/registries.conf", "(estimated)"), (nil, "an unknown size")]
            {
                var warm = WarmConfiguration()
                warm.registriesFile = file
                let services = try services(warm)
                let volume = services.configuration.volumes[0]
                let report = try await WarmUp(services, of: volume, named: [images.a])
                    .preview()
                #expect(report.images.map(\.result) == [.skipped])
                #expect(report.images.first?.reason?.hasSuffix(words) == true)
            }
            var wrong = WarmConfiguration()
            wrong.registriesFile = "/nowhere/registries.conf"
            let failing = try self.services(wrong)
            let error = await #expect(throws: Failure.self) {
                try await larder(images.a.name, "--dry-run", on: failing)
            }
            #expect(error?.code == .configuration)
        }

        @Test func checkEndsAsTheContractSays() async throws {
            try state.write("registries.conf", "[[registry]]\nlocation = \"127.0.0.1\"\ninsecure = true\n")
            var warm = WarmConfiguration()
            warm.registriesFile = state.path + "/registries.conf"
            let services = try services(warm)
            for image in [images.b, images.c] { _ = try bed.job("pull", "--quiet", image.name) }
            let before = try bed.blobRequests().count
            #expect(try await larder("--check", images.b.name, on: services) == nil)
            #expect(try await larder("--check", on: services) == nil)
            _ = try bed.job("tag", images.b.name, "localhost/own:1")
            let both = try await larder("--check", images.b.name, "localhost/own:1", on: services)
            #expect(both == .inPart)
            #expect(try await larder("--check", "localhost/own:1", on: services) == .failed)
            _ = try bed.job("untag", images.b.name, "localhost/own:1")
            #expect(try bed.blobRequests().count == before)
            #expect(throws: (any Error).self) { try Larder.parseAsRoot(["warm", "--check", "--make-room"]) }
            // It reads only, so it runs beside whoever holds the volume.
            let held = try LockedVolume(services.configuration.volumes[0], now: services.clock())
            #expect(try await larder("--check", images.b.name, on: services) == nil)
            withExtendedLifetime(held) {}
        }

        @Test func codesAreThoseOfTheContract() async throws {
            let services = try services()
            #expect(try await larder(on: services) == nil)
            #expect(try await larder(images.b.name, on: services) == nil)
            let unknown = "\(try bed.setting("REGISTRY"))/ci/nope:1"
            #expect(try await larder(images.b.name, unknown, on: services) == .inPart)
            #expect(try await larder(unknown, on: services) == .failed)
            let error = await #expect(throws: Failure.self) {
                try await larder("No Reference", on: services)
            }
            #expect(error?.code == .usage)
            let held = try LockedVolume(services.configuration.volumes[0], now: services.clock())
            let refusal = await #expect(throws: MaintenanceError.self) {
                try await larder(images.b.name, on: services)
            }
            #expect(refusal.map { Failure($0).code } == .held)
            withExtendedLifetime(held) {}
        }

        @Test func aDryRunPullsNothing() async throws {
            let services = try services()
            try await bed.remove(images.a)
            #expect(try await larder(images.a.name, "--dry-run", on: services) == nil)
            #expect(try await bed.podman.imageExists(images.a.name) == false)
        }

        @Test func makeRoomEvictsWhatIsOldAndNoneOfTheWarmSet() async throws {
            let big = try ImageReference(try bed.setting("IMAGE_BIG"))
            var warm = WarmConfiguration()
            warm.images = [WarmConfiguration.Image(reference: images.b)]
            try scan(try services())
            for image in [images.b, images.a, big] { _ = try bed.job("pull", "--quiet", image.name) }
            try scan(try services())
            try await bed.remove(big)
            let used = try #require(try services().index().usage(of: "images")).usedBytes
            // There is room for big only once something has gone.
            let tight = try services(warm, low: used - ByteCount(1_000_000))
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
            _ = try await larder(big.name, "--make-room", on: services(warm, low: ByteCount(1_000_000)))
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
