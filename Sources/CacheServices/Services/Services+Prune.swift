import CLinux
import CacheIndex
import CacheModel
import Caches
import FileAccess
import Foundation
import PodmanClient
import Reporting

/// What a prune shall reach, where that is not the quota.
package struct PruneGoal: Sendable {
    /// The size that used bytes shall not exceed afterwards; nil for the low watermark.
    package var target: ByteCount?
    /// The entries to take, whatever the quota says; nil for those used least recently.
    package var selection: EntrySelection?
    /// What was typed besides that a prune to this goal needs, word by word: `--idle-floor 0s`.
    package var options: [String]

    /// Makes a goal; the quota's without any argument.
    package init(target: ByteCount? = nil, selection: EntrySelection? = nil, options: [String] = []) {
        self.target = target
        self.selection = selection
        self.options = options
    }
}

extension PruneGoal {
    /// The command that prunes to this goal, as it is typed.
    fileprivate func command(of volume: String?) -> String {
        var words = ["larder prune"]
        if let volume { words.append("--volume \(volume)") }
        if let target { words.append("--to \(target.bytes == 0 ? "0" : target.quantity)") }
        for key in selection?.keys ?? [] { words.append("--key \(ShellWord.quoted(key))") }
        if let pool = selection?.pool { words.append("--pool \(pool.rawValue)") }
        words += options.map(ShellWord.typed)
        return words.joined(separator: " ")
    }
}

/// How a prune is done.
package struct PruneOptions: Sendable {
    /// Whether only to tell what would be done.
    package var dryRun = false
    /// A plan that was written by `plan`, to be carried out in place of a new one.
    package var planFile: String?
    /// The only volume; nil for all.
    package var volume: String?
    /// What to reach.
    package var goal = PruneGoal()
    /// Whether to empty the trash at once.
    package var purge = false
    /// Whether to evict more than one run normally may.
    package var beyondLimits = false
    /// Whether to prune a volume that cannot be locked.
    package var unlocked = false

    /// A prune of all volumes down to their quotas.
    package init() {}
}

extension Services {
    /// What a prune would remove now, in order, and why; from the index alone.
    ///
    /// - Throws: `IndexError`; `Failure` where no volume was ever scanned.
    package func plan(_ goal: PruneGoal = PruneGoal()) throws -> ServiceResult<PlanReport> {
        try plan(goal, try index(readOnly: true), now: clock())
    }

    /// The same from an index that is open: what the command and the web interface show.
    ///
    /// - Throws: `IndexError`; `Failure` where no volume was ever scanned.
    package func plan(
        _ goal: PruneGoal, _ index: CacheIndex, now: Timestamp
    ) throws -> ServiceResult<PlanReport> {
        let known = try usages(index)
        try checkTarget(goal, of: known.map(\.volume.name))
        try checkPool(goal.selection?.pool, index)
        let plans = try known.map { volume, usage in
            let policy = policy(
                for: volume, capacity: usage.capacity, target: goal.target, selection: goal.selection)
            let quota = volume.quota(capacity: usage.capacity)
            var plan = foretold(policy.plan(usage, under: quota, now: now), of: volume, usage)
            if goal.target == nil, goal.selection == nil,
                let later = try coming(of: volume, usage, by: policy, index, now: now),
                later.entries != plan.evict.count
            {
                plan.coming = later
            }
            return plan
        }
        var report = PlanReport(id: Trash.newRunID(now: now), createdAt: now, plans: plans)
        report.unknownKeys = try unknownKeys(of: goal, in: known.map(\.usage), index)
        report.command = goal.command(of: plans.count == 1 ? plans.first?.volume : nil)
        return ServiceResult(report, plans.allSatisfy(\.reachesGoal) ? nil : .overQuota)
    }

    /// A plan with what becomes of it: what waits for later runs, and what the trash would not keep.
    func foretold(
        _ plan: EvictionPlan, of volume: Volume, _ usage: VolumeUsage, beyondLimits: Bool = false
    ) -> EvictionPlan {
        var plan = plan
        plan.later = RunAllowance.later(plan, beyondLimits ? nil : runLimits)
        plan.isCritical =
            TrashRetention.criticalLevel(
                exceededBy: plan.usedBytes, trash: plan.trashBytes, of: volume, under: plan.quota,
                on: usage.capacity) != nil
        (plan.purgedEarlierBytes, plan.purgedBytes) = TrashRetention.purged(plan, of: volume, usage.capacity)
        return plan
    }

