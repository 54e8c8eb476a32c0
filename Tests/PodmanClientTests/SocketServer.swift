import Foundation
import Synchronization
import TestSupport

/// A server on a real Unix socket that answers each request by a script.
///
/// Like Go's net/http, which Podman is built on, it answers 400 to a request without a `Host` header.
final class SocketServer: Sendable {
    /// What it does with a request.
    enum Reaction: Sendable {
        /// Sends an answer with that status and body, complete.
        case answer(Int, String = "", headers: [String] = [])
        /// Sends these bytes and closes the connection.
        case raw(String)
        /// Sends these bytes and then nothing, with the connection open.
        case stall(String)
    }

    let path: String
    private let folder: TemporaryDirectory
    private let listener: Int32
    private let open = Mutex<[Int32]>([])
    private let seen = Mutex<[String]>([])

    /// The requests so far, each with its head as it came.
    var requests: [String] { seen.withLock { $0 } }

    init(name: String = "podman.sock", _ script: @escaping @Sendable (String) -> Reaction) throws {
        folder = try TemporaryDirectory()
        path = "\(folder.path)/\(name)"
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try Self.bind(listener, to: path)
        guard listen(listener, 16) == 0 else { throw POSIXError(.EIO) }
        Thread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { return }
                open.withLock { $0.append(connection) }
                Thread { [self] in serve(connection, script) }.start()
            }
        }.start()
    }

    deinit { for descriptor in open.withLock({ $0 }) + [listener] { close(descriptor) } }

    /// Ends the listener and every connection, and removes the socket: a thread that still writes keeps `self`.
    func stop() {
        unlink(path)
        rmdir(folder.path)
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in open.withLock({ $0 }) { shutdown(connection, Int32(SHUT_RDWR)) }
    }

    /// Waits until the peer of the last connection has closed it; false after a minute.
    func peersEnd() -> Bool {
        guard let connection = open.withLock({ $0.last }) else { return false }
        var waiting = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
        var byte: UInt8 = 0
        return poll(&waiting, 1, 60_000) == 1 && recv(connection, &byte, 1, 0) <= 0
    }

    private func serve(_ connection: Int32, _ script: (String) -> Reaction) {
        var head = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !head.hasSuffix("\r\n\r\n") {
            let length = read(connection, &buffer, buffer.count)
            if length <= 0 { return finish(connection) }
            head += String(decoding: buffer[..<length], as: UTF8.self)
        }
        seen.withLock { $0.append(head) }
        let hasHost = head.lowercased().contains("\r\nhost: ")
        switch hasHost ? script(head) : .raw(Self.missingHost) {
        case .answer(let status, let body, let headers):
            let lines = ["HTTP/1.1 \(status) -", "Content-Length: \(body.utf8.count)"] + headers
            send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (status == 204 ? "" : body), to: connection)
        case .raw(let bytes): send(bytes, to: connection)
        case .stall(let bytes): return send(bytes, to: connection)
        }
        finish(connection)
    }

    private func finish(_ connection: Int32) { shutdown(connection, Int32(SHUT_RDWR)) }

    private func send(_ text: String, to connection: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let length = rest.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
            if length <= 0 { return }
            rest = rest.dropFirst(length)
        }
    }

    /// What Go 1.19 sends, byte for byte.
    static let missingHost =
        "HTTP/1.1 400 Bad Request: missing required Host header\r\nContent-Type: text/plain; charset=utf-8\r\n"
        + "Connection: close\r\n\r\n400 Bad Request: missing required Host header"

    static func bind(_ listener: Int32, to path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0 else { throw POSIXError(.EADDRINUSE) }
    }
}
