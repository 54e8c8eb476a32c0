import Glibc

/// Why the HTTP server cannot listen.
package enum ListenError: Error, Equatable, CustomStringConvertible {
    /// Something else than a socket lies at the path.
    case notASocket(path: String)
    /// Another server listens there.
    case inUse(path: String)
    /// The socket's mode cannot be set, or an old one not be removed.
    case refused(path: String, reason: String)
    /// The system does not give the address.
    case unavailable(address: String, reason: String)
    /// There is no room for the threads and files that wait for connections.
    case noEventLoop(address: String, reason: String)

    /// What is wrong, and what to do.
    package var description: String {
        switch self {
        case .notASocket(let path): "\(path) is not a socket: remove it, or listen at another path"
        case .inUse(let path): "another server listens at \(path): stop it, or listen at another path"
        case .refused(let path, let reason): "the socket \(path) cannot be made: \(reason)"
        case .noEventLoop(let address, let reason):
            "cannot serve at \(address): \(reason); raise the limits of this process (ulimit -n, ulimit -u), or serve "
                + "nothing with --listen none"
        case .unavailable(let address, let reason):
            "cannot listen at \(address): \(reason); choose another address, as --listen or as daemon.listen"
        }
    }
}

/// The file of a Unix socket: made way for, opened to the group, and removed at the end.
struct SocketFile: Sendable {
    let path: String

    /// Removes the socket that a server left when it died; one that somebody listens at stays.
    func makeWay() throws(ListenError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        guard !isAnswered() else { throw .inUse(path: path) }
        guard unlink(path) == 0 || errno == ENOENT else {
            throw .refused(path: path, reason: String(cString: strerror(errno)))
        }
    }

    /// Lets the owner and the group use the socket, whatever the umask was.
    func open() throws(ListenError) {
        guard chmod(path, 0o660) == 0 else {
            throw .refused(path: path, reason: String(cString: strerror(errno)))
        }
    }

    /// Takes the file away; the socket is closed by then.
    func remove() {
        if !isAnswered() { unlink(path) }
    }

    /// Whether a server takes connections there: a socket that was left refuses them.
    private func isAnswered() -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // A full backlog (EAGAIN) and a lack of permission (EACCES) are signs of life as well.
        return result == 0 || (errno != ECONNREFUSED && errno != ENOENT)
    }
}
