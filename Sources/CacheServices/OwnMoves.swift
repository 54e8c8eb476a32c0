import CLinux
import CacheModel
import Caches
import FileAccess
import Glibc

/// The directories that a run took parts of entries out of, or brought them back to.
///
/// A directory's time of modification is how a scan, and the look before an eviction, tell that something was fetched
/// into an entry. Moving a part sets it as a fetch does, so that an entry whose replaced builds went would count as just
/// fetched. Once a run is done with a directory, its time is set back, but only if nothing else came to it or went
/// from it meanwhile: a tally of all that lies there is taken before the first move, kept in step with the moves, and
/// compared in the end. The tally is a sum, so that it takes no memory for each name.
struct OwnMoves {
    /// The times of a directory in which nothing changed but by this run.
    struct Times: Equatable {
        var mtime: Int64
        var ctime: Int64
    }

    private struct Place {
        var inode: UInt64
        /// As it was before the first move.
        var mtime: Int64
        var tally: UInt64
    }

    private var places: [VolumePath: Place] = [:]

    /// To be called before something is moved out of a directory, or into it.
    ///
    /// What cannot be listed is not noted: its new time then counts as a fetch.
    mutating func begin(in directory: OpenDirectory, at path: VolumePath) {
        guard places[path] == nil, let stat = try? directory.stat(), let tally = Self.tally(of: directory)
        else { return }
        places[path] = Place(inode: stat.inode, mtime: stat.mtime, tally: tally)
    }

    /// Notes that a name which was in the directory at `path` lies in another one now.
    mutating func took(_ name: [CChar], from path: VolumePath, to directory: OpenDirectory, as new: [CChar]) {
        guard places[path] != nil, let stat = try? directory.stat(new) else { return }
        places[path]?.tally &-= Self.digest(of: name, stat)
    }

    /// Notes that a name was put into the directory at `path`.
    mutating func gave(_ name: [CChar], to path: VolumePath, _ directory: OpenDirectory) {
        guard places[path] != nil, let stat = try? directory.stat(name) else { return }
        places[path]?.tally &+= Self.digest(of: name, stat)
    }

    /// Sets the time of a directory back, where this run alone changed it, and is done with it.
    ///
    /// - Returns: Its times now; nil where the run moved nothing there, and where something else changed in it.
    mutating func settle(_ directory: OpenDirectory, at path: VolumePath) -> Times? {
        guard let place = places.removeValue(forKey: path), let stat = try? directory.stat(),
            stat.inode == place.inode, Self.tally(of: directory) == place.tally
        else { return nil }
        // Another user's directory that the group may write keeps its new time.
        guard larder_set_mtime(directory.descriptor, place.mtime) == 0, let settled = try? directory.stat()
        else { return nil }
        guard Self.tally(of: directory) == place.tally else {
            // What came in this very instant must not lose its trace.
            _ = futimens(directory.descriptor, nil)
            return nil
        }
        return Times(mtime: settled.mtime, ctime: settled.ctime)
    }

    /// Sets the times of all directories back that are still noted.
    mutating func settleAll(below root: OpenDirectory) {
        for path in Array(places.keys) {
            if let directory = try? root.open(path) { _ = settle(directory, at: path) }
        }
        places = [:]
    }

    /// A sum over all that lies in a directory, the same in whatever order it is listed; nil where it cannot be.
    private static func tally(of directory: OpenDirectory) -> UInt64? {
        guard let names = try? directory.names() else { return nil }
        var tally: UInt64 = 0
        for name in names {
            guard let stat = try? directory.stat(name) else { return nil }
            tally &+= digest(of: name, stat)
        }
        return tally
    }

    /// A digest of what a move by rename leaves as it is.
    ///
    /// Hashed with this process's own seed, which no job can know.
    private static func digest(of name: [CChar], _ stat: larder_stat) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(name)
        hasher.combine(stat.inode)
        hasher.combine(stat.mtime)
        if stat.mode & UInt32(S_IFMT) != UInt32(S_IFDIR) { hasher.combine(stat.size) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
