import CacheModel
import FileAccess
import Glibc

/// Follows the event logs in a directory: one file for each Podman, rotated ones beside them.
///
/// A log that is called after the pod of a GitLab job names the job's project (`JobPod`).
///
/// What was read is told by cursors that the caller keeps with what it made of the events, in one transaction:
/// so no event is lost or counted twice when a process dies between the two. A last line without its end is left
/// for the next time.
package struct PodmanEventLogs: Sendable {
    private let directory: String

    /// What was new in the logs.
    package struct Reading: Sendable, Equatable {
        /// The containers made, in the order of their times, each once.
        package var events: [PodmanEvent] = []
        /// How many files were read.
        package var files = 0
        /// What is kept of the logs.
        package var logs = EventLogs()
        /// The logs that were read to their ends and are so old that nothing needs them any more, by name.
        var old: [OldLog] = []
        /// How many those are.
        package var oldLogs: Int { old.count }
        /// Whether everything since the last time is in `events`: no line unreadable, no file lost.
        package var isWhole = true
        /// What a person should know, a sentence for each file at most.
        package var notices: [String] = []
        /// How far the logs were read, for the next time.
        package var cursors: [UInt8] = []

        /// Begins with nothing read.
        package init() {}
    }

    /// A log that can go.
    struct OldLog: Sendable, Equatable {
        var name: [CChar]
        var inode: UInt64
        var size: Int64
        var modified: Int64
    }

    /// Follows the logs in that directory, which need not be there.
    package init(directory: String) { self.directory = directory }

    /// Removes the logs that a reading found old, once what was read is recorded.
    ///
    /// One that was written to meanwhile stays, and so do all where the path leads through a link: jobs can put one in
    /// the directory's place. The pods that wrote them ended long ago, and nothing else removes what they left.
    ///
    /// - Returns: how many were removed.
    package func removeOld(_ reading: Reading) -> Int {
        guard !reading.old.isEmpty, let folder = try? OpenDirectory.open(withoutLinks: directory)
        else { return 0 }
        var removed = 0
        for log in reading.old {
            guard let stat = try? folder.stat(log.name), stat.inode == log.inode, stat.size == log.size,
                stat.mtime == log.modified, stat.links == 1
            else { continue }
            guard unlinkat(folder.descriptor, log.name, 0) == 0 else { continue }
            removed += 1
            _ = unlinkat(folder.descriptor, Array(log.name.dropLast()) + ".lock".utf8.cString, 0)
        }
        return removed
    }

    /// Reads what came since `cursors`, which are empty the first time.
    ///
    /// - Parameter needed: since when logs are needed: those that were last written to before can go. Nil to keep all.
    package func read(after cursors: [UInt8], needed: Timestamp? = nil) -> Reading {
        var reading = Reading()
        let folder: OpenDirectory
        let names: [[CChar]]
        do throws(SystemError) {
            folder = try OpenDirectory.open(root: directory)
            names = try folder.names()
        } catch {
            reading.cursors = cursors
            reading.isWhole = cursors.isEmpty
            if !error.isVanished || !cursors.isEmpty {
                reading.notices = ["the event logs in \(directory) cannot be read: \(error.message)"]
            }
            return reading
        }
        var follower = Follower(
            directory: directory, before: PodmanEventCursors(bytes: cursors).cursors, needed: needed)
        for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) where Self.isLog(name) {
            follower.follow(name, in: folder, &reading)
        }
        follower.end(&reading)
        return reading
    }

    /// Podman locks `<log>.lock`; a name that begins with a dot is being written.
    private static func isLog(_ name: [CChar]) -> Bool {
        name.first != 46
            && !name.dropLast().suffix(5).elementsEqual(".lock".utf8.map(CChar.init(bitPattern:)))
    }
}

/// Reads one file after the other, and remembers which of the known cursors it met again.
private struct Follower {
    let directory: String
    let before: [PodmanEventCursors.Cursor]
    private let lines: [UInt64: Int]
    private var met: Set<Int> = []
    private var after: [UInt64: PodmanEventCursors.Cursor] = [:]
    /// The events read, by their places in the reading.
    private var seen: [PodmanEvent: Int] = [:]
    private let needed: Timestamp?

    private static let keptCursors = 64
    /// What is left of what one reading takes from all files together.
    private var bytesLeft = 4 * PodmanEventFile.readLimit

    init(directory: String, before: [PodmanEventCursors.Cursor], needed: Timestamp?) {
        self.needed = needed
        self.directory = directory
        self.before = before
        let known = before.indices.filter { before[$0].lineLength > 0 }
        lines = Dictionary(known.map { (before[$0].lineHash, $0) }, uniquingKeysWith: { $1 })
    }

