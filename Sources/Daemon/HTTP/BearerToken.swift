import Foundation
import Glibc

/// The token that lets a request start a run, from a file that is read again when it changes.
struct BearerToken: Sendable {
    /// Why no token can be read: for the log, with the path, and never for a client.
    struct Unusable: Error, CustomStringConvertible {
        var description: String
    }

    let path: String

    /// The token in the file.
    ///
    /// The file is regular, others can neither read nor write it, the group cannot write it, and the token has
    /// 16 bytes or more without white space. A Kubernetes secret is a link to such a file.
    func read() throws(Unusable) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw refused(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw refused("it is not a regular file")
        }
        guard status.st_mode & 0o027 == 0 else {
            throw refused("others can read or write it; run: chmod 0440 \(path)")
        }
        var bytes = [UInt8](repeating: 0, count: 4097)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw refused(String(cString: strerror(errno))) }
        var token = bytes.prefix(count)
        while let last = token.last, last == 10 || last == 13 { token.removeLast() }
        guard (16...4096).contains(token.count), token.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw refused("it does not hold one token of 16 to 4096 printable characters")
        }
        return Array(token)
    }

    /// Whether the value of an `Authorization` header carries the token.
    func admits(_ header: String?) throws(Unusable) -> Bool {
        let token = try read()
        guard let header, header.count <= 5000 else { return false }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return false }
        return Self.areEqual(Array(parts[1].utf8), token)
    }

    /// Compares in a time that depends on the length of what was sent alone.
    static func areEqual(_ sent: [UInt8], _ token: [UInt8]) -> Bool {
        guard !token.isEmpty else { return false }
        var difference = UInt8(sent.count == token.count ? 0 : 1)
        for place in sent.indices { difference |= sent[place] ^ token[place % token.count] }
        return difference == 0
    }

    private func refused(_ reason: String) -> Unusable {
        Unusable(description: "the token file \(path) cannot be used: \(reason)")
    }
}
