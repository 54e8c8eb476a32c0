import CacheIndex
import CacheModel
import Reporting

extension Services {
    /// The runs in the trash with their entries.
    ///
    /// - Throws: `Failure`, `MaintenanceError`.
    package func trashedRuns() throws -> TrashReport {
        var report = TrashReport(runs: [])
        // What is in the trash can be told without an index.
        let known = (try? figures(index(readOnly: true))) ?? []
        for (volume, trash) in try trashes() {
            let figures = known.first { $0.volume.name == volume.name }?.figures
            let critical = figures.flatMap { figures in
                TrashRetention.criticalLevel(
                    exceededBy: figures.usedBytes, trash: figures.trashBytes, of: volume,
                    under: volume.quota(capacity: figures.capacity), on: figures.capacity)
            }
            report.runs += try trash.runs().map { TrashReport.Run($0, on: volume, critical: critical) }
        }
        return report
    }

    /// Brings back the entries of a run, or those with that key or pattern; nothing is overwritten.
    ///
    /// The closing scan's result tells of itself by notices.
    ///
    /// - Parameters:
    ///   - name: the run, or how its name begins where no other begins so; without a key also a key or pattern of what the
    ///     newest run that has it shall give back.
    ///   - key: the key or pattern; nil for all entries.
    /// - Throws: `Failure`, `MaintenanceError`; what was brought back stays where the closing scan fails.
    package func restore(run name: String, key: String?) throws -> ServiceResult<RestoreReport> {
        let found = try trashes().flatMap { volume, trash in
            try trash.runs().map { Found(volume: volume, trash: trash, run: $0) }
        }
        let named = try found.first { $0.run.id == name } ?? Self.only(of: found, beginningWith: name)
        let holding = named == nil && key == nil ? Self.newest(of: found, holding: name) : nil
        if let place = named ?? holding {
            let (volume, trash, run) = (place.volume, place.trash, place.run.id)
            let key = holding == nil ? key : name
            let locked = try lock(volume)
            let (restored, refused) = try trash.restore(run: run, key: key)
            let report = RestoreReport(
                run: run, volume: volume.name,
                restored: restored.map { .init(key: $0.key, bytes: $0.bytes) },
                refused: refused.map { .init(key: $0.0.key, bytes: $0.0.bytes, reason: $0.1) })
            var code: Failure.Code? = refused.isEmpty ? nil : .inPart
            do {
                let index = try index()
                if key == nil, let purge = try index.purge(ofRun: run) {
                    warn(["the rest of run \(run) cannot be brought back: it was \(purge.text)"])
                }
                if try !survey(locked, index).scan.complete { code = .inPart }
                if !restored.isEmpty { try warnIfOver(volume, index) }
            } catch {
                let failure = Failure(error)
                warn(["volume \(volume.name): \(failure.sentence)"])
                code = failure.code
            }
            return ServiceResult(report, code)
        }
        throw MaintenanceError.trash(
            reason: (try? whatTookAway(name)) ?? nil
                ?? "the trash has no run \(name)\(key == nil ? ", and no entry of that key" : "")",
            hint: Self.near(name, found.map(\.run)) ?? Self.longer(name, found)
                ?? "'larder trash list' shows what is there")
    }

    /// What took a run, or the entry of that key, out of the trash; nil where nothing is known of it.
    private func whatTookAway(_ name: String) throws -> String? {
        let index = try index(readOnly: true)
        if let purge = try index.purge(ofRun: name) {
            return "run \(name) is not in the trash any more: it was \(purge.text)"
        }
        guard let ghost = try index.ghosts(matching: name).first else { return nil }
        switch ghost.reason {
        case .vanished:
            return "\(name) was never in the trash: it was gone when a scan looked, at \(ghost.goneAt)"
        case .evicted(let run), .quarantined(let run):
            guard let purge = ghost.purge else { return nil }
            return "\(name) is not in the trash any more: run \(run) put it there, and it was \(purge.text)"
        }
    }

    /// The commands for entries in the trash whose keys hold a text; nil where none does.
    private static func near(_ text: String, _ runs: [Trash.Run]) -> String? {
        let keys = Set(runs.flatMap { $0.entries.lazy.map(\.key).filter { $0.contains(text) } }).sorted()
        guard !keys.isEmpty, !text.isEmpty else { return nil }
        return "larder trash restore "
            + keys.prefix(5).map(ShellWord.typed).joined(separator: ", or larder trash restore ")
    }

    /// A run in a trash.
    private struct Found {
        var volume: Volume
        var trash: Trash
        var run: Trash.Run

        func holds(_ isIt: (String) -> Bool) -> Bool { run.entries.contains { isIt($0.key) } }

