import CacheModel
import Foundation
import TestSupport
import Testing

@testable import PodmanClient

/// A registry that demands a client certificate, over real TLS.
@Suite(.serialized) struct ClientCertificateTests {
    private static let digest = "sha256:" + String(repeating: "5", count: 64)

    private func failure(
        _ registry: TLSRegistry, _ registries: RegistriesFile = RegistriesFile()
    ) async -> RegistryFailure? {
        await #expect(throws: RegistryFailure.self) {
            try await registry.digest(registry.folders("home", "etc"), registries)
        }
    }

    @Test(arguments: [["clients"], ["clients", "TLSv1_2"]])
    func itIsShownToTheRegistryItIsFor(_ words: [String]) async throws {
        let registry = words.count == 1 ? try TLSRegistry("clients") : try TLSRegistry("clients", "TLSv1_2")
        try registry.put("ca.crt", "etc")
        let none = await failure(registry)
        #expect(none?.cause == .clientCertificate)
        #expect(none?.description.contains("wants a client certificate") == true)
        try registry.put("client.cert client.key", "etc")
        #expect(try await registry.digest(registry.folders("home", "etc")) == Self.digest)
        // Another registry's certificate is none for this one.
        try registry.folder.shell("mv 'etc/\(registry.host)' etc/127.0.0.1:1")
        try registry.put("ca.crt", "etc")
        #expect(await failure(registry)?.cause == .clientCertificate)
    }

    @Test func theFirstDirectoryCountsForItToo() async throws {
        let registry = try TLSRegistry("clients")
        try registry.put("ca.crt client.cert client.key", "etc")
        try registry.put("ca.crt", "home")
        #expect(await failure(registry)?.cause == .clientCertificate)
        try registry.put("client.cert client.key", "home")
        #expect(try await registry.digest(registry.folders("home", "etc")) == Self.digest)
    }

    @Test func ofSeveralTheFirstByNameIsShown() async throws {
        let registry = try TLSRegistry("clients")
        try registry.put("ca.crt client.cert client.key stranger.cert stranger.key", "etc")
        #expect(try await registry.digest(registry.folders("etc")) == Self.digest)
        try registry.folder.shell("cd 'etc/\(registry.host)'; for f in stranger.*; do mv $f a-$f; done")
        let refused = await failure(registry)
        #expect(refused?.cause == .clientCertificate)
        #expect(refused?.description.contains("refuses the client certificate") == true)
    }

    @Test func aRegistryThatNobodyVouchesForGetsItToo() async throws {
        let registry = try TLSRegistry("clients")
        try registry.put("client.cert client.key", "etc")
        #expect(await failure(registry)?.cause == .unreachable)
        try registry.folder.shell(
            "printf '[[registry]]\nlocation = \"\(registry.host)\"\ninsecure = true\n' > registries.conf")
        let registries = try RegistriesFile(contentsOf: registry.folder.path + "/registries.conf")
        #expect(try await registry.digest(registry.folders("etc"), registries) == Self.digest)
    }

    @Test(arguments: [
        ("rm $D/client.key", "its key client.key is missing (an authority's file ends in .crt)"),
        ("rm $D/client.cert", "client.key: its certificate client.cert is missing"),
        ("chmod 660 $D/client.key", "others than its owner may write it: chmod 600 it"),
        ("chmod 602 $D/client.key", "others than its owner may write it: chmod 600 it"),
        ("cp stranger.key $D/client.key", "its key file is another certificate's"),
        ("cp client.cert $D/client.key", "its key file holds no key without a password"),
        (
            "openssl ec -aes256 -passout pass:x -in client.key -out $D/client.key 2>/dev/null; chmod 600 $D/*",
            "its key file holds no key without a password"
        ),
        ("echo nothing > $D/client.cert", "it holds no certificate"),
        ("rm $D/client.key; mkfifo $D/client.key", "no regular file of at most 1 MiB"),
        ("ln -sf /nowhere $D/client.key", "no such file or directory"),
    ])
    func filesThatCannotBeUsedAreNamed(_ script: String, _ reason: String) async throws {
        let registry = try TLSRegistry("clients")
        try registry.put("ca.crt client.cert client.key", "etc")
        try registry.folder.shell("D='etc/\(registry.host)'; chmod 600 $D/*; \(script)")
        let failure = await failure(registry)
        #expect(failure?.cause == .clientCertificate)
        #expect(failure?.description.contains(reason) == true, "\(failure?.description ?? "")")
        #expect(failure?.description.contains("PRIVATE") == false)
    }

    @Test func aKeyThatEveryoneMayReadIsUsedWithAWarning() async throws {
        let registry = try TLSRegistry("clients")
        try registry.put("ca.crt client.cert client.key", "etc")
        let key = "etc/\(registry.host)/client.key"
        try registry.folder.shell("chmod 640 '\(key)'")
        let certificates = registry.folders("home", "etc")
        #expect(certificates.warnings.isEmpty)
        try registry.folder.shell("chmod 644 '\(key)'")
        #expect(certificates.warnings.count == 1)
        #expect(certificates.warnings.first?.contains(key) == true)
        #expect(try await registry.digest(certificates) == Self.digest)
        // What an earlier directory hides is not read.
        try registry.folder.shell("mkdir -p 'home/\(registry.host)'")
        #expect(certificates.warnings.isEmpty)
    }

    @Test func aKeyPrintsAsNothing() async throws {
        let registry = try TLSRegistry("clients")
        try registry.put("client.cert client.key", "etc")
        let trust = try registry.folders("etc").trust(for: registry.host)
        #expect(trust.identity?.key.contains("PRIVATE KEY") == true)
        var dumped = ""
        dump(trust, to: &dumped)
        #expect(!"\(trust) \(String(reflecting: trust)) \(dumped)".contains("PRIVATE KEY"))
    }
}