    mutating func follow(_ name: [CChar], in folder: OpenDirectory, _ reading: inout PodmanEventLogs.Reading)
    {
        let path = "\(directory)/\(escaped(name.dropLast().map(UInt8.init(bitPattern:))))"
        do throws(PodmanEventFile.Refusal) {
            let file = try PodmanEventFile(name, in: folder)
            // Two names of one file.
            guard after[file.inode] == nil else { return }
            reading.files += 1
            guard bytesLeft > 0 else {
                // Its cursor stays as it was: the next reading goes on with it.
                for (index, cursor) in before.enumerated() where cursor.inode == file.inode {
                    met.insert(index)
                    after[file.inode] = cursor
                }
                reading.isWhole = false
                reading.notices.append("the event log \(path) is read next time: there are too many at once")
                return
            }
            let isClean = read(file, path, JobPod.project(in: name.map(UInt8.init(bitPattern:))), &reading)
            guard let stat = try? folder.stat(name), stat.inode == file.inode else { return }
            // Only what is an event log through and through, and was read to its end, is Podman's to be removed.
            guard let needed, isClean, stat.mtime < needed.nanoseconds, stat.links == 1, stat.size > 0,
                after[file.inode]?.offset == stat.size, (after[file.inode]?.lineLength ?? 0) > 0
            else {
                reading.logs.bytes += ByteCount(stat.blocks * 512)
                reading.logs.kept += 1
                return
            }
            reading.old.append(
                .init(name: name, inode: file.inode, size: stat.size, modified: stat.mtime))
            // As one that went: its last line tells how far it was read, should it come back.
            after[file.inode]?.offset = -1
        } catch {
            if error.isGone { return }
            reading.isWhole = false
            reading.notices.append("the event log \(path) is not read: \(error.reason)")
        }
    }

    private mutating func read(
        _ file: borrowing PodmanEventFile, _ path: String, _ project: String?,
        _ reading: inout PodmanEventLogs.Reading
    ) -> Bool {
        var cursor = start(of: file)
        var (skipped, firstSkipped) = (0, Int64(0))
        var found: [PodmanEvent] = []
        // Of a log that is too long for one reading the newest lines tell most of what is in use.
        let passedOver = max(0, file.size - cursor.offset - PodmanEventFile.readLimit)
        var isPartOfLine = passedOver > 0
        let begin = passedOver > 0 ? cursor.offset + passedOver - 1 : cursor.offset
        let end = file.lines(from: begin) { line, start in
            if isPartOfLine {
                isPartOfLine = false
                return
            }
            let parsed =
                line.map { PodmanEventLine(UnsafeRawBufferPointer(rebasing: $0.dropLast())) } ?? .unreadable
            switch parsed {
            case .create(let event): found.append(event)
            case .other: break
            case .unreadable:
                if skipped == 0 { firstSkipped = start }
                skipped += 1
                return
            }
            guard let line else { return }
            (cursor.lineStart, cursor.lineLength) = (start, Int64(line.count))
        }
        bytesLeft -= end - begin
        if passedOver > 0 {
            reading.isWhole = false
            reading.notices.append(
                "the event log \(path): \(ByteCount(passedOver)) of it were passed over, as it grew by more than "
                    + "\(ByteCount(PodmanEventFile.readLimit)) since the last time")
        }
        cursor.offset = end
        file.remember(&cursor)
        after[file.inode] = cursor
        for var event in found {
            event.project = project
            guard let place = seen[event] else {
                seen[event] = reading.events.count
                reading.events.append(event)
                continue
            }
            // Podman rotates a log by way of a file with a random name.
            if reading.events[place].project == nil { reading.events[place].project = project }
        }
        if skipped > 0 {
            reading.isWhole = false
            reading.notices.append(
                "the event log \(path): \(skipped) line\(skipped == 1 ? " is" : "s are") no event and passed over, "
                    + "the first at byte \(firstSkipped)")
        }
        return skipped == 0 && passedOver == 0
    }

    /// Where to read on: where it was left, else behind the last line that was read from whatever file.
    private mutating func start(of file: borrowing PodmanEventFile) -> PodmanEventCursors.Cursor {
        for (index, cursor) in before.enumerated() where file.holds(cursor) {
            met.insert(index)
            return cursor
        }
        var cursor = PodmanEventCursors.Cursor(inode: file.inode, offset: 0)
        guard !lines.isEmpty else { return cursor }
        let lines = lines
        var found: Set<Int> = []
        _ = file.lines(from: max(0, file.size - 2 * PodmanEventFile.readLimit)) { line, start in
            guard let line, let index = lines[FNV1a.hash(line)] else { return }
            found.insert(index)
            (cursor.lineStart, cursor.lineLength) = (start, Int64(line.count))
            cursor.offset = start + Int64(line.count)
        }
        met.formUnion(found)
        return cursor
    }

    mutating func end(_ reading: inout PodmanEventLogs.Reading) {
        reading.events.sort { $0.at < $1.at }
        let missing = before.indices.filter { !met.contains($0) && before[$0].lineLength > 0 }
        let lost = missing.filter { before[$0].offset >= 0 }
        if !lost.isEmpty {
            reading.isWhole = false
            reading.notices.append(
                "\(lost.count) event log\(lost.count == 1 ? "" : "s") in \(directory) went before the end was read: "
                    + "keep logs for longer than the time between two scans")
        }
        var cursors = PodmanEventCursors()
        // A file that went may come back, under whatever inode: its last line says how far it was read.
        let kept = missing.suffix(Self.keptCursors).map { index in
            var cursor = before[index]
            cursor.offset = -1
            return cursor
        }
        cursors.cursors = Array(after.values) + kept.filter { after[$0.inode] == nil }
        reading.cursors = cursors.bytes
    }
}

extension PodmanEventFile {
    /// Puts the hash of the last good line into the cursor: only that one's is needed.
    fileprivate func remember(_ cursor: inout PodmanEventCursors.Cursor) {
        guard cursor.lineLength > 0 else { return }
        cursor.lineHash = hash(at: cursor.lineStart, length: Int(cursor.lineLength)) ?? 0
    }
}
