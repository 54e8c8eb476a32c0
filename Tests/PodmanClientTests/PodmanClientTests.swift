import CacheModel
import Foundation
import Testing

@testable import PodmanClient

/// What the client makes of Podman's answers; they are copied from Podman 4.3.1.
@Suite struct PodmanClientTests {
    private func client(
        _ script: @escaping @Sendable (String) -> SocketServer.Reaction
    ) throws -> (PodmanClient, SocketServer) {
        let server = try SocketServer(script)
        return (try PodmanClient(socket: "unix://\(server.path)", deadline: .seconds(20)), server)
    }

    /// On `http+unix` AsyncHTTPClient sends no `Host` header by itself, and Podman, like every server in Go,
    /// answers 400 to that.
    @Test func hostIsSentBecausePodmanAnswers400Without() async throws {
        let (client, server) = try client { _ in .answer(200, "OK", headers: ["Libpod-Api-Version: 4.3.1"]) }
        defer { server.stop() }
        _ = try await client.ping()
        #expect(server.requests.first?.contains("\r\nHost: d\r\n") == true)
    }

    @Test func pingTellsTheVersion() async throws {
        let (client, server) = try client { head in
            head.hasPrefix("GET /v4.0.0/libpod/_ping HTTP/1.1\r\n")
                ? .answer(200, "OK", headers: ["Libpod-Api-Version: 4.3.1", "Server: Libpod/4.3.1 (linux)"])
                : .answer(404)
        }
        defer { server.stop() }
        #expect(try await client.ping() == PodmanVersion(version: "4.3.1", server: "Libpod/4.3.1 (linux)"))
    }

    @Test func anotherServerIsNoPodman() async throws {
        let (client, server) = try client { _ in .answer(200, "OK") }
        defer { server.stop() }
        let error = await #expect(throws: PodmanError.self) { try await client.ping() }
        #expect(
            error.map(String.init(describing:))?.contains("is it the socket of Podman 4 or later?") == true)
    }

    @Test func imagesAndContainersAreRead() async throws {
        let (client, server) = try client { head in
            if head.hasPrefix("GET /v4.0.0/libpod/images/json?all=true HTTP") {
                return .answer(
                    200,
                    #"[{"Id":"c1","Names":["r/a:1"],"Digest":"sha256:9b","Size":2132870,"Containers":1},"#
                        + #"{"Id":"c2","RepoTags":null,"Names":null,"New":{}}]"#)
            }
            if head.hasPrefix("GET /v4.0.0/libpod/containers/json?all=true&external=true HTTP") {
                return .answer(
                    200, #"[{"Id":"d1","ImageID":"c1","Image":"r/a:1","Names":["x"],"State":"storage"}]"#)
            }
            return .answer(404)
        }
        defer { server.stop() }
        let images = try await client.images()
        #expect(images.map(\.id) == ["c1", "c2"])
        #expect(images.map(\.names) == [["r/a:1"], []])
        #expect(images.map(\.size) == [ByteCount(2_132_870), .zero])
        #expect(images.map(\.containers) == [1, 0])
        let containers = try await client.containers()
        #expect(containers.map(\.id) == ["d1"] && containers.map(\.imageID) == ["c1"])
        #expect(containers.map(\.image) == ["r/a:1"] && containers.map(\.names) == [["x"]])
    }

    @Test func aNullListIsEmpty() async throws {
        let (client, server) = try client { _ in .answer(200, "null\n") }
        defer { server.stop() }
        #expect(try await client.containers() == [])
    }

    @Test func existsIs204Or404() async throws {
        let (client, server) = try client { head in
            head.hasPrefix("GET /v4.0.0/libpod/images/r%2Fa%3A1/exists ")
                ? .answer(204) : .answer(404, #"{"cause":"","message":"no such image","response":404}"#)
        }
        defer { server.stop() }
        #expect(try await client.imageExists("r/a:1"))
        #expect(try await client.imageExists("r/a:2") == false)
    }

    @Test(arguments: [
        (200, #"{"Untagged":["r/a:1"],"Deleted":["c1"],"ExitCode":0}"#, RemovalResult.removed),
        (200, #"{"Untagged":["r/a:1"],"Deleted":null,"ExitCode":0}"#, .untagged),
        (200, #"{"Untagged":["r/a:1"],"ExitCode":0}"#, .untagged),
        (200, #"{"ExitCode":1,"Errors":["r/a:1: image not known"]}"#, .notFound),
        (200, #"{"ExitCode":2,"Errors":["image used by 54"]}"#, .refused("image used by 54")),
        (404, #"{"cause":"image not known","message":"r/a:1: image not known","response":404}"#, .notFound),
        (
            409, #"{"cause":"image is in use","message":"image used by 54","response":409}"#,
            .refused("image used by 54: image is in use")
        ),
    ])
    func removal(status: Int, body: String, result: RemovalResult) async throws {
        let (client, server) = try client { _ in .answer(status, body) }
        defer { server.stop() }
        #expect(try await client.removeImage("r/a:1") == result)
        #expect(server.requests.count == 1)
    }

    /// Whatever the name, it stays one component, and nothing is ever forced.
    @Test(arguments: [
        ("127.0.0.1:5000/ci/redis:7", "127%2E0%2E0%2E1%3A5000%2Fci%2Fredis%3A7"),
        ("r.io/a@sha256:9b", "r%2Eio%2Fa%40sha256%3A9b"),
        ("a?force=true&x", "a%3Fforce%3Dtrue%26x"),
        ("../containers/x", "%2E%2E%2Fcontainers%2Fx"),
        ("é %\r\n", "%C3%A9%20%25%0D%0A"),
    ])
    func namesAreEncoded(name: String, component: String) async throws {
        let (client, server) = try client { _ in .answer(404) }
        defer { server.stop() }
        #expect(try await client.removeImage(name) == .notFound)
        #expect(try await client.imageExists(name) == false)
        let lines = server.requests.map { $0.prefix { $0 != "\r\n" } }
        #expect(
            lines.first == "DELETE /v4.0.0/libpod/images/remove?images=\(component)&noprune=true HTTP/1.1")
        #expect(lines.last == "GET /v4.0.0/libpod/images/\(component)/exists HTTP/1.1")
        #expect(!server.requests.joined().contains("force=true"))
    }

    @Test func manyAtOnce() async throws {
        let (client, server) = try client { _ in .answer(204) }
        defer { server.stop() }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<50 { group.addTask { try await client.imageExists("r/a:\(number)") } }
            for try await exists in group { #expect(exists) }
        }
        #expect(server.requests.count == 50)
    }
}
