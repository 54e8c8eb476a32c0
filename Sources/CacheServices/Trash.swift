import CLinux
import CacheModel
import FileAccess
import Glibc

/// What evicted entries wait in: a folder for each prune run, on the same volume, so that moving there and
/// back is one rename.
///
/// Nothing in it counts as freed before it is purged.
package struct Trash: Sendable {
    let folder: LarderDirectory

    /// One run in the trash, as far as it is still there.
    package struct Run: Sendable, Equatable {
        /// The run's ID.
        package var id: String
        /// The kind of run where its journal names one.
        package var kind: String?
        /// When it began; nil where its journal cannot be read.
        package var createdAt: Timestamp?
        /// Until when it promised to keep its entries; nil where it did not.
        package var promisedUntil: Timestamp?
        /// Whether all of its moves were done.
        package var hasEnded = true
        /// The entries that can still be brought back, in the order of the run.
        package var entries: [TrashedRun.Entry]
        /// What a purge could not remove to its end: it occupies space, and cannot be brought back.
        package var unpurged: [UnpurgedEntry] = []

        /// The sum of what its entries occupied, and of what is left of purged ones.
        package var bytes: ByteCount {
            unpurged.reduce(entries.reduce(.zero) { $0 + $1.bytes }) { $0 + $1.bytes }
        }

        /// Until when its entries are kept, where they are kept for so long now: never less than it promised.
        package func keptUntil(_ retention: Span) -> Timestamp? {
            createdAt.map { Trash.keptUntil($0, promisedUntil, retention) }
        }

        /// What the index keeps of it.
        package var stock: TrashedRun { TrashedRun(run: id, entries: entries) }
    }

    /// What is left of an entry that a purge could not remove to its end.
    package struct UnpurgedEntry: Sendable, Equatable {
        /// Its name in the tool's own notation; that of its folder where no journal tells.
        package var key: String
        /// What is left of it occupies.
        package var bytes: ByteCount
        /// Why it is still there.
        package var reason: String
    }

    /// No promise reaches further: any job can write a journal.
    private static let longestPromise = Span.days(366)

    static func keptUntil(_ createdAt: Timestamp, _ promised: Timestamp?, _ retention: Span) -> Timestamp {
        let now = createdAt + retention
        return promised.map { max(now, min($0, createdAt + longestPromise)) } ?? now
    }

    /// Opens the trash of a volume.
    package init(_ folder: LarderDirectory) { self.folder = folder }

    /// Opens the trash of a volume by its path.
    package init(opening volume: Volume) throws(MaintenanceError) {
        let root: OpenDirectory
        do { root = try OpenDirectory.open(root: volume.path) } catch {
            throw .folder(volume: volume.name, path: volume.path, error: error)
        }
        if LockedVolume.isSystemRoot(root) { throw .systemRoot(volume: volume.name, path: volume.path) }
        self.init(try LarderDirectory(root: root, volume: volume))
    }

    /// A new run's ID: its time, and something that no other run of the same second has.
    package static func newRunID(now: Timestamp) -> String {
        let digits = now.description.filter { $0.isNumber || $0 == "T" || $0 == "Z" }
        let suffix = String(UInt32.random(in: 0...0xffff) + 0x10000, radix: 16).dropFirst()
        return "\(digits)-\(suffix)"
    }

    /// The runs in the trash, oldest first.
    package func runs() throws(MaintenanceError) -> [Run] {
        var runs: [Run] = []
        var known = 0
        do {
            for name in try folder.trash.names() {
                let id = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
                guard Self.isRunID(id), let directory = try? folder.trash.open(name) else { continue }
                var entries: [TrashedRun.Entry] = []
                var unpurged: [UnpurgedEntry] = []
                let held = TrashJournal.held(in: directory)
                // Forged runs must not fill the memory: beyond so many entries a run is one without a journal.
                let journal =
                    known >= 3 * TrashJournal.mostEntries
                    ? nil
                    : try? TrashJournal.read(from: directory) { number, line in
                        known += 1
                        guard (try? directory.stat(Self.name(number))) != nil else {
                            if let rest = Remains.of(number, line, in: directory) { unpurged.append(rest) }
                            return
                        }
                        var entry = TrashedRun.Entry(number: number, key: line.key, bytes: line.bytes)
                        entry.isHeld = held.contains(number)
                        entries.append(entry)
                    }
                if journal == nil { unpurged = [Remains.ofRun(id, in: folder.trash)].compactMap(\.self) }
                var run = Run(
                    id: id, kind: journal?.kind, createdAt: journal?.createdAt,
                    entries: journal == nil ? [] : entries)
                run.promisedUntil = journal?.keepUntil
                run.hasEnded = TrashJournal.hasEnded(in: directory)
                run.unpurged = unpurged
                runs.append(run)
            }
        } catch {
            throw .trash(
                reason: "the trash cannot be listed: \(error)", hint: "check the permissions of .larder/trash"
            )
        }
        return runs.sorted { $0.id < $1.id }
    }

    /// Whether a run's folder says that not all of its moves were done; no journal is read for that.
    func holdsUnfinishedRun() -> Bool {
        ((try? folder.trash.names()) ?? []).contains { name in
            guard Self.isRunID(String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)),
                let directory = try? folder.trash.open(name)
            else { return false }
            return !TrashJournal.hasEnded(in: directory)
        }
    }

    /// Until when the trash of a volume keeps an entry of a run; nil where it does not have it.
    ///
    /// Changes nothing.
    ///
    /// - Returns: a failure where that cannot be told.
    static func keptUntil(
        _ key: String, of run: String, below root: OpenDirectory, _ retention: Span
    ) -> Result<Timestamp?, SystemError> {
        guard isRunID(run), let path = VolumePath(".larder/trash/\(run)") else { return .success(nil) }
        do throws(SystemError) {
            let directory = try root.open(path)
            var isThere = false
            let journal = try TrashJournal.read(from: directory) { number, line in
                if line.key == key, (try? directory.stat(name(number))) != nil { isThere = true }
            }
            return .success(isThere ? keptUntil(journal.createdAt, journal.keepUntil, retention) : nil)
        } catch { return error.code == ENOENT ? .success(nil) : .failure(error) }
    }

    /// What the journal of a run says of those of its entries that are in the trash.
    func lines(of run: Run) throws(SystemError) -> [TrashJournal.Line] {
        let wanted = Set(run.entries.map(\.number))
        var lines: [TrashJournal.Line] = []
        _ = try TrashJournal.read(from: folder.trash.open(Array(run.id.utf8).cString)) { number, line in
            if wanted.contains(number) { lines.append(line) }
        }
        return lines
    }

    /// What the journal in a run's folder says of one entry; nil where it has none of that number.
    func line(_ wanted: Int, of directory: OpenDirectory) throws(SystemError) -> TrashJournal.Line? {
        var found: TrashJournal.Line?
        _ = try TrashJournal.read(from: directory) { number, line in if number == wanted { found = line } }
        return found
    }

    /// Brings back entries of a run: all, or those with that key, or whose keys match that pattern.
    ///
    /// An entry whose place was taken meanwhile, because a job fetched it again, stays in the trash.
    /// - Returns: What was brought back, and what was not, with the reason.
    package func restore(
        run id: String, key: String? = nil
    ) throws(MaintenanceError) -> (restored: [TrashJournal.Line], refused: [(TrashJournal.Line, String)]) {
        let directory: OpenDirectory
        let journal: TrashJournal
        do {
            guard Self.isRunID(id) else { throw SystemError(code: ENOENT) }
            directory = try folder.trash.open(Array(id.utf8).cString)
            journal = try TrashJournal.read(from: directory)
        } catch {
            throw .trash(
                reason: "run \(id) is not in the trash (\(error))", hint: "'larder trash list' shows what is")
        }
        var restored: [TrashJournal.Line] = []
        var refused: [(TrashJournal.Line, String)] = []
        var moves = OwnMoves()
        defer { moves.settleAll(below: folder.root) }
        // The last one first: parts went before the directory that they lie in, which must be there before them.
        // A key may look like a pattern.
        let isKey = key.map { key in journal.entries.contains { $0.key == key } } ?? false
        let pattern = isKey ? nil : key.map { KeyPattern($0) }
        for (number, line) in journal.entries.enumerated().reversed()
        where isKey ? line.key == key : pattern?.matches(line.key) ?? true {
            guard (try? directory.stat(Self.name(number))) != nil else {
                if line.key == key { refused.append((line, "it is not in the trash any more")) }
                continue
            }
            if let reason = putBack(number, line, from: directory, &moves) {
                refused.append((line, reason))
            } else {
                restored.append(line)
            }
        }
        if restored.isEmpty, refused.isEmpty, let key {
            throw .trash(
                reason: "run \(id) holds no entry \(key)", hint: "'larder trash list' shows what it holds")
        }
        removeIfEmpty(id, directory)
        return (restored.reversed(), refused.reversed())
    }

    private static let isTaken = "it is there already: a job fetched it again, or it was brought back before"

    /// Moves all files of a directory in the trash to another one; why that was not possible.
    private static func empty(_ inside: OpenDirectory, into place: OpenDirectory) -> String? {
        FileUnits.putBack(from: inside, to: place).map { $0.code == EEXIST ? isTaken : $0.message }
    }

    /// Renames an entry back to where it came from, and makes the directories above it where they are gone.
    ///
    /// Returns why that was not possible.
    func putBack(
        _ number: Int, _ line: TrashJournal.Line, from directory: OpenDirectory, _ moves: inout OwnMoves
    ) -> String? {
        guard let bytes = unescaped(line.path), let path = VolumePath(bytes: bytes),
            let first = path.components.first, !first.elementsEqual(".larder".utf8)
        else {
            return "its path in the journal is none"
        }
        var parent = folder.root
        do {
            let root = try parent.stat()
            for component in path.parent.components {
                parent = try remake(component, in: parent)
                let here = try parent.stat()
                guard here.device == root.device, here.mount == root.mount else {
                    throw SystemError(code: EXDEV)
                }
            }
        } catch { return "its directory cannot be made again (\(error))" }
        if line.isOfFiles == true {
            guard let inside = try? directory.open(Self.name(number)) else { return "it holds no files" }
            moves.begin(in: parent, at: path.parent)
            let names = (try? inside.names()) ?? []
            if let refusal = Self.empty(inside, into: parent) { return refusal }
            for name in names { moves.gave(name, to: path.parent, parent) }
            _ = unlinkat(directory.descriptor, Self.name(number), AT_REMOVEDIR)
            return nil
        }
        // A replaced build of a SNAPSHOT of Gradle's lies in the directory of an entry.
        if line.pool == .gradle { moves.begin(in: parent, at: path.parent) }
        let failure = EntryReturn.move(
            Self.name(number), in: directory, to: path.name.cString, in: parent)
        guard let failure else {
            moves.gave(path.name.cString, to: path.parent, parent)
            return nil
        }
        if failure.code == EEXIST {
            // The builds of a SNAPSHOT that another run took may have come back before it.
            guard line.key.hasSuffix("-SNAPSHOT"), let inside = try? directory.open(Self.name(number)),
                let place = try? parent.open(path.name.cString)
            else { return Self.isTaken }
            if let refusal = Self.empty(inside, into: place) { return refusal }
            _ = unlinkat(directory.descriptor, Self.name(number), AT_REMOVEDIR)
            return nil
        }
        return failure.message
    }

    /// Opens a directory, or makes it again with the permissions and owner of the one it is in: the jobs must be
    /// able to use it as they used the one that became empty and went.
    private func remake(
        _ component: ArraySlice<UInt8>, in parent: OpenDirectory
    ) throws(SystemError) -> OpenDirectory {
        let name = component.cString
        do { return try parent.open(name) } catch { guard error.code == ENOENT else { throw error } }
        let model = try parent.stat()
        try parent.makeDirectory(name)
        let made = try parent.open(name)
        if geteuid() == 0 { _ = fchown(made.descriptor, model.uid, model.gid) }
        guard fchmod(made.descriptor, mode_t(model.mode & 0o7777)) == 0 else {
            throw SystemError(code: errno)
        }
        return made
    }

    static func name(_ number: Int) -> [CChar] { Array("\(number)".utf8).cString }

    /// What an entry is called once it is being purged.
    static func doomed(_ number: Int) -> [CChar] { Array("gone-\(number)".utf8).cString }

    static func isRunID(_ name: String) -> Bool {
        name.utf8.count == 21
            && name.utf8.allSatisfy {
                ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) || $0 == 45 || $0 == 84 || $0 == 90
            }
    }

    func removeIfEmpty(_ id: String, _ directory: OpenDirectory) {
        // A draft is of no use once nobody writes it; the system refuses to remove a directory that holds anything else.
        TrashJournal.removeDraft(from: directory)
        let name = Array(id.utf8).cString
        if unlinkat(folder.trash.descriptor, name, AT_REMOVEDIR) == 0 { return }
        // Each entry is asked for by its name: a directory that fails to be read looks like an empty one (readdir(3)
        // takes ENOENT for its end), and what it holds would be lost.
        guard let journal = try? TrashJournal.read(from: directory),
            journal.entries.indices.allSatisfy({ isGone(Self.name($0), from: directory) }),
            let names = try? directory.names(),
            // What could not be purged stays listed by its journal.
            !names.contains(where: { $0.first.map { $0 >= 48 && $0 <= 57 } ?? false || Self.isDoomed($0) })
        else { return }
        // The journal goes last: without one, what a kill leaves here would be kept as a run that cannot be read.
        for name in names where name != TrashJournal.name { _ = unlinkat(directory.descriptor, name, 0) }
        _ = unlinkat(directory.descriptor, TrashJournal.name, 0)
        _ = unlinkat(folder.trash.descriptor, name, AT_REMOVEDIR)
    }

    static func isDoomed(_ name: [CChar]) -> Bool {
        name.starts(with: "gone-".utf8.map(CChar.init(bitPattern:)))
    }

    private func isGone(_ name: [CChar], from directory: OpenDirectory) -> Bool {
        do throws(SystemError) {
            _ = try directory.stat(name)
            return false
        } catch { return error.code == ENOENT }
    }
}
