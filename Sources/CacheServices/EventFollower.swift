import CacheIndex
import CacheModel
import Caches
import FileAccess

/// Brings the uses that event logs tell of into the index between two scans.
///
/// The directory is looked at rather than watched by inotify: the jobs' Podmans write from other pods, often over
/// a network file system, of whose changes no inotify tells. A look at names, inodes and sizes costs
/// microseconds; the logs are opened only where that look shows a change.
package struct EventFollower: Sendable {
    private let volume: Volume
    private var seen: [Glance] = []
    /// Where the index's cursors were at the last reading, and where that reading ended.
    private var position: (index: [UInt8], read: [UInt8])?

    /// What a look at one file shows.
    private struct Glance: Sendable, Equatable {
        var name: [CChar]
        var inode: UInt64
        var size: Int64
    }

    /// Follows the logs of that image store.
    package init(_ volume: Volume) { self.volume = volume }

    /// Whether the logs changed since the last call that was answered by `true` and followed by `follow`.
    package func isDue() -> Bool { look() != seen }

    /// Reads what came since the last scan or the last call, and records it.
    ///
    /// - Returns: how many uses were recorded, and what a person should know.
    /// - Throws: `IndexError`; the next call then begins at the same place.
    package mutating func follow(into index: CacheIndex) throws -> (uses: Int, notices: [String]) {
        let now = look()
        // Before the first scan there is nothing that a use could belong to.
        guard let state = try index.followState(of: volume.name) else { return (0, []) }
        let start = position.flatMap { $0.index == state.cursors ? $0.read : nil } ?? state.cursors
        let reading = PodmanEventLogs(directory: volume.eventsPath).read(after: start)
        guard !reading.events.isEmpty || !reading.isWhole else {
            (position, seen) = ((state.cursors, reading.cursors), now)
            return (0, reading.notices)
        }
        let images = ImageUses(
            state.images.map { image in
                ScannedEntry(
                    pool: .images, key: "", path: image.path, bytes: .zero, apparentBytes: .zero, files: 0,
                    accessed: Timestamp(nanoseconds: 0), fetched: Timestamp(nanoseconds: 0),
                    image: image.image)
            })
        let uses = reading.events.map { event in
            FollowedUse(
                container: event.container, image: event.image, at: event.at,
                entry: images.place(of: event.image).map { state.images[$0].entry }, project: event.project)
        }
        let isRecorded = try index.recordFollowed(
            uses, of: volume.name, after: state.cursors, to: reading.cursors, isWhole: reading.isWhole)
        guard isRecorded else { return (0, []) }
        (position, seen) = ((reading.cursors, reading.cursors), now)
        return (uses.count, reading.notices)
    }

    private func look() -> [Glance] {
        guard let folder = try? OpenDirectory.open(root: volume.eventsPath), let names = try? folder.names()
        else { return [] }
        return names.compactMap { name in
            (try? folder.stat(name)).map { Glance(name: name, inode: $0.inode, size: $0.size) }
        }.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }
}
