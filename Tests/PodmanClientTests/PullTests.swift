import CacheModel
import Foundation
import Synchronization
import Testing

@testable import PodmanClient

/// Pulls against a server on a real socket that says what Podman 4.3.1 was seen to say.
@Suite struct PullTests {
    static let begun = """
        {"stream":"Trying to pull registry.test/db:1...\\n"}
        {"stream":"Copying blob sha256:aa\\n"}
        {"stream":"Copying blob sha256:bb\\n"}
        {"stream":"Writing manifest to image destination\\n"}

        """
    static let done = #"{"images":["0123"],"id":"0123"}"#

    private func pull(
        _ reaction: SocketServer.Reaction, policy: PullPolicy = .always, platform: ImagePlatform? = nil,
        credentials: RegistryCredentials? = nil, deadline: Span = .minutes(1),
        progress: @escaping @Sendable (PullProgress) -> Void = { _ in }
    ) async throws -> (id: String, request: String) {
        let server = try SocketServer { _ in reaction }
        defer { server.stop() }
        let client = try PodmanClient(socket: "unix://\(server.path)")
        let id = try await client.pull(
            try ImageReference("registry.test/db:1"), policy: policy, platform: platform,
            credentials: credentials, deadline: deadline, progress: progress)
        return (id, server.requests.first ?? "")
    }

    @Test func theLastLineNamesTheImage() async throws {
        let steps = Mutex<[PullProgress]>([])
        let result = try await pull(
            .answer(200, Self.begun + Self.done), policy: .newer, platform: ImagePlatform("linux/arm64/v8")
        ) { step in steps.withLock { $0.append(step) } }
        #expect(result.id == "0123")
        #expect(steps.withLock { $0 } == [.layer("sha256:aa"), .layer("sha256:bb"), .storing])
        let line = "POST /v4.0.0/libpod/images/pull?policy=newer&reference=registry%2Etest%2Fdb%3A1"
        #expect(result.request.hasPrefix(line + "&OS=linux&Arch=arm64&Variant=v8 HTTP/1.1\r\n"))
    }

    @Test func anErrorComesInsideA200() async throws {
        let answer = SocketServer.Reaction.answer(
            200, Self.begun + #"{"error":"reading manifest 1: manifest unknown: manifest unknown"}"#)
        let failure = await #expect(throws: PullFailure.self) { try await pull(answer) }
        #expect(failure?.cause == .unknownManifest)
        #expect(failure?.reference == "registry.test/db:1")
    }

    @Test(arguments: [
        SocketServer.Reaction.answer(200, PullTests.begun), .answer(200, ""),
        .raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"str"),
    ])
    func anEndBeforeTheLastLineIsNoSuccess(_ reaction: SocketServer.Reaction) async throws {
        let error = await #expect(throws: PodmanError.self) { try await pull(reaction) }
        guard case .connectionFailed? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func aPullThatHangsEndsAtItsDeadline() async throws {
        let stalled = SocketServer.Reaction.stall(
            "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + Self.begun)
        let error = await #expect(throws: PodmanError.self) { try await pull(stalled, deadline: .seconds(1)) }
        guard case .deadlinePassed(_, _, .seconds(1))? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func cancellingClosesTheConnection() async throws {
        let begun = AsyncStream.makeStream(of: Void.self)
        let server = try SocketServer { _ in
            .stall("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + Self.begun)
        }
        defer { server.stop() }
        let client = try PodmanClient(socket: "unix://\(server.path)")
        let task = Task {
            try await client.pull(
                try ImageReference("registry.test/db:1"), policy: .always, deadline: .minutes(5)
            ) { _ in begun.continuation.yield() }
        }
        for await _ in begun.stream { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // The peer of a closed connection reads its end.
        #expect(server.peersEnd())
    }

    @Test func credentialsGoIntoTheHeaderAndNowhereElse() async throws {
        let credentials = RegistryCredentials(user: "ci", password: "s3cret?>", identityToken: "")
        let request = try await pull(.answer(200, Self.done), credentials: credentials).request
        let line = try #require(request.split(separator: "\r\n").first { $0.hasPrefix("X-Registry-Auth: ") })
        let value = line.dropFirst("X-Registry-Auth: ".count)
        #expect(!value.contains("+") && !value.contains("/"))
        let plain = value.replacing("-", with: "+").replacing("_", with: "/")
        let data = try #require(Data(base64Encoded: String(plain)))
        #expect(
            try JSONDecoder().decode([String: String].self, from: data)
                == ["username": "ci", "password": "s3cret?>"])
        let refused = SocketServer.Reaction.answer(400, #"{"message":"bad header","response":400}"#)
        let error = await #expect(throws: PodmanError.self) {
            try await pull(refused, credentials: credentials)
        }
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in [
            "\(String(describing: error))", "\(credentials)", String(reflecting: credentials), dumped,
        ] {
            #expect(!text.contains("s3cret") && !text.contains(value))
        }
    }
}
