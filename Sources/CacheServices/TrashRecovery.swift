import CacheIndex
import CacheModel
import FileAccess

/// Brings the index to agree with what an interrupted prune left.
///
/// A run whose journal lies in the trash and that the index does not know was killed between its first move
/// and its record. What it moved is whole in the trash, what it did not move is whole in the cache; here the
/// index learns which is which.
struct TrashRecovery {
    let index: CacheIndex
    let clock: @Sendable () -> Timestamp

    /// Makes up the second look that a killed run still owed the entry that it had moved last, before the volume is scanned:
    /// what changed as it was moved goes back, or is kept from every purge.
    func makeUpLook(_ locked: LockedVolume, _ notices: inout [String]) throws {
        guard case .success(let folder) = locked.folder, !locked.volume.isReadOnly else { return }
        let trash = Trash(folder)
        guard trash.holdsUnfinishedRun() else { return }
        for run in try trash.runs() where run.createdAt != nil && !run.hasEnded {
            guard let last = run.entries.max(by: { $0.number < $1.number }), !last.isHeld,
                try !index.knows(run: run.id),
                let directory = try? folder.trash.open(Array(run.id.utf8).cString),
                let line = try? trash.line(last.number, of: directory)
            else { continue }
            // What the index does not know cannot be compared: that is doubt as well.
            let known = try index.usage(of: locked.volume.name)?.entries
                .first { $0.found.path.description == line.path }?.found
            let since = run.createdAt ?? clock()
            if let known, !hasChanged(known, last.number, in: directory, since: since) { continue }
            var moves = OwnMoves()
            defer { moves.settleAll(below: folder.root) }
            let failure = trash.putBack(last.number, line, from: directory, &moves)
            if failure != nil { TrashJournal.hold(last.number, in: directory) }
            notices.append(
                "volume \(locked.volume.name): \(line.key) changed as prune \(run.id) moved it, which was interrupted: "
                    + (failure.map { "\($0); no prune purges it from the trash" } ?? "it is back in its place")
            )
        }
    }

    private func hasChanged(
        _ entry: ScannedEntry, _ number: Int, in directory: OpenDirectory, since: Timestamp
    ) -> Bool {
        let finding: PreEvictionCheck.Finding
        if let unit = FileUnits(entry) {
            finding = unit.lookAtMoved(in: directory, Trash.name(number), quietSince: since, now: clock())
        } else if let moved = try? directory.open(Trash.name(number)) {
            finding = PreEvictionCheck.look(
                at: entry, in: moved, quietSince: since, now: clock(), isMoved: true)
        } else {
            return true
        }
        if case .unchanged = finding { return false }
        return true
    }

    /// Records every interrupted run of the locked volume, a notice for each.
    ///
    /// - Returns: what the trash holds, which nobody else changes while the volume is locked; nil where it cannot be
    ///   opened.
    func run(_ locked: LockedVolume, _ notices: inout [String]) throws -> [Trash.Run]? {
        guard case .success(let folder) = locked.folder else { return nil }
        let trash = Trash(folder)
        let runs = try trash.runs()
        let interrupted = try runs.filter { run in
            try run.createdAt != nil && !index.knows(run: run.id)
        }
        guard !interrupted.isEmpty, let usage = try index.usage(of: locked.volume.name) else { return runs }
        // By path and not by the journal's number: that may come from an index in memory, or from a job.
        let known = Dictionary(
            usage.entries.map { ($0.found.path.description, $0.id) }, uniquingKeysWith: { first, _ in first })
        for run in interrupted {
            let evicted = try trash.lines(of: run).map { line in
                EvictionOutcome.Line(
                    entryID: known[line.path] ?? 0, pool: line.pool, key: line.key, bytes: line.bytes,
                    reason: run.hasEnded
                        ? "moved by a run that this index did not see"
                        : "moved by a run that was interrupted before it could say why")
            }
            let moved = evicted.reduce(ByteCount.zero) { $0 + $1.bytes }
            let outcome = EvictionOutcome(
                volume: locked.volume.name, evicted: evicted, trashedBytes: moved,
                usedBefore: usage.usedBytes,
                usedAfter: usage.usedBytes - moved, overQuota: false)
            // Any other word comes from a job.
            let kind = run.kind == RunRecord.verify ? RunRecord.verify : RunRecord.prune
            try index.record(
                outcome,
                run: RunRecord(
                    id: run.id, kind: kind, startedAt: run.createdAt ?? clock(), finishedAt: clock(),
                    exitCode: run.hasEnded ? 0 : 1))
            notices.append(
                run.hasEnded
                    ? "volume \(locked.volume.name): \(kind) \(run.id) is not in this index: another Larder made it, or "
                        + "it could not record it; its \(evicted.count) entries wait in the trash"
                    : "volume \(locked.volume.name): \(kind) \(run.id) was interrupted; its \(evicted.count) entries "
                        + "wait in the trash, the rest was not touched")
        }
        return runs
    }
}