    /// The keys of a goal that no entry has: a typing mistake must not look like a protection.
    private func unknownKeys(
        of goal: PruneGoal, in usages: [VolumeUsage], _ index: CacheIndex
    ) throws -> [UnknownKey] {
        guard let selection = goal.selection else { return [] }
        return try selection.keys.filter { key in
            let one = EntrySelection(keys: [key], pool: selection.pool)
            return !usages.contains { $0.entries.contains { one.covers($0) } }
        }.map { UnknownKey(key: $0, nearest: try index.names(near: $0, count: 5)) }
    }

    /// Scans, then evicts down to the goal.
    ///
    /// - Throws: `Failure` and the errors of the parts below where nothing could be done on any volume.
    package func prune(_ options: PruneOptions) async throws -> ServiceResult<PruneReport> {
        let file = try options.planFile.map(readPlan)
        let (volumes, skipped) = try presentVolumes(named: options.volume)
        try checkTarget(options.goal, of: volumes.map(\.name))
        var index = try indexOrMemory()
        try checkPool(options.goal.selection?.pool, index)
        let run = Trash.newRunID(now: clock())
        var report = PruneReport(run: run, dryRun: options.dryRun, volumes: [], skipped: skipped)
        var failures: [Failure] = []
        for volume in volumes where file?.volumes.contains(where: { $0.name == volume.name }) ?? true {
            do {
                do {
                    report.volumes.append(try await prune(volume, file, index, run: run, options, &failures))
                } catch IndexError.full where !index.isInMemory {
                    // Nothing was moved yet: what comes after the moves does not throw this.
                    index = try memoryIndex()
                    report.volumes.append(try await prune(volume, file, index, run: run, options, &failures))
                }
            } catch {
                report.skipped.append(failures.skip(volume, for: error))
            }
        }
        warn(index.takeLateNotices())
        if options.goal.selection != nil, report.volumes.allSatisfy(\.outcome.evicted.isEmpty) {
            let known = try report.volumes.compactMap { try index.usage(of: $0.outcome.volume) }
            report.unknownKeys = try unknownKeys(of: options.goal, in: known, index)
        }
        if report.volumes.isEmpty, let first = failures.first { throw first }
        let isWhole = failures.isEmpty && report.volumes.allSatisfy(\.outcome.refused.isEmpty)
        let isOver = report.volumes.contains(where: \.outcome.overQuota)
        return ServiceResult(report, isOver ? .overQuota : isWhole ? nil : .inPart)
    }

    private func prune(
        _ volume: Volume, _ file: PlanDocument?, _ index: CacheIndex, run: String, _ options: PruneOptions,
        _ failures: inout [Failure]
    ) async throws -> PruneReport.Volume {
        try checkPlace(of: volume)
        let pruner = pruner(index, beyondLimits: options.beyondLimits)
        try pruner.checkClock(for: volume)
        let locked = try lock(volume)
        try checkClock(of: locked)
        if !options.dryRun, !options.unlocked { try locked.requireLock() }
        let (planned, refused, scan) = try await planned(locked, file, index, options, &failures)
        if options.dryRun { return PruneReport.Volume(dryRunOf: planned) }
        let told = planned.withoutEvictions
        // The entries of which none goes are not needed any more.
        _ = larder_give_back_memory()
        try checkWritable(volume)
        let display = progress("pruning", volume.name)
        defer { display.end() }
        let result = try await pruner.prune(
            locked, consume planned, refused: refused, scan: scan, run: run, podman: try podman(for: volume),
            purge: options.purge
        ) { done, all in display.update("\(done) of \(all) entries") }
        display.end()
        note(result.failures, of: volume, &failures)
        warn(result.notices)
        var report = PruneReport.Volume(outcome: result.outcome, plan: told)
        report.retention = volume.kind == .buildCache ? volume.trashRetention : nil
        return report
    }

