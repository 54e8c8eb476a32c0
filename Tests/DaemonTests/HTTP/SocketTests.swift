import CacheModel
import CacheServices
import Foundation
import Glibc
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import Daemon

@Suite struct SocketTests {
    /// Runs a server at a socket until `body` is done.
    private func serve(
        at path: String, in directory: TemporaryDirectory,
        _ body: @escaping @Sendable () throws -> Void
    ) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let (listening, found) = AsyncStream.makeStream(of: Void.self)
        let server = WebServer(
            .init(
                address: .unix(path: path), stateDirectory: directory.path),
            control: FakeControl(stateDirectory: directory.path), clock: { WebFixture.now }, logger: logger
        ) { _ in found.yield() }
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { found.finish() }
                try await group.run()
            }
            for await _ in listening.prefix(1) { try await apart(body) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Sendable private func expectAnswer(_ path: String) throws {
        let answer = try run("/usr/bin/env", "curl", "-s", "--unix-socket", path, "http://localhost/healthz")
        #expect(answer.output == "ok\n")
    }

    @Test func itIsForOwnerAndGroupAndGoesAtTheEnd() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/http.sock"
        try await serve(at: path, in: directory) {
            try expectAnswer(path)
            let mode = try directory.shell("stat -c %a http.sock")
            #expect(mode == "660\n")
        }
        #expect(!directory.exists("http.sock"))
    }

    @Test func oneLeftByACrashIsReplaced() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/http.sock"
        try directory.shell(
            "python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind(\"http.sock\"); s.listen()'"
        )
        #expect(directory.exists("http.sock"))
        try await serve(at: path, in: directory) { try expectAnswer(path) }
    }

    @Test func oneThatSomebodyListensAtStays() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/http.sock"
        try await serve(at: path, in: directory) {
            #expect(throws: ListenError.inUse(path: path)) { try SocketFile(path: path).makeWay() }
            try expectAnswer(path)
        }
    }

    @Test func aFileThatIsNoSocketStays() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/http.sock"
        try directory.write("http.sock", "precious")
        await #expect(throws: ListenError.notASocket(path: path)) {
            try await serve(at: path, in: directory) {}
        }
        #expect(try directory.shell("cat http.sock") == "precious")
    }

    @Test func anAddressThatCannotBeHadIsNamed() async throws {
        let directory = try TemporaryDirectory()
        let address = "unix:\(directory.path)/missing/http.sock"
        let refused = ListenError.unavailable(address: address, reason: "No such file or directory")
        await #expect(throws: refused) {
            try await serve(at: directory.path + "/missing/http.sock", in: directory) {}
        }
    }

    @Test(arguments: [
        ("127.0.0.1:9847", ListenAddress.tcp(host: "127.0.0.1", port: 9847)),
        ("[::1]:80", .tcp(host: "::1", port: 80)), ("localhost:0", .tcp(host: "localhost", port: 0)),
        ("unix:/run/larder.sock", .unix(path: "/run/larder.sock")),
    ])
    func addressesAreRead(text: String, address: ListenAddress) {
        #expect(ListenAddress(text) == address)
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", ":80", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
        "::1:80",
        "unix:", "unix:relative", "unix:/a/", "a b:1", "http://x:80",
        "unix:/" + String(repeating: "x", count: 107),
    ])
    func othersAreRefused(text: String) { #expect(ListenAddress(text) == nil) }
}
