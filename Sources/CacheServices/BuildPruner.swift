import CLinux
import CacheIndex
import CacheModel
import Caches
import FileAccess
import Glibc

/// Evicts build entries: each directory is moved as a whole into the volume's trash, so that a job sees all of
/// an entry or nothing of it.
///
/// Before a move comes a last look, and after it another: whatever was read, fetched or swapped since the plan
/// stays, or is moved back. The journal is written and synced before the first move.
package struct BuildPruner: Sendable {
    private let locked: LockedVolume
    private let folder: LarderDirectory
    private let volume: Volume
    private let quietSince: Timestamp
    private let kind: String
    private let clock: @Sendable () -> Timestamp
    private let progress: (@Sendable (Int, Int) -> Void)?

    /// Makes a pruner for the locked volume.
    ///
    /// `kind` is that of the run, for its journal; `progress` gets entries done and planned.
    ///
    /// - Throws: `MaintenanceError` where Larder has no folder on the volume, as on a read-only mount.
    package init(
        _ locked: LockedVolume, quietSince: Timestamp, kind: String = RunRecord.prune,
        clock: @escaping @Sendable () -> Timestamp, progress: (@Sendable (Int, Int) -> Void)? = nil
    ) throws(MaintenanceError) {
        self.locked = locked
        folder = try locked.folder.get()
        volume = locked.volume
        self.quietSince = quietSince
        self.kind = kind
        self.clock = clock
        self.progress = progress
    }

    /// Moves the plan's entries into the trash.
    ///
    /// - Parameter limits: How much may go; nil for all of it.
    /// - Returns: What went and what was refused; the used bytes after it are what was looked at, inode by inode.
    /// - Throws: `MaintenanceError.otherVolume` where the root is not the one that was scanned.
    package func apply(
        _ plan: EvictionPlan, run: String, scan: ScanRecord, limits: Pruner.Limits? = nil
    ) throws(MaintenanceError) -> EvictionOutcome {
        guard locked.isVolume(scan.identity) else {
            throw .otherVolume(volume: volume.name, path: volume.path)
        }
        var outcome = EvictionOutcome(
            volume: volume.name, usedBefore: plan.usedBytes, usedAfter: plan.usedBytes, overQuota: false)
        guard !plan.evict.isEmpty else {
            outcome.overQuota = plan.isExceeded(by: outcome.usedAfter, inodes: 0)
            return outcome
        }
        let place = try place(for: plan, run: run)
        var evictedInodes: Int64 = 0
        var state = RunState()
        var allowance = RunAllowance(limits, used: plan.usedBytes)
        var names = MovedNames()
        outcome.evicted.reserveCapacity(plan.evict.count)
        // Neighbours in the order of last use mostly have the very same reason, and share its text.
        var reason = ""
        for (number, eviction) in plan.evict.enumerated() {
            let entry = eviction.entry
            let itsReason = eviction.reason
            if reason != itsReason { reason = itsReason }
            var line = EvictionOutcome.Line(
                entryID: entry.id, pool: entry.pool, key: entry.key, bytes: entry.bytes,
                reason: reason)
            let refusal = allowance.refusal(of: eviction.freedBytes) ?? Self.refusal(of: number)
            let result: Result =
                if Task.isCancelled {
                    .refused(.stopped)
                } else if let refusal {
                    .refused(Refusal(refusal))
                } else {
                    evict(entry.found, number: number, to: place, &state)
                }
            switch result {
            case .evicted(let occupancy, let parents):
                allowance.use(eviction.freedBytes)
                let bytes = names.bytes(freedBy: occupancy, isKept: place.keeps)
                evictedInodes += occupancy.inodes + parents.count
                line.bytes = bytes
                outcome.evicted.append(line)
                outcome.usedAfter = outcome.usedAfter - bytes - parents.bytes
                // What waits in the trash is not free yet, and what neighbours delete is none of this run's.
                if place.keeps {
                    outcome.trashedBytes = outcome.trashedBytes + bytes
                } else {
                    outcome.freedBytes = outcome.freedBytes + bytes
                }
                outcome.freedBytes = outcome.freedBytes + parents.bytes
                outcome.emptiedBytes = outcome.emptiedBytes + parents.bytes
            case .refused(let refusal):
                line.reason = refusal.text
                (line.isGone, line.isDenied) = (refusal.cause == .gone, refusal.cause == .denied)
                outcome.refused.append(line)
                if entry.found.traits.contains(.part), !line.isGone {
                    state.kept.insert(entry.found.path.parent)
                }
            }
            progress?(number + 1, plan.evict.count)
        }
        state.moves.settleAll(below: folder.root)
        if place.keeps {
            TrashJournal.markEnd(in: place.directory)
            if outcome.evicted.isEmpty { Trash(folder).removeIfEmpty(run, place.directory) }
        } else if !outcome.evicted.isEmpty {
            outcome.failures.append(
                "no space was left for a run's folder in the trash: \(outcome.evicted.count) entries are gone for good"
            )
        }
        outcome.evictedInodes = plan.inodes == nil ? nil : evictedInodes
        outcome.overQuota = plan.isExceeded(by: outcome.usedAfter, inodes: evictedInodes)
        return outcome
    }

    /// Why an entry waits that the run's journal has no line for.
    private static func refusal(of number: Int) -> String? {
        number < TrashJournal.mostEntries
            ? nil : "beyond the \(TrashJournal.mostEntries) entries that one run may move"
    }

    private enum Result {
        case evicted(PreEvictionCheck.Occupancy, parents: (bytes: ByteCount, count: Int64))
        case refused(Refusal)
    }

    /// Where evicted entries go: the run's folder with its journal, or, on a volume so full that not even that
    /// can be made, the trash itself, to be unlinked at once.
    private struct Place {
        let directory: OpenDirectory
        let keeps: Bool
        let run: String

        func name(_ number: Int) -> [CChar] {
            keeps ? Trash.name(number) : Array("gone-\(run)-\(number)".utf8).cString
        }
    }

    /// Tried once more where there was no space: it may have been so for a moment only.
    private func place(for plan: EvictionPlan, run: String) throws(MaintenanceError) -> Place {
        let first = try attempt(plan, run)
        return first.keeps ? first : try attempt(plan, run)
    }

    private func attempt(_ plan: EvictionPlan, _ run: String) throws(MaintenanceError) -> Place {
        let now = clock()
        let journal = TrashJournal(
            run: run, kind: kind == RunRecord.prune ? nil : kind, createdAt: now,
            keepUntil: now + volume.trashRetention, entries: [])
        let lines = plan.evict.prefix(TrashJournal.mostEntries).lazy.map { eviction in
            let found = eviction.entry.found
            return TrashJournal.Line(
                id: eviction.entry.id, pool: found.pool, key: found.key, path: found.path.description,
                inode: found.inode, bytes: found.bytes, lastUsed: eviction.entry.lastUsed,
                isOfFiles: found.traits.contains(.files) ? true : nil)
        }
        let name = Array(run.utf8).cString
        var isMade = false
        do throws(SystemError) {
            // A folder that is there already has a journal of its own, which must not be replaced.
            guard mkdirat(folder.trash.descriptor, name, 0o700) == 0 else { throw SystemError(code: errno) }
            isMade = true
            let directory = try folder.trash.open(name)
            try journal.write(lines, into: directory)
            guard fsync(folder.trash.descriptor) == 0 else { throw SystemError(code: errno) }
            return Place(directory: directory, keeps: true, run: run)
        } catch {
            if isMade { _ = try? TreeRemoval.remove(name, in: folder.trash) }
            if error.isFull { return Place(directory: folder.trash, keeps: false, run: run) }
            throw error.code == EROFS
                ? .readOnly(volume: volume.name, path: volume.path)
                : .folder(
                    volume: volume.name, path: "\(volume.path)/.larder/trash/\(run)", error: error)
        }
    }

    /// The names of files with several that a run moved: what they occupy comes free with the last one.
    private struct MovedNames {
        private var counts: [UInt64: UInt64] = [:]

        /// What an entry's going frees.
        ///
        /// - Parameter isKept: Whether it waits in the trash, where its names still count as such.
        mutating func bytes(freedBy occupancy: PreEvictionCheck.Occupancy, isKept: Bool) -> ByteCount {
            if !isKept { counts = [:] }
            var freed = occupancy.bytes
            for file in occupancy.linked {
                counts[file.inode, default: 0] += 1
                if counts[file.inode] == file.names { freed += file.bytes }
            }
            return freed
        }
    }

    /// The homes in which a build was seen: once held, one is left alone for the rest of the run.
    private struct HeldHomes {
        private var holds: [LayoutHold] = []

        mutating func note(_ hold: LayoutHold) { if hold.home != nil { holds.append(hold) } }

        func home(of entry: ScannedEntry) -> LayoutHold? {
            holds.first { hold in hold.home.map { entry.path.isInside($0) } ?? false }
        }
    }

    /// What a run remembers from one entry to the next.
    private struct RunState {
        var held = HeldHomes()
        var moves = OwnMoves()
        /// The directories of which a part was refused: they stay with it.
        var kept: Set<VolumePath> = []
    }

    private func evict(
        _ entry: ScannedEntry, number: Int, to place: Place, _ state: inout RunState
    ) -> Result {
        if let home = state.held.home(of: entry) { return .refused(Refusal(home.reason)) }
        if let hold = CacheLayouts.holdingBuild(of: entry, below: folder.root) {
            state.held.note(hold)
            return .refused(Refusal(hold.reason))
        }
        if state.kept.contains(entry.path) { return .refused("a part of it stays") }
        if let reason = whyNotExpired(entry) { return .refused(Refusal(reason)) }
        if let unit = FileUnits(entry) { return evict(unit, number: number, to: place, &state.moves) }
        let parent: OpenDirectory
        let directory: OpenDirectory
        do {
            parent = try folder.root.open(entry.path.parent)
            directory = try parent.open(entry.path.name.cString)
        } catch {
            return .refused(
                error.code == ENOENT
                    ? .gone
                    : "its path leads through a link or another file system, or changed: \(error)")
        }
        if entry.pool == .maven, !entry.traits.contains(.superseded),
            LocalMetadata.notes(entry.path.name, in: parent)
        {
            return .refused("it was installed here, as maven-metadata-local.xml beside it says")
        }
        let isPart = entry.traits.contains(.part)
        if isPart { state.moves.begin(in: parent, at: entry.path.parent) }
        let occupancy: PreEvictionCheck.Occupancy
        let finding = PreEvictionCheck.look(
            at: entry, in: directory, quietSince: quietSince, now: clock(),
            ownChange: state.moves.settle(directory, at: entry.path))
        switch finding {
        case .changed(let reason): return .refused(reason)
        case .unchanged(let found): occupancy = found
        }
        let result = larder_rename_noreplace(
            parent.descriptor, entry.path.name.cString, place.directory.descriptor, place.name(number))
        guard result == 0 else { return .refused(Refusal(ofMove: SystemError(code: -result))) }
        if let reason = secondLook(at: entry, number, in: place, putBackTo: parent) {
            return .refused(Refusal(reason))
        }
        if isPart {
            state.moves.took(
                entry.path.name.cString, from: entry.path.parent, to: place.directory, as: place.name(number))
        }
        if !place.keeps { _ = try? TreeRemoval.remove(place.name(number), in: place.directory) }
        return .evicted(occupancy, parents: removeEmptyParents(of: entry))
    }

    /// Why an installed build must stay after all: the newer ones that replaced it are gone by now.
    private func whyNotExpired(_ entry: ScannedEntry) -> String? {
        guard entry.traits.contains(.superseded), entry.protections.contains(Protections(.locallyInstalled))
        else { return nil }
        guard let rule = volume.installed.rule(for: entry) else { return Protection.locallyInstalled.text }
        return InstalledVersions(of: entry, below: folder.root).newer >= rule.keepVersions
            ? nil : "fewer than \(rule.keepVersions) newer installed versions of it are left"
    }

    /// Moves an entry that is no directory, with the same looks before and after.
    private func evict(
        _ unit: FileUnits, number: Int, to place: Place, _ moves: inout OwnMoves
    ) -> Result {
        let entry = unit.entry
        guard let parent = try? folder.root.open(entry.path.parent) else {
            return .refused("its directory is gone, or leads through a link or another file system")
        }
        let isPart = entry.traits.contains(.part)
        if isPart { moves.begin(in: parent, at: entry.path.parent) }
        let occupancy: PreEvictionCheck.Occupancy
        switch unit.look(in: parent, quietSince: quietSince, now: clock()) {
        case .changed(let reason): return .refused(reason)
        case .unchanged(let found): occupancy = found
        }
        if let error = unit.move(from: parent, to: place.directory, as: place.name(number)) {
            return .refused(Refusal(ofMove: error))
        }
        var reason = CacheLayouts.holdingBuild(of: entry, below: folder.root)?.reason
        if reason == nil,
            case .changed(let change) = unit.lookAtMoved(
                in: place.directory, place.name(number), quietSince: quietSince, now: clock())
        {
            reason = change.text
        }
        if let reason {
            let isBack = unit.putBack(from: place.directory, place.name(number), to: parent)
            return .refused(Refusal(isBack ? reason : hold(number, in: place, reason)))
        }
        if isPart, let inside = try? place.directory.open(place.name(number)),
            let names = try? inside.names()
        {
            for name in names { moves.took(name, from: entry.path.parent, to: inside, as: name) }
        }
        if !place.keeps { _ = try? TreeRemoval.remove(place.name(number), in: place.directory) }
        return .evicted(occupancy, parents: (.zero, 0))
    }

    /// Looks at what was moved: another directory may have been swapped in, or a job may have used or found it, in
    /// the instant between the look and the move.
    ///
    /// Then it goes back, and the reason is returned.
    private func secondLook(
        at entry: ScannedEntry, _ number: Int, in place: Place, putBackTo parent: OpenDirectory
    ) -> String? {
        let reason: String
        if entry.pool == .maven || entry.pool.isOwn,
            let hold = CacheLayouts.holdingBuild(of: entry, below: folder.root)
        {
            reason = hold.reason
        } else if let moved = try? place.directory.open(place.name(number)) {
            guard
                case .changed(let change) = PreEvictionCheck.look(
                    at: entry, in: moved, quietSince: quietSince, now: clock(), isMoved: true)
            else {
                return nil
            }
            reason = change.text
        } else {
            reason = "its directory was swapped for something else"
        }
        let failure = EntryReturn.move(
            place.name(number), in: place.directory, to: entry.path.name.cString, in: parent)
        return failure == nil ? reason : hold(number, in: place, reason)
    }

    /// Keeps from every purge what changed as it was moved and cannot go back: it may be what nobody can fetch again.
    private func hold(_ number: Int, in place: Place, _ reason: String) -> String {
        guard !place.keeps else {
            TrashJournal.hold(number, in: place.directory)
            return "\(reason); it waits in the trash, where no prune purges it, as its place is taken"
        }
        // There was no space for a run's folder: under this name nothing in the trash is unlinked.
        let name = "held-\(place.run)-\(number)"
        _ = larder_rename_noreplace(
            place.directory.descriptor, place.name(number), place.directory.descriptor,
            Array(name.utf8).cString)
        return
            "\(reason); as its place is taken, it waits as .larder/trash/\(name) until somebody takes it from there"
    }

    /// Removes the directories above an entry that became empty, and says what they occupied.
    ///
    /// Only as far as they exist for the entry's name alone: a Maven artifact's and its group's, a Gradle
    /// module's and its group's, a wrapper distribution's.
    private func removeEmptyParents(of entry: ScannedEntry) -> (bytes: ByteCount, count: Int64) {
        var levels = CacheLayouts.parentsToRemove(of: entry)
        var freed = ByteCount.zero
        var count: Int64 = 0
        var path = entry.path.parent
        while levels > 0, !path.bytes.isEmpty, let above = try? folder.root.open(path.parent),
            let stat = try? above.stat(path.name.cString),
            unlinkat(above.descriptor, path.name.cString, AT_REMOVEDIR) == 0
        {
            freed = freed + ByteCount(stat.blocks * 512)
            count += 1
            levels -= 1
            path = path.parent
        }
        return (freed, count)
    }
}
