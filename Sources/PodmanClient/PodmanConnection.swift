import AsyncHTTPClient
import CacheModel
import Foundation
import NIOCore
import NIOHTTP1

/// One request after the other over a Unix socket, each on a connection of its own and with a deadline.
struct PodmanConnection: Sendable {
    /// No answer of Podman comes near: its list of 10,000 images has 6 MiB.
    static let bodyLimit = ByteCount(64 << 20)

    let path: String
    let deadline: Span

    /// Kept for the life of the process, like AsyncHTTPClient's own shared client, which will not do here: it
    /// goes on connecting for 90 seconds where nobody listens, and it follows redirects, also to other hosts.
    static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(
            eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }()

    /// A complete answer.
    struct Answer: Sendable {
        var status: Int
        var headers: HTTPHeaders
        var body: Data
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// - Parameter target: the path and query below `/v4.0.0/libpod/`, percent-encoded.
    func send(_ method: HTTPMethod, _ target: String, body: Data? = nil) async throws -> Answer {
        let name = "\(method.rawValue) \(target)"
        do {
            return try await within(deadline) {
                var request = request(method, target)
                if let body {
                    request.headers.add(name: "Content-Type", value: "application/x-tar")
                    request.body = .bytes(ByteBuffer(bytes: body))
                }
                let response = try await Self.client.execute(request, deadline: .distantFuture)
                let body = try await response.body.collect(upTo: Int(Self.bodyLimit.bytes))
                // A cancelled body ends early without an error.
                try Task.checkCancellation()
                return Answer(
                    status: Int(response.status.code), headers: response.headers,
                    body: Data(body.readableBytesView))
            }
        } catch {
            throw explained(error, request: name)
        }
    }

    /// A request to that path and query below `/v4.0.0/libpod/`.
    func request(_ method: HTTPMethod, _ target: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: "http+unix://\(encoded(path))/v4.0.0/libpod/\(target)")
        request.method = method
        // AsyncHTTPClient names no host on a Unix socket, and Go's server answers 400 to that
        // (net/http, readRequest). Tested by `hostIsSentBecausePodmanAnswers400Without`.
        request.headers.add(name: "Host", value: "d")
        // A connection kept from before the sidecar's restart would fail the next request.
        request.headers.add(name: "Connection", value: "close")
        return request
    }

    func explained(_ error: any Error, request: String) -> any Error {
        switch error {
        case is CancellationError: return error
        case is DeadlinePassed:
            return PodmanError.deadlinePassed(path: path, request: request, after: deadline)
        case is NIOTooManyBytesError:
            return PodmanError.answerTooLarge(path: path, request: request, limit: Self.bodyLimit)
        case let error as IOError: return systemFailure(error.errnoCode)
        case let error as HTTPClientError where error == .cancelled: return CancellationError()
        case let error as HTTPClientError where error == .remoteConnectionClosed: return brokenOff(request)
        case let error as HTTPParserError:
            if error == .invalidEOFState { return brokenOff(request) }
            return PodmanError.unreadableAnswer(path: path, request: request, reason: "no HTTP (\(error))")
        default: return PodmanError.connectionFailed(path: path, reason: "\(error)")
        }
    }

    /// What an error number of connect(2), read(2) or write(2) on the socket means.
    func systemFailure(_ code: Int32) -> PodmanError {
        switch code {
        case ENOENT, ENOTDIR: .socketAbsent(path: path)
        case ECONNREFUSED: .connectionRefused(path: path)
        case EACCES, EPERM: .permissionDenied(path: path)
        default: .connectionFailed(path: path, reason: String(cString: strerror(code)))
        }
    }

    func brokenOff(_ request: String) -> PodmanError {
        let reason = "the connection was closed before the answer to \(request) was complete"
        return .connectionFailed(path: path, reason: reason)
    }
}

/// Percent-encodes everything that is not a letter, a digit or one of `-_~`: slashes and dots too, so that a
/// name stays one component of a path whatever it is.
func encoded(_ name: String) -> String {
    name.utf8.reduce(into: "") { text, byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"):
            text.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            text += byte < 16 ? "%0" : "%"
            text += String(byte, radix: 16, uppercase: true)
        }
    }
}

/// The time that `within` was given is over.
struct DeadlinePassed: Error {}

/// Runs `work`, and cancels it when the time is over: AsyncHTTPClient's own deadline ends with the head of an
/// answer, and a body may stall as well.
func within<Result: Sendable>(
    _ span: Span, _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        defer { group.cancelAll() }
        group.addTask(operation: work)
        group.addTask {
            try await Task.sleep(for: .nanoseconds(span.nanoseconds))
            throw DeadlinePassed()
        }
        guard let result = try await group.next() else { throw DeadlinePassed() }
        return result
    }
}
