import CacheModel

/// Why an image store could not be read.
///
/// Every description names the file and what to do.
package enum ImageStoreError: Error, Sendable, Hashable {
    /// The root is absent, no directory, or closed to this process.
    case root(path: String, reason: String)
    /// The store is one of a driver that Larder does not read.
    case driver(path: String, name: String)
    /// A file of the store could not be opened or read.
    case unreadable(file: String, reason: String)
    /// What lies in a file's place is none that Podman would have written, and was not read.
    case refused(file: String, reason: String)
    /// A file is not JSON: damaged, or cut off at that byte.
    case notJSON(file: String, position: String)
    /// A record lacks what it must have, or has a value of another type.
    case record(file: String, record: String, reason: String)
    /// The records contradict any store that Podman could have made.
    case implausible(root: String, reason: String)
    /// The store was rewritten during every attempt to read it.
    case restless(root: String, attempts: Int)
}

extension ImageStoreError: CustomStringConvertible {
    /// What is wrong, where, and what to do, in one line that is safe to print.
    package var description: String {
        switch self {
        case .root(let path, let reason):
            "image store \(printable(path)): \(reason); "
                + "name the directory that Podman calls its root (`podman info`, store.graphRoot)"
        case .driver(let path, let name):
            "image store \(printable(path)): it is a store of the driver \(printable(name)), which Larder does not read; "
                + "it reads \(StoreDrivers.known.map(\.name).joined(separator: " and "))"
        case .unreadable(let file, let reason):
            "\(printable(file)): \(reason); run Larder as the user that owns the store"
        case .refused(let file, let reason):
            "\(printable(file)): \(reason), so it was not read; "
                + "find out who put it there and restore the file that Podman wrote"
        case .notJSON(let file, let position):
            "\(printable(file)): not valid JSON, \(printable(position)); restore it from a backup of the "
                + "volume, or empty the store with `podman system reset` and pull again"
        case .record(let file, let record, let reason):
            "\(printable(file)): \(printable(record)): \(printable(reason)); "
                + "remove what it records with Podman, or restore the file from a backup of the volume"
        case .implausible(let root, let reason):
            "image store \(printable(root)): \(reason); "
                + "it was not written by Podman: empty it with `podman system reset` and pull again"
        case .restless(let root, let attempts):
            "image store \(printable(root)): its records changed during each of \(attempts) attempts to "
                + "read them; try again when fewer pulls and removals are under way"
        }
    }
}

private func printable(_ text: String) -> String { escaped(text.utf8) }
