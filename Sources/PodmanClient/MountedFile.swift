import Foundation

/// A small file that whoever runs Larder puts in its place, such as a mounted secret, as it was when it was read.
struct MountedFile {
    /// Why a file cannot be used, for a person.
    struct Refusal: Error {
        var reason: String
        /// Whether it could be opened, and is not what it should be.
        var isOpened: Bool
    }

    /// How large a file may be.
    static let sizeLimit = 1 << 20

    let data: Data
    /// Its type and who may do what (st_mode).
    let mode: mode_t

    /// Reads a regular file of at most 1 MiB.
    ///
    /// Links are followed: Kubernetes mounts secrets as such.
    ///
    /// - Throws: `Refusal`.
    init(_ path: String) throws(Refusal) {
        // Without O_NONBLOCK, opening a FIFO would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw Refusal(reason: String(cString: strerror(errno)).lowercased(), isOpened: false)
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= Self.sizeLimit, let data = try? file.readToEnd() ?? Data()
        else { throw Refusal(reason: "no regular file of at most 1 MiB", isOpened: true) }
        (self.data, mode) = (data, status.st_mode)
    }
}
