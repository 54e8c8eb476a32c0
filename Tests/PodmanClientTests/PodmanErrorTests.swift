import CacheModel
import Foundation
import TestSupport
import Testing

@testable import PodmanClient

/// Every way in which a socket can fail a caller.
@Suite struct PodmanErrorTests {
    private func failure(
        deadline: Span = .seconds(20), of script: @escaping @Sendable (String) -> SocketServer.Reaction
    ) async throws -> (PodmanError?, String) {
        let server = try SocketServer(script)
        defer { server.stop() }
        let client = try PodmanClient(socket: "unix://\(server.path)", deadline: deadline)
        let error = await #expect(throws: PodmanError.self) { try await client.images() }
        #expect(error.map(String.init(describing:))?.contains(server.path) == true)
        return (error, server.path)
    }

    @Test(arguments: [
        "", "podman.sock", "/sockets/podman.sock", "tcp://127.0.0.1:1", "unix:/a", "unix://", "unix:///",
        "unix://relative", "http+unix:///a", "unix:///a\u{0}b",
        "unix:///" + String(repeating: "a", count: 107),
    ])
    func onlyAnAbsoluteUnixPathIsAnAddress(text: String) {
        #expect(throws: PodmanError.invalidSocket(text)) { try PodmanClient(socket: text) }
    }

    @Test func aPathOfAnyCharactersWorks() async throws {
        let server = try SocketServer(name: "ü %2F?#.sock") { _ in .answer(204) }
        defer { server.stop() }
        #expect(try await PodmanClient(socket: "unix://\(server.path)").imageExists("a"))
    }

    @Test func anAbsentSocket() async throws {
        let client = try PodmanClient(socket: "unix:///no/such/podman.sock")
        let error = await #expect(throws: PodmanError.socketAbsent(path: "/no/such/podman.sock")) {
            try await client.ping()
        }
        #expect(error.map(String.init(describing:))?.contains("is the podman sidecar running") == true)
    }

    /// At once, and not when the connection attempts of 90 seconds are over.
    @Test(.timeLimit(.minutes(1))) func aSocketLeftBehindRefuses() async throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/stale.sock"
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try SocketServer.bind(listener, to: path)
        close(listener)
        let client = try PodmanClient(socket: "unix://\(path)")
        let start = ContinuousClock.now
        await #expect(throws: PodmanError.connectionRefused(path: path)) { try await client.ping() }
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    @Test func aSocketOfAnotherUser() async throws {
        let connection = PodmanConnection(path: "/podman.sock", deadline: .seconds(1))
        #expect(connection.systemFailure(EACCES) == .permissionDenied(path: "/podman.sock"))
        // Root may use any socket, so the real one is for everybody else.
        guard geteuid() != 0 else { return }
        let server = try SocketServer { _ in .answer(204) }
        defer { server.stop() }
        chmod(server.path, 0)
        await #expect(throws: PodmanError.permissionDenied(path: server.path)) {
            try await PodmanClient(socket: "unix://\(server.path)").ping()
        }
    }

    @Test func podmansOwnWordsAreKept() async throws {
        let body =
            #"{"cause":"layer not known","message":"unable to determine size: layer not known","response":500}"#
        let (error, path) = try await failure { _ in .answer(500, body) }
        let message = "unable to determine size: layer not known"
        let request = "GET images/json?all=true"
        #expect(error == .status(path: path, request: request, code: 500, message: message))
        #expect("\(error as Any)".contains("`larder scan`"))
    }

    @Test(arguments: [
        (400, "x\u{1b}[2J", #"400: x\x1b[2J"#), (503, "", "503: no message"), (302, "", "302: no"),
    ])
    func anErrorWithoutJSON(status: Int, body: String, text: String) async throws {
        let headers = status == 302 ? ["Location: http://127.0.0.1:9/"] : []
        let (error, _) = try await failure { _ in .answer(status, body, headers: headers) }
        #expect(error.map(String.init(describing:))?.contains("failed with status \(text)") == true)
    }

    @Test(arguments: [
        "garbage", "", "[{", #"{"Id":1}"#, #"[{"Id":1}]"#, "[{}]", #"[{"Id":"a","Names":"b"}]"#, "\u{0}",
    ])
    func anAnswerThatIsNotPodmans(body: String) async throws {
        let (error, _) = try await failure { _ in .answer(200, body) }
        guard case .unreadableAnswer = error else {
            Issue.record("\(error as Any)")
            return
        }
    }

    @Test func aServerThatSpeaksNoHTTP() async throws {
        let (error, _) = try await failure { _ in .raw("220 mail ESMTP\r\n\r\n") }
        guard case .unreadableAnswer(_, _, let reason) = error else {
            Issue.record("\(error as Any)")
            return
        }
        #expect(reason.hasPrefix("no HTTP"))
    }

    @Test(arguments: [
        "", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{\"Id",
    ])
    func aConnectionThatBreaksOff(bytes: String) async throws {
        let (error, _) = try await failure { _ in .raw(bytes) }
        guard case .connectionFailed(_, let reason) = error else {
            Issue.record("\(error as Any)")
            return
        }
        #expect(reason.contains("closed before the answer to GET images/json?all=true was complete"))
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{"])
    func aServerThatHangsMeetsTheDeadline(bytes: String) async throws {
        let span = Span(nanoseconds: 300_000_000)
        let start = ContinuousClock.now
        let (error, path) = try await failure(deadline: span) { _ in .stall(bytes) }
        #expect(error == .deadlinePassed(path: path, request: "GET images/json?all=true", after: span))
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    @Test(.timeLimit(.minutes(1))) func aCancelledRequestEndsAtOnce() async throws {
        let server = try SocketServer { _ in .stall("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[") }
        defer { server.stop() }
        let client = try PodmanClient(socket: "unix://\(server.path)")
        let task = Task { try await client.images() }
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test(.timeLimit(.minutes(1))) func anAnswerWithoutEndIsBounded() async throws {
        let size = PodmanConnection.bodyLimit.bytes + 1
        let head = "HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n"
        let (error, path) = try await failure { _ in .raw(head + String(repeating: " ", count: Int(size))) }
        let limit = PodmanConnection.bodyLimit
        #expect(error == .answerTooLarge(path: path, request: "GET images/json?all=true", limit: limit))
    }
}
