import CacheModel
import Foundation
import PodmanClient
import Synchronization
import TestSupport
import Testing

@testable import CacheServices

/// Questions to a registry of which it can be said how many came at once.
struct ImageForecastTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func forecast(_ registry: CountingRegistry) throws -> ImageForecast {
        try folder.write("registries.conf", "[[registry]]\nlocation = \"127.0.0.1\"\ninsecure = true\n")
        return ImageForecast(
            root: folder.path,
            registry: RegistryClient(
                registries: try RegistriesFile(contentsOf: folder.path + "/registries.conf"),
                certificates: RegistryCertificates(folders: []), deadline: .seconds(20)))
    }

    private func requests(_ registry: CountingRegistry) throws -> [ImageWarmer.Request] {
        try (0..<9).map { number in
            ImageWarmer.Request(
                reference: try ImageReference("127.0.0.1:\(registry.port)/app-\(number):1"), policy: .missing,
                why: "named")
        }
    }

    /// The registry answers the first, then four together, and four again: it waits until all of them are there.
    @Test func oneQuestionComesFirstAndThenFourAtOnce() async throws {
        let registry = try CountingRegistry { $0 == 1 ? 1 : 1 + ($0 + 2) / 4 * 4 }
        let sizes = try await forecast(registry).sizes(of: try requests(registry))
        #expect(sizes.count == 9)
        #expect(sizes.values.allSatisfy { $0.layers == 1 && $0.bytes > .zero })
        #expect(registry.asked == 9 && registry.mostAtOnce == 4)
    }

    @Test func aRegistryThatDoesNotAnswerIsAskedOnce() async throws {
        let registry = try CountingRegistry { _ in nil }
        #expect(try await forecast(registry).sizes(of: try requests(registry)).isEmpty)
        #expect(registry.asked == 1)
    }
}

/// A registry without TLS that holds its answers back until so many questions have come.
private final class CountingRegistry: Sendable {
    private struct Counts {
        var asked = 0
        var open = 0
        var most = 0
    }

    let port: UInt16
    private let listener: Int32
    private let counts = Mutex(Counts())

    var asked: Int { counts.withLock(\.asked) }
    var mostAtOnce: Int { counts.withLock(\.most) }

    private static let manifest =
        #"{"schemaVersion":2,"config":{"digest":"sha256:\#(String(repeating: "1", count: 64))","size":2},"#
        + #""layers":[{"digest":"sha256:\#(String(repeating: "2", count: 64))","size":1000000,"#
        + #""mediaType":"application/vnd.oci.image.layer.v1.tar+gzip"}]}"#

    /// - Parameter total: how many questions must have come before the one with that number is answered; nil to
    ///   close the connection instead.
    init(_ total: @escaping @Sendable (Int) -> Int?) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let done = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard done else { throw POSIXError(.EADDRINUSE) }
        port = UInt16(bigEndian: address.sin_port)
        Thread { [self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                Thread { [self] in
                    answer(connection, total)
                    close(connection)
                }.start()
            }
        }.start()
    }

    private func answer(_ connection: Int32, _ total: (Int) -> Int?) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            let count = read(connection, &buffer, buffer.count)
            // TLS begins with 22, and is not spoken here.
            if count <= 0 || head.isEmpty && buffer[0] == 22 { return }
            head += buffer[..<count]
        }
        let number = counts.withLock { counts in
            counts.asked += 1
            counts.open += 1
            counts.most = max(counts.most, counts.open)
            return counts.asked
        }
        var text = ""
        if let wanted = total(number) {
            // The client's deadline ends this where they never come.
            while asked < wanted {
                var peer = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
                if poll(&peer, 1, 5) != 0 { return }
            }
            text =
                "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\n"
                + "Content-Length: \(Self.manifest.utf8.count)\r\nConnection: close\r\n\r\n\(Self.manifest)"
        }
        // The count goes down before the client can know: its next question may come at once.
        counts.withLock { $0.open -= 1 }
        _ = text.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    }
}
