import Foundation
import TestSupport

/// A server on a real Unix socket that gives one answer, whatever is asked, and closes.
final class OneAnswer: Sendable {
    let path: String
    private let listener: Int32

    init(in scratch: TemporaryDirectory, _ answer: [UInt8]) throws {
        path = "\(scratch.path)/\(UUID().uuidString.prefix(8)).sock"
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 4) == 0 else { throw POSIXError(.EADDRINUSE) }
        let descriptor = listener
        Thread {
            // A request that comes again, because the first answer was none, gets the same.
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                var buffer = [UInt8](repeating: 0, count: 4096)
                var head: [UInt8] = []
                while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                    let count = read(connection, &buffer, buffer.count)
                    if count <= 0 { break }
                    head += buffer[..<count]
                }
                var rest = answer[...]
                while !rest.isEmpty {
                    let count = rest.withUnsafeBytes {
                        send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    if count <= 0 { break }
                    rest = rest.dropFirst(count)
                }
                close(connection)
            }
        }.start()
    }

    /// Ends the listener, and its thread with it.
    func stop() {
        unlink(path)
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
