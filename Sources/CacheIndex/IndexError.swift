/// What keeps the index from being opened, read or written.
///
/// Every case names the file; `message` says what is wrong with it, `remedy` what to do.
package enum IndexError: Error, Hashable, Sendable {
    /// There is no index yet, and it was to be read only.
    case missing(path: String)
    /// A directory, a pipe or the like lies where the index should be.
    case notAFile(path: String)
    /// It can be neither opened nor made.
    case unusable(path: String, reason: String)
    /// A newer Larder wrote it.
    case newerSchema(path: String, found: Int, known: Int)
    /// An older Larder wrote it, and it was to be read only.
    case olderSchema(path: String, found: Int, known: Int)
    /// It is the database of another program.
    case foreign(path: String)
    /// Its contents are damaged.
    case damaged(path: String, reason: String)
    /// Another process held it for longer than five seconds.
    case busy(path: String)
    /// No byte or no inode is left for it.
    case full(path: String)
    /// A statement failed: the disk is full, a file is read-only, and the like.
    case failed(path: String, reason: String)
    /// No scan of a volume of that name was ever recorded.
    case unknownVolume(name: String, path: String)
}

extension IndexError: CustomStringConvertible {
    /// What is wrong, with the file's path.
    package var message: String {
        switch self {
        case .missing(let path): "there is no index at \(path)"
        case .notAFile(let path): "\(path) should be the index, and is no regular file"
        case .unusable(let path, let reason): "the index at \(path) cannot be opened: \(reason)"
        case .newerSchema(let path, let found, let known):
            "the index at \(path) has schema \(found), and this Larder knows none after \(known)"
        case .olderSchema(let path, let found, let known):
            "the index at \(path) has schema \(found), and this Larder reads schema \(known)"
        case .foreign(let path): "\(path) is the database of another program"
        case .damaged(let path, let reason): "the index at \(path) is damaged: \(reason)"
        case .busy(let path): "another process holds the index at \(path)"
        case .full(let path): "the disk of the index at \(path) is full"
        case .failed(let path, let reason): "the index at \(path) refused: \(reason)"
        case .unknownVolume(let name, let path): "the index at \(path) knows no volume named \(name)"
        }
    }

    /// What to do about it.
    package var remedy: String {
        switch self {
        case .missing: "run `larder scan`, or name the state directory with --state"
        case .notAFile: "remove it, or name another state directory with --state"
        case .unusable: "make the state directory writable, or name another one with --state"
        case .newerSchema: "run the newer Larder, or name another state directory with --state"
        case .olderSchema: "run `larder scan` once: it brings the index up to date"
        case .foreign: "name another state directory with --state"
        case .damaged: "run `larder scan`: it sets the file aside and begins a new index"
        case .busy: "try again when the other Larder is done"
        case .full: "make room on it, or name another state directory with --state"
        case .failed: "check the space and the permissions of the state directory"
        case .unknownVolume: "run `larder scan` first"
        }
    }

    /// Both in one line.
    package var description: String { "\(message); \(remedy)" }
}
