import CacheModel
import Foundation
import TestSupport
import Testing

@testable import PodmanClient

/// Registries whose certificates an authority of their own signed, over real TLS.
@Suite(.serialized) struct RegistryCertificateTests {
    /// A registry behind TLS (tls_registry.py), which ends with the value.
    private final class Registry {
        let folder: TemporaryDirectory
        let host: String
        private let process = Process()
        private let input = Pipe()

        init() throws {
            folder = try TemporaryDirectory()
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/tls_registry.py"
            process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            process.arguments = [script, folder.path]
            process.standardInput = input
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            var line = Data()
            while !line.contains(10) {
                let part = output.fileHandleForReading.availableData
                try #require(!part.isEmpty, "the registry did not start: is openssl there?")
                line += part
            }
            host = "127.0.0.1:" + String(decoding: line.prefix { $0 != 10 }, as: UTF8.self)
        }

        deinit {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }

        func digest(_ certificates: RegistryCertificates) async throws -> String {
            try await RegistryClient(
                registries: RegistriesFile(), certificates: certificates, deadline: .seconds(20)
            ).digest(of: try ImageReference("\(host)/ci/base:1"))
        }

        /// Directories as Podman has them: that file for this registry in `place`.
        func put(_ file: String, _ place: String) throws {
            try folder.shell("mkdir -p '\(place)/\(host)'; cp \(file) '\(place)/\(host)/'")
        }

        func folders(_ names: String...) -> RegistryCertificates {
            RegistryCertificates(folders: names.map { "\(folder.path)/\($0)" })
        }
    }

    @Test func theAuthorityOfItsCertsDIsTrustedAndNoOther() async throws {
        let registry = try Registry()
        let none = await #expect(throws: RegistryFailure.self) {
            try await registry.digest(registry.folders("etc"))
        }
        #expect(none?.cause == .unreachable && none?.description.contains("not trusted") == true)
        try registry.put("other.crt", "etc")
        await #expect(throws: RegistryFailure.self) { try await registry.digest(registry.folders("etc")) }
        try registry.put("ca.crt", "etc")
        let digest = "sha256:" + String(repeating: "5", count: 64)
        #expect(try await registry.digest(registry.folders("etc")) == digest)
        #expect(try await registry.digest(registry.folders("etc")) == digest)
        // Another registry's authority is none for this one.
        try registry.folder.shell("mkdir -p far; mv 'etc/\(registry.host)' far/127.0.0.1:1")
        await #expect(throws: RegistryFailure.self) { try await registry.digest(registry.folders("far")) }
    }

    @Test func theFirstDirectoryThatHasOneForTheRegistryCounts() async throws {
        let registry = try Registry()
        try registry.put("other.crt", "home")
        try registry.put("ca.crt", "etc")
        await #expect(throws: RegistryFailure.self) {
            try await registry.digest(registry.folders("home", "etc"))
        }
        _ = try await registry.digest(registry.folders("etc", "home"))
        _ = try await registry.digest(registry.folders("absent", "etc"))
    }

    @Test(arguments: [
        "echo nothing > $D/a.crt", "mkfifo $D/a.crt", "truncate -s 2M $D/a.crt", "mkdir $D/a.crt",
    ])
    func aFileThatHoldsNoCertificateIsNamed(_ script: String) async throws {
        let registry = try Registry()
        try registry.folder.shell("D='etc/\(registry.host)'; mkdir -p $D; \(script)")
        let failure = await #expect(throws: RegistryFailure.self) {
            try await registry.digest(registry.folders("etc"))
        }
        #expect(failure?.cause == .certificate, "\(failure?.description ?? "")")
    }
}