        /// The larger, the newer.
        var age: (Int64, String) { (run.createdAt?.nanoseconds ?? .min, run.id) }
    }

    /// Fewer bytes of a run's name are a year or a month, which a typing mistake is as well.
    private static let shortestName = 8

    /// That more of a run's name is needed; nil where none begins so.
    private static func longer(_ name: String, _ found: [Found]) -> String? {
        guard name.utf8.count < shortestName, !name.isEmpty,
            let run = found.first(where: { $0.run.id.hasPrefix(name) })?.run.id
        else { return nil }
        return "of a run's name at least \(shortestName) characters are needed, such as \(run.prefix(15))"
    }

    /// The only run whose ID begins so; nil where none does.
    private static func only(of found: [Found], beginningWith name: String) throws -> Found? {
        guard name.utf8.count >= shortestName else { return nil }
        let alike = found.filter { $0.run.id.hasPrefix(name) }
        guard alike.count > 1 else { return alike.first }
        throw MaintenanceError.trash(
            reason: "\(alike.count) runs in the trash begin with \(name)",
            hint: "write more of it: \(alike.map(\.run.id).sorted().suffix(5).joined(separator: ", "))")
    }

    /// The newest run that holds an entry of that key, or one that the pattern matches.
    private static func newest(of found: [Found], holding key: String) -> Found? {
        let exact = found.filter { $0.holds { $0 == key } }
        let all = exact.isEmpty ? found.filter { $0.holds(KeyPattern(key).matches) } : exact
        return all.max { $0.age < $1.age }
    }

    /// Says where a volume is above its high watermark by what was brought back.
    private func warnIfOver(_ volume: Volume, _ index: CacheIndex) throws {
        guard let usage = try index.usage(of: volume.name) else { return }
        let quota = volume.quota(capacity: usage.capacity)
        guard usage.usedBytes > quota.high else { return }
        // At its time: what is younger than the idle floor now need not be then.
        let now = try nextPrune(of: volume, index, now: clock()) ?? clock()
        let plan = foretold(
            policy(for: volume, capacity: usage.capacity).plan(usage, under: quota, now: now), of: volume,
            usage)
        let count = plan.evict.count
        let gone = plan.purgedBytes + plan.purgedEarlierBytes
        warn([
            "volume \(volume.name) uses \(usage.usedBytes) now, above its high watermark of \(quota.high): the next prune "
                + "evicts \(count) \(count == 1 ? "other" : "others") of \(plan.freedBytes), as what was brought back counts "
                + "as used"
                + (gone > .zero
                    ? ", and purges \(gone) for good, as the volume is above its critical level" : "")
                + "; a larger limit, or less brought back, spares them"
        ])
    }

    /// Empties the trash of all volumes for good.
    ///
    /// - Throws: `Failure`, `MaintenanceError`, `IndexError`.
    package func purgeTrash() throws -> ServiceResult<PurgeReport> {
        var report = PurgeReport(volumes: [])
        let index = try index()
        for (volume, trash) in try trashes() {
            let locked = try lock(volume)
            defer { withExtendedLifetime(locked) {} }
            var left = try trash.runs()
            let result = trash.purge(&left, takesHeld: true)
            try index.recordPurge(of: volume.name, trashLeft: left.reduce(.zero) { $0 + $1.bytes })
            try index.record(
                TrashPurge(at: clock(), by: nil, cause: .asked), ofRuns: result.runs, on: volume.name)
            try index.recordTrash(of: volume.name, holding: left.map(\.stock))
            report.volumes.append(
                PurgeReport.Volume(
                    name: volume.name, purgedBytes: result.bytes, failures: result.failures))
        }
        return ServiceResult(report, report.volumes.allSatisfy(\.failures.isEmpty) ? nil : .inPart)
    }

    /// The trashes of the mounted build caches; images have none.
    private func trashes() throws -> [(volume: Volume, trash: Trash)] {
        try presentVolumes().present.filter { $0.kind == .buildCache && !$0.isReadOnly }.map { volume in
            (volume, try Trash(opening: volume))
        }
    }
}

extension TrashReport.Run {
    fileprivate init(_ run: Trash.Run, on volume: Volume, critical: ByteCount?) {
        self.init(
            id: run.id, volume: volume.name, createdAt: run.createdAt,
            keptUntil: run.keptUntil(volume.trashRetention),
            entries: run.entries.map {
                .init(key: $0.key, bytes: $0.bytes, reason: $0.isHeld ? TrashJournal.heldText : nil)
            })
        self.critical = critical
        unpurged = run.unpurged.map { .init(key: $0.key, bytes: $0.bytes, reason: $0.reason) }
    }
}