    /// Scans a volume, and plans what is to go from it.
    ///
    /// - Returns: The plan, what of a plan file it refuses, and the scan that it rests on.
    private func planned(
        _ locked: LockedVolume, _ file: PlanDocument?, _ index: CacheIndex, _ options: PruneOptions,
        _ failures: inout [Failure]
    ) async throws -> (plan: EvictionPlan, refused: [EvictionOutcome.Line], scan: ScanRecord) {
        let volume = locked.volume
        var usage = try surveyed(locked, index)
        let policy = policy(
            for: volume, capacity: usage.capacity, target: options.goal.target,
            selection: options.goal.selection)
        var plan = policy.plan(usage, under: volume.quota(capacity: usage.capacity), now: clock())
        if volume.kind == .imageStore, !plan.evict.isEmpty || file != nil,
            let podman = try podman(for: volume)
        {
            do {
                try await checkStore(of: volume, podman)
                try await protectMountedImages(in: &usage, of: podman)
            } catch  where options.dryRun {
                // A plan needs no Podman; that it would be refused is worth a word.
                note(["a prune would be refused: \(error)"], of: volume, &failures)
            }
            plan = policy.plan(usage, under: volume.quota(capacity: usage.capacity), now: clock())
        }
        var refused: [EvictionOutcome.Line] = []
        if let planned = file?.volumes.first(where: { $0.name == volume.name }) {
            (plan, refused) = planned.matched(with: usage, under: policy, now: clock())
        }
        if options.dryRun { plan = foretold(plan, of: volume, usage, beyondLimits: options.beyondLimits) }
        return (plan, refused, usage.scan)
    }

    /// Refuses to prune a volume that lies in another one, or has one in it: what is mounted may have changed since the
    /// configuration was read.
    ///
    /// - Throws: `Failure`.
    private func checkPlace(of volume: Volume) throws {
        guard let conflict = volume.conflict else { return }
        throw Failure(
            code: .configuration, message: "volume \(volume.name): \(conflict)",
            hint: "name directories apart from each other, whatever links and mounts lead to them")
    }

    /// Protects the images that containers mount: the store's records do not tell of them, Podman does.
    ///
    /// - Throws: `Failure` where Podman is there and does not tell: one of them might go. Where nobody answers, nothing
    ///   is removed anyway.
    func protectMountedImages(in usage: inout VolumeUsage, of podman: PodmanClient) async throws {
        let mounted: Set<String>
        do { mounted = try await podman.mountedImages() } catch let error as PodmanError {
            if error.isNobodyThere { return }
            throw Failure(
                code: .inPart, message: "which images containers mount cannot be told: \(error)",
                hint: "remove the container that Podman cannot show, and prune again")
        }
        guard !mounted.isEmpty else { return }
        let uses = ImageUses(usage.entries.map(\.found))
        for name in mounted {
            guard let place = uses.place(of: name) else { continue }
            usage.entries[place].found.protections.insert(Protections(.inUse))
        }
    }

    /// Makes sure that the Podman which is asked to change a store has that store, and by the records that were read.
    ///
    /// Another Podman's images may have the same names and even the same IDs.
    ///
    /// - Throws: `Failure` where it has another store or driver, or does not tell. Where nobody answers, nothing is
    ///   changed anyway.
    func checkStore(of volume: Volume, _ podman: PodmanClient) async throws {
        let info: PodmanInfo
        do { info = try await podman.info() } catch let error as PodmanError {
            if error.isNobodyThere { return }
            throw Failure(
                code: .failed,
                message: "volume \(volume.name): which store Podman has cannot be told: \(error)",
                hint: "'larder doctor' looks at the socket; see the sidecar's log")
        }
        guard OpenDirectory.isSame(info.root, volume.path) else {
            throw Failure(
                code: .failed,
                message:
                    "volume \(volume.name): the socket's Podman has another store: its root is \(info.root), and the "
                    + "volume is \(volume.path); nothing was changed",
                hint: "mount the store at the same path in both, or correct the volume's path or its socket")
        }
        guard let drivers = try? ImageStoreReader(of: volume).drivers(), info.driver != drivers.used.name
        else { return }
        throw Failure(
            code: .failed,
            message:
                "volume \(volume.name): Podman uses the driver \(info.driver), and the records that were read are "
                + "those of \(drivers.used.name)",
            hint: "set driver: \(info.driver) for the volume")
    }

    /// Takes note of what failed beside single entries, and tells it.
    func note(_ found: [String], of volume: Volume, _ failures: inout [Failure]) {
        for failure in found {
            failures.append(Failure(code: .inPart, message: "volume \(volume.name): \(failure)"))
            notify("volume \(volume.name): \(failure)", .failure)
        }
    }

    private func readPlan(_ file: String) throws -> PlanDocument {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Failure(
                code: .failed, message: "the plan \(file) cannot be read",
                hint: "make one with 'larder plan --output'")
        }
        let document = try PlanDocument.read(Array(data))
        let age = clock() - document.createdAt
        guard age >= .seconds(-60), age <= configuration.planTimeToLive else {
            throw MaintenanceError.unusablePlan(
                reason:
                    "it is from \(document.createdAt), and plans hold for \(configuration.planTimeToLive)")
        }
        return document
    }
}
