import CacheModel
import Caches
import Foundation
import TestSupport
import Testing

@testable import CacheServices
@testable import PodmanClient

/// Questions to a real registry, and to one that fails on command.
extension OnTheTestbed {
    @Suite(.serialized) struct DriftTests {
        let bed: WarmFixture
        let folder: TemporaryDirectory

        init() throws {
            bed = try WarmFixture()
            folder = try TemporaryDirectory()
        }

        private func registry(
            auth: AuthFile? = nil, deadline: Span = .seconds(20)
        ) throws -> RegistryClient {
            try folder.write("registries.conf", "[[registry]]\nlocation = \"127.0.0.1\"\ninsecure = true\n")
            return RegistryClient(
                registries: try RegistriesFile(contentsOf: folder.path + "/registries.conf"), auth: auth,
                deadline: deadline)
        }

        private func check(
            _ names: [String], _ registry: RegistryClient? = nil
        ) async throws -> [CheckedImage] {
            let store = try ImageStoreReader(root: bed.setting("STORAGE")).read()
            let check = DriftCheck(store: store, registry: try registry ?? self.registry())
            return try await check.run(
                names.map { .init(reference: try ImageReference($0), why: "named") })
        }

        private func credentials(_ pair: String) throws -> AuthFile {
            let auth = Data(pair.utf8).base64EncodedString()
            try folder.write("config.json", #"{"auths": {"\#(bed.proxy)": {"auth": "\#(auth)"}}}"#)
            try folder.shell("chmod 600 config.json")
            return try AuthFile(contentsOf: folder.path + "/config.json")
        }

        /// Pushes a list for two platforms; gives the digests of the list and its two images.
        private func pushList(_ source: String, note: String) throws -> [String] {
            let output = try run(
                "/usr/bin/python3", "\(WarmFixture.testbed)/platforms.py", bed.setting("REGISTRY"),
                "ci/\(source)",
                "1", "ci/list", "1", note
            ).checked().output
            return output.split(separator: "\n").map(String.init)
        }

        private func skopeo(_ source: String, _ target: String) throws {
            let registry = try bed.setting("REGISTRY")
            try run(
                "/usr/bin/skopeo", "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false",
                "docker://\(registry)/ci/\(source)", "docker://\(registry)/ci/\(target)"
            ).checked()
        }

        @Test func aTagThatMovedIsToldFromOneThatDidNot() async throws {
            let registry = try bed.setting("REGISTRY")
            let moving = "\(registry)/ci/moving:1"
            try skopeo("app-a:1", "moving:1")
            _ = try bed.job("pull", "--quiet", moving)
            #expect(try await check([moving]).map(\.result) == [.same])
            try skopeo("app-b:1", "moving:1")
            let blobs = try bed.blobRequests().count
            let images = try await check([moving, "ci/moving:1", "\(registry)/ci/never:1"])
            #expect(images.map(\.result) == [.moved, .moved, .absent])
            #expect(try bed.blobRequests().count == blobs)
            #expect(images.map(\.reference) == [moving, moving, "\(registry)/ci/never:1"])
            // By two other programs.
            let local = try bed.job("image", "inspect", "--format", "{{.Digest}}", moving)
            let remote = try run(
                "/usr/bin/skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}",
                "docker://\(moving)"
            ).checked().output.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(images.first?.localDigest == local)
            #expect(images.first?.remoteDigest == remote)
            let digest = "\(registry)/ci/moving@\(local)"
            #expect(try await check([digest]).map(\.result) == [.same])
            try await bed.remove(try ImageReference(moving))
        }

        @Test func aListThatIsNewButHoldsTheSameImageHasNotMoved() async throws {
            let name = "\(try bed.setting("REGISTRY"))/ci/list:1"
            let first = try pushList("app-a", note: "1")
            _ = try bed.job("pull", "--quiet", name)
            let same = try await check([name])
            #expect(same.map(\.result) == [.same])
            #expect(same.first?.localDigest == first[0] && same.first?.remoteDigest == first[0])
            let second = try pushList("app-a", note: "2")
            #expect(second[0] != first[0])
            let renewed = try await check([name])
            #expect(renewed.map(\.result) == [.same])
            #expect(renewed.first?.localDigest == first[1] && renewed.first?.remoteDigest == second[0])
            #expect(renewed.first?.reason?.contains("the registry's list is new") == true)
            _ = try pushList("app-b", note: "2")
            #expect(try await check([name]).map(\.result) == [.moved])
            try await bed.remove(try ImageReference(name))
        }

        @Test func whatWasBuiltHereAndPushedHasNotMoved() async throws {
            let registry = try bed.setting("REGISTRY")
            _ = try bed.job("pull", "--quiet", bed.setting("IMAGE_APP_A"))
            try folder.write("Containerfile", "FROM \(try bed.setting("IMAGE_APP_A"))\nLABEL by=test\n")
            _ = try bed.job(
                "build", "--quiet", "--isolation=chroot", "--tag", "\(registry)/ci/own:1", "--tag",
                "localhost/own:1", folder.path)
            _ = try bed.job("push", "--quiet", "--tls-verify=false", "\(registry)/ci/own:1")
            let images = try await check(["\(registry)/ci/own:1", "localhost/own:1"])
            #expect(images.map(\.result) == [.same, .unknown])
            for name in ["\(registry)/ci/own:1", "localhost/own:1"] { _ = try bed.job("rmi", name) }
        }

        @Test(arguments: [
            ("status 500", "status 500"), ("status 401", "warm.auth_file"),
            ("status 429 60", "come back after 1m"), ("status 404", "check the name"),
            ("down", "is it up?"), ("status 302", "status 302"),
        ])
        func aRegistryThatFailsLeavesTheNameUnknown(_ mode: String, _ words: String) async throws {
            let name = try bed.failing("base:1").name
            _ = try bed.job("tag", bed.setting("IMAGE_BASE"), name)
            try bed.registry(mode)
            let images = try await check([name, bed.setting("IMAGE_BASE")])
            #expect(images.map(\.result) == [.unknown, .same])
            #expect(images.first?.reason?.contains(words) == true, "\(images.first?.reason ?? "")")
            _ = try bed.job("untag", bed.setting("IMAGE_BASE"), name)
        }

        @Test(arguments: ["auth ci:s3cret", "token ci:s3cret"])
        func credentialsAreGivenWhereTheRegistryAsks(_ mode: String) async throws {
            let reference = try bed.failing("base:1")
            try bed.registry(mode)
            let wrong = try registry(auth: try credentials("ci:wrong"))
            let failure = await #expect(throws: RegistryFailure.self) {
                try await wrong.digest(of: reference)
            }
            #expect(failure?.cause == .unauthorized)
            let right = try registry(auth: try credentials("ci:s3cret"))
            let direct = try await registry().digest(of: try ImageReference(bed.setting("IMAGE_BASE")))
            #expect(try await right.digest(of: reference) == direct)
            #expect(try await right.manifest(of: reference).digest == direct)
        }

