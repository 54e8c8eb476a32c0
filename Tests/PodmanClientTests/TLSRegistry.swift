import Foundation
import TestSupport
import Testing

@testable import PodmanClient

/// A registry behind TLS (tls_registry.py), which ends with the value.
///
/// `clients` makes it demand a client certificate, `TLSv1_2` keeps it at that version.
final class TLSRegistry {
    let folder: TemporaryDirectory
    let host: String
    private let process = Process()
    private let input = Pipe()

    init(_ words: String...) throws {
        folder = try TemporaryDirectory()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/tls_registry.py"
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [script, folder.path] + words
        process.standardInput = input
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let port = output.fileHandleForReading.firstLine()
        host = "127.0.0.1:" + (try #require(port, "the registry did not start: is openssl there?"))
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func digest(
        _ certificates: RegistryCertificates, _ registries: RegistriesFile = RegistriesFile()
    ) async throws -> String {
        try await RegistryClient(
            registries: registries, certificates: certificates, deadline: .seconds(20)
        ).digest(of: try ImageReference("\(host)/ci/base:1"))
    }

    /// Directories as Podman has them: these files for this registry in `place`.
    func put(_ files: String, _ place: String) throws {
        try folder.shell("mkdir -p '\(place)/\(host)'; cp \(files) '\(place)/\(host)/'")
    }

    func folders(_ names: String...) -> RegistryCertificates {
        RegistryCertificates(folders: names.map { "\(folder.path)/\($0)" })
    }
}
