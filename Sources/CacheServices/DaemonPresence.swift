import Glibc

/// Tells others that a daemon works with a state directory, for as long as it lives.
///
/// By a lock of the kernel's (flock(2)), so that it ends with the daemon, however that ends.
package final class DaemonPresence: Sendable {
    private let file: Int32
    /// Whether no other daemon works with the directory, as far as can be told.
    package let isAlone: Bool

    /// Takes the place of the one daemon; where the directory cannot be written to, nobody is told.
    package init(stateDirectory: String) {
        file = open(Self.path(stateDirectory), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        isAlone = file < 0 || flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
    }

    deinit { if file >= 0 { close(file) } }

    /// Whether a daemon works with that directory now, as far as this machine can tell.
    package static func isSeen(stateDirectory: String) -> Bool {
        let file = open(path(stateDirectory), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    private static func path(_ stateDirectory: String) -> String { stateDirectory + "/daemon.lock" }
}