        @Test func aPasswordGoesToNoTokenServerWithoutTLS() async throws {
            try bed.registry("token ci:s3cret")
            let reference = try bed.failing("base:1")
            let client = try registry(auth: try credentials("ci:s3cret"))
            let given = try #require(client.auth?.credentials(for: reference))
            let challenge = try #require(
                RegistryChallenge("Bearer realm=\"http://\(bed.proxy)/token\""))
            var place = RegistriesFile.Place(host: bed.proxy, repository: "ci/base", insecure: true)
            let open = try await client.authorization(challenge, given, place, scope: "x")
            #expect(open == "Bearer one-for-all")
            // The registry speaks TLS, and names a token server that does not.
            place.insecure = false
            #expect(try await client.authorization(challenge, given, place, scope: "x") == nil)
        }

        @Test func aRegistryIsAskedByTLSUnlessTheFileSaysOtherwise() async throws {
            let strict = RegistryClient(registries: RegistriesFile(), deadline: .seconds(20))
            let reference = try bed.failing("base:1")
            let failure = await #expect(throws: RegistryFailure.self) {
                try await strict.digest(of: reference)
            }
            #expect(failure?.cause == .unreachable)
            #expect(failure?.description.contains("TLS") == true)
        }

        @Test func aRegistryThatLiesAboutSizesIsNotBelieved() async throws {
            let reference = try bed.failing("base:1")
            let direct = try ImageReference(bed.setting("IMAGE_BASE"))
            let digest = try await registry().digest(of: direct)
            try bed.registry("plain")
            #expect(try await registry().digest(of: reference) == digest)
            for mode in ["large", "long"] {
                try bed.registry(mode)
                await #expect(throws: RegistryFailure.self) { try await registry().manifest(of: reference) }
            }
        }

        @Test func noQuestionIsAskedOfAShortName() async throws {
            let failure = await #expect(throws: RegistryFailure.self) {
                try await registry().digest(of: try ImageReference("short"))
            }
            #expect(failure?.cause == .noRegistry)
        }

        @Test func theForecastIsNearWhatThePullTakes() async throws {
            let root = try bed.setting("STORAGE")
            let base = try ImageReference(bed.setting("IMAGE_BASE"))
            _ = try bed.job("pull", "--quiet", base.name)
            func stored() throws -> Int64 {
                let text = try run("/usr/bin/du", "-s", "--block-size=1", "\(root)/vfs/dir").checked().output
                return try #require(Int64(text.prefix { $0.isNumber }))
            }
            for name in ["pg:15", "redis:7", "big:1"] {
                let reference = try ImageReference("\(bed.setting("REGISTRY"))/ci/\(name)")
                try await bed.forget(String(name.prefix { $0 != ":" }))
                let forecast = ImageForecast(root: root, registry: try registry())
                let size = try await forecast.size(of: reference)
                let before = try stored()
                _ = try bed.job("pull", "--quiet", reference.name)
                let taken = try stored() - before
                // Noise packs to its own size, which the store's ratio cannot know.
                let most = name == "big:1" ? 3.0 : 2.0
                #expect(Double(size.bytes.bytes) >= Double(taken) / 2, "\(name): \(size.bytes), \(taken)")
                #expect(Double(size.bytes.bytes) <= Double(taken) * most, "\(name): \(size.bytes), \(taken)")
                // Once it is there, nothing would come.
                #expect(try await forecast.size(of: reference).bytes == .zero)
            }
        }
    }
}
