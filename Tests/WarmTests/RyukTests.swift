import CacheIndex
import CacheModel
import Foundation
import TestSupport
import Testing

@testable import CacheServices
@testable import larder
@testable import PodmanClient
@testable import CacheServices
@testable import larder

/// Testcontainers' Ryuk in `--top`, by the event log that real containers leave.
///
/// Testcontainers labels each of its containers, Ryuk's too, whether Ryuk runs or not: the label tells who made a
/// container and not whether jobs start Ryuk. Ryuk's own container does.
extension OnTheTestbed {
    @Suite(.serialized) struct RyukTests {
        let bed: WarmFixture
        let state: TemporaryDirectory
        let redis: ImageReference
        let ryuk: ImageReference

        init() throws {
            bed = try WarmFixture()
            state = try TemporaryDirectory()
            let registry = try bed.setting("REGISTRY")
            redis = try ImageReference("\(registry)/ci/redis:7")
            ryuk = try ImageReference("\(registry)/hub/testcontainers/ryuk:0.8.1")
            try run(
                "/usr/bin/skopeo", "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false",
                "docker://\(registry)/ci/big:1", "docker://\(ryuk.name)"
            ).checked()
        }

        private func services() throws -> Services {
            let volume = Volume(name: "images", kind: .imageStore, path: try bed.setting("STORAGE"))
            return Services(
                Configuration(
                    stateDirectory: state.path, volumes: [volume],
                    sockets: ["images": "unix://\(try bed.setting("LARDER_SOCKET"))"]))
        }

        /// A container as Testcontainers for Python makes it (4.15.0, core/labels.py and core/container.py): only
        /// Ryuk's lacks the label by which Ryuk removes containers, for it would remove itself.
        private func container(_ image: ImageReference, name: String, labelled id: String) throws {
            let made = try bed.job(
                "create", "--name", name, "--label", "org.testcontainers=true", "--label",
                "org.testcontainers.lang=python", "--label", "org.testcontainers.version=4.15.0", "--label",
                image == ryuk ? "a=b" : "org.testcontainers.session-id=\(id)", image.name, "/bin/start")
            _ = try bed.job("rm", made)
        }

        /// Scans, and gives what `--top 1` would warm.
        private func top(_ services: Services) throws -> [ImageWarmer.Request] {
            let index = try services.index()
            let volume = services.configuration.volumes[0]
            _ = try services.survey(try LockedVolume(volume, now: services.clock()), index)
            return try WarmUp(services, of: volume, top: 1).list(index)
        }

        @Test func ryukIsWarmedWhereItsContainersAreStartedAndNotForALabelAlone() async throws {
            let services = try services()
            // Another name of the same image would keep it in the store.
            try await bed.forget("big")
            try await bed.remove(ryuk)
            _ = try top(services)
            let disabled = UUID().uuidString.lowercased()
            try container(redis, name: "sleepy-\(disabled.prefix(8))", labelled: disabled)
            #expect(try top(services).contains { $0.why.contains("Ryuk") } == false)
            #expect(try top(services).count == 1)

            let id = UUID().uuidString.lowercased()
            try container(ryuk, name: "testcontainers-ryuk-\(id)", labelled: id)
            try container(redis, name: "brave-\(id.prefix(8))", labelled: id)
            let lines = try String(contentsOfFile: bed.setting("JOB_EVENTS"), encoding: .utf8)
                .split(separator: "\n").filter { $0.contains(id) && $0.contains(#""Status":"create""#) }
            #expect(lines.count == 2 && lines.allSatisfy { $0.contains(#""org.testcontainers":"true""#) })
            let chosen = try top(services)
            #expect(chosen.count == 2)
            let beside = chosen.first { $0.reference == ryuk }
            #expect(beside?.why.hasPrefix("Testcontainers starts it") == true)

            try await bed.remove(ryuk)
            let command = try #require(try Larder.parseAsRoot(["warm", "--top", "1"]) as? WarmCommand)
            #expect(try await command.run(Application(services: services, format: .json)) == nil)
            #expect(try await bed.podman.imageExists(ryuk.name))
            try await bed.remove(ryuk)
        }
    }
}
