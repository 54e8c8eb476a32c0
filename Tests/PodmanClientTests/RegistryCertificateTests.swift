import CacheModel
import Foundation
import TestSupport
import Testing

@testable import PodmanClient

/// Registries whose certificates an authority of their own signed, over real TLS.
@Suite(.serialized) struct RegistryCertificateTests {
    @Test func theAuthorityOfItsCertsDIsTrustedAndNoOther() async throws {
        let registry = try TLSRegistry()
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
        let registry = try TLSRegistry()
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
        let registry = try TLSRegistry()
        try registry.folder.shell("D='etc/\(registry.host)'; mkdir -p $D; \(script)")
        let failure = await #expect(throws: RegistryFailure.self) {
            try await registry.digest(registry.folders("etc"))
        }
        #expect(failure?.cause == .certificate, "\(failure?.description ?? "")")
    }
}
