import Foundation
import Glibc
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Daemon

@Suite(.serialized) struct LimitTests {
    /// A connection that sends what it is told, byte by byte if it likes.
    private final class Connection {
        private let descriptor: Int32

        init(port: Int) throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            try #require(descriptor >= 0)
            var limit = timeval(tv_sec: 120, tv_usec: 0)
            setsockopt(
                descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(UInt16(port).bigEndian)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            try #require(result == 0)
        }

        deinit { close(descriptor) }

        @discardableResult func send(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
        }

        /// All that comes until the server closes.
        func rest() -> String {
            var all: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while case let count = recv(descriptor, &chunk, chunk.count, 0), count > 0 {
                all += chunk.prefix(count)
            }
            return String(decoding: all, as: UTF8.self)
        }
    }

    private static var quick: ConnectionLimits {
        var limits = ConnectionLimits()
        limits.reading = .seconds(1)
        limits.idle = .seconds(2)
        limits.tick = .milliseconds(50)
        return limits
    }

    @Test(arguments: [
        ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\n", 414),
        ("GET / HTTP/1.1\r\nX: \(String(repeating: "b", count: 17_000))", 431),
        ("GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 70), 431),
        ("POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n", 413),
        ("POST /api/v1/runs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        ("POST /api/v1/runs HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("NONSENSE\r\n\r\n", 400),
    ])
    func whatIsTooLargeIsRefusedAtOnce(request: String, status: Int) async throws {
        let bed = try await WebFixture()
        let answer = try await apart {
            let connection = try Connection(port: bed.port)
            connection.send(request)
            return connection.rest()
        }
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
        if status != 400 {
            // What the parser behind refuses has no body.
            let body = try #require(answer.range(of: "\r\n\r\n")).upperBound
            let object = try JSONSerialization.jsonObject(with: Data(answer[body...].utf8))
            let problem = try #require(object as? [String: Any])
            #expect(answer.contains("Content-Type: application/problem+json"))
            #expect(problem["status"] as? Int == status && problem["schema"] as? String == "larder.error/1")
        }
        try await bed.stop()
    }

    @Test func aRequestThatNeverEndsIsEnded() async throws {
        let bed = try await WebFixture(limits: Self.quick)
        let answers = try await apart {
            try [
                "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
                "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{", "",
            ].map { request in
                let connection = try Connection(port: bed.port)
                connection.send(request)
                return connection.rest()
            }
        }
        #expect(answers[0].hasPrefix("HTTP/1.1 408 "))
        #expect(answers[1].contains("HTTP/1.1 40"))
        #expect(answers[2].isEmpty)
        try await bed.stop()
    }

    @Test func aConnectionThatAsksNothingMoreIsClosed() async throws {
        var limits = ConnectionLimits()
        (limits.idle, limits.tick) = (.milliseconds(200), .milliseconds(50))
        let bed = try await WebFixture(limits: limits)
        let answer = try await apart {
            let connection = try Connection(port: bed.port)
            connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return connection.rest()
        }
        #expect(answer.hasSuffix("ok\n"))
        try await bed.stop()
    }

    @Test func connectionsBeyondTheLimitAreToldToComeBackAndOthersAnswered() async throws {
        var limits = ConnectionLimits()
        limits.connections = 4
        let bed = try await WebFixture(limits: limits)
        let answers = try await apart {
            let open = try (0..<4).map { _ in try Connection(port: bed.port) }
            for connection in open { connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n") }
            let beyond = try Connection(port: bed.port).rest()
            open[0].send("Connection: close\r\n\r\n")
            let within = open[0].rest()
            // Whoever comes after one has gone is let in, as soon as the server has seen it go.
            var next = ""
            while !next.hasSuffix("ok\n") {
                let connection = try Connection(port: bed.port)
                connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                next = connection.rest()
            }
            return withExtendedLifetime(open) { [beyond, within, next] }
        }
        #expect(answers[0].hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(answers[0].contains("Retry-After: 2\r\n"))
        #expect(answers[1].hasSuffix("ok\n"))
        #expect(answers[2].hasSuffix("ok\n"))
        try await bed.stop()
    }

    /// Of one address, some are served, and the others are told of nothing but the daemon's health.
    @Test func oneAddressLeavesRoomForOthers() async throws {
        var limits = ConnectionLimits()
        limits.perAddress = 2
        let bed = try await WebFixture(limits: limits)
        let answers = try await apart {
            let open = try (0..<2).map { _ in try Connection(port: bed.port) }
            for connection in open { connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n") }
            // Served, so that what follows is beyond.
            open[0].send("\r\n")
            let held = try (0..<40).map { _ in try Connection(port: bed.port) }
            for connection in held { connection.send("GET / HT") }
            var answers: [String] = []
            for request in ["GET /healthz HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"] {
                let beyond = try Connection(port: bed.port)
                beyond.send(request)
                answers.append(beyond.rest())
            }
            return withExtendedLifetime((open, held)) { answers }
        }
        #expect(answers[0].hasPrefix("HTTP/1.1 200 OK\r\n") && answers[0].hasSuffix("\r\n\r\nok\n"))
        #expect(answers[1].hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        try await bed.stop()
    }

    @Test func thousandsOfConnectionsLeaveItAlive() async throws {
        let bed = try await WebFixture()
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        // Each takes a descriptor at both ends.
        let count = min(10_000, Int(limit.rlim_cur) / 2 - 500)
        try await apart {
            var open: [Connection] = []
            for _ in 0..<count { open.append(try Connection(port: bed.port)) }
            for connection in open { connection.send("GET / HT") }
        }
        var answer = try? await bed.ask("/healthz")
        while answer?.status != 200 { answer = try? await bed.ask("/healthz") }
        #expect(answer?.body == "ok\n")
        try await bed.stop()
    }

    @Test func requestsOneAfterTheOtherAreAnsweredInOrder() async throws {
        let bed = try await WebFixture()
        let answers = try await apart {
            let connection = try Connection(port: bed.port)
            let one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
            connection.send(
                one + one + "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.rest()
        }
        #expect(answers.components(separatedBy: "HTTP/1.1 200 OK").count == 3)
        #expect(answers.contains("HTTP/1.1 404 "))
        try await bed.stop()
    }
}

@Suite struct RequestScannerTests {
    @Test(arguments: [1, 2, 7, 1000])
    func framesRequestsHoweverTheyAreCut(step: Int) throws {
        var scanner = RequestScanner()
        let text =
            "\r\nGET / HTTP/1.1\r\nA: b\r\n\r\nPOST /x HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\nab\n\r\nGET /"
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: step) {
            try scanner.take(bytes[start..<min(bytes.count, start + step)])
        }
        #expect(scanner.requests == 2)
        #expect(scanner.isInRequest)
    }

    @Test func neverKeepsMoreThanALine() throws {
        var scanner = RequestScanner()
        #expect(throws: RequestScanner.Refusal.headTooLarge) {
            try scanner.take(Array("GET / HTTP/1.1\r\n".utf8))
            while true { try scanner.take([65]) }
        }
    }
}
