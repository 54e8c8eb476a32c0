import ArgumentParser
import CacheIndex
import CacheModel
import CacheServices
import Foundation
import PodmanClient
import Reporting

/// Evicts by LRU down to the quota.
struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Evict the least recently used entries down to the quota.",
        discussion: """
            Scans first, then removes what is above the high watermark until the low one is reached: build \
            entries move into the volume's trash, from where 'larder trash restore' brings them back; images go \
            through podman.sock. What a job used meanwhile, installed itself or is fetching stays.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup var textfile: TextfileOptions
    @Flag(help: "Show what would go, and touch nothing.") var dryRun = false
    @Option(help: ArgumentHelp("Carry out a plan that 'larder plan --output' wrote.", valueName: "file"))
    var plan: String?
    @Option(help: ArgumentHelp("Only this volume.", valueName: "name")) var volume: String?
    @Option(help: ArgumentHelp("Go down to this size instead of the low watermark.", valueName: "size"))
    var to: ByteCount?
    @OptionGroup var chosen: SelectionOptions
    @Option(
        help: ArgumentHelp(
            "Keep what was used or fetched more recently; 0s keeps nothing for that.", valueName: "time"))
    var idleFloor: String?
    @Flag(help: "Empty the trash at once: nothing can be brought back.") var purge = false
    @Flag(help: "Evict more than one run normally may.") var forceLimit = false
    @Flag(help: "Evict nothing; reclaim what killed pulls and dead pods left in image stores.")
    var orphans = false

    func validate() throws {
        if plan != nil, to != nil || !chosen.keys.isEmpty {
            throw ValidationError("--to and --key have no effect on a --plan, which has its own goal")
        }
        if to != nil, !chosen.keys.isEmpty {
            throw ValidationError("--to names a size and --key entries: give one of them")
        }
        if orphans, plan != nil || to != nil || idleFloor != nil || purge || forceLimit {
            throw ValidationError("--orphans goes with --dry-run and --volume only")
        }
    }

    func run() async throws {
        try await Application.run(global, output, idleFloor: idleFloor) {
            try await $0.tellingMetrics(textfile) { try await run($0) }
        }
    }

    func run(_ application: Application) async throws -> Failure.Code? {
        if orphans { return try await OrphanPrune(dryRun: dryRun, volume: volume).run(application) }
        let file = try plan.map { try readPlan($0, application) }
        let (volumes, skipped) = try application.presentVolumes(named: volume)
        var index = try application.indexOrMemory()
        let run = Trash.newRunID(now: application.clock())
        var report = PruneReport(run: run, dryRun: dryRun, volumes: [], skipped: skipped)
        var failures: [Failure] = []
        for volume in volumes where file?.volumes.contains(where: { $0.name == volume.name }) ?? true {
            do {
                do {
                    report.volumes.append(
                        try await prune(volume, file, index, run: run, application, &failures))
                } catch IndexError.full where !index.isInMemory {
                    // Nothing was moved yet: what comes after the moves does not throw this.
                    index = try application.memoryIndex()
                    report.volumes.append(
                        try await prune(volume, file, index, run: run, application, &failures))
                }
            } catch {
                report.skipped.append(failures.skip(volume, for: error))
            }
        }
        application.warn(index.takeLateNotices())
        if report.volumes.isEmpty, let first = failures.first { throw first }
        try application.say(report)
        if report.volumes.contains(where: \.outcome.overQuota) { return .overQuota }
        let isWhole = failures.isEmpty && report.volumes.allSatisfy(\.outcome.refused.isEmpty)
        return isWhole ? nil : .inPart
    }

    private func readPlan(_ file: String, _ application: Application) throws -> PlanDocument {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Failure(
                code: .failed, message: "the plan \(file) cannot be read",
                hint: "make one with 'larder plan --output'")
        }
        let document = try PlanDocument.read(Array(data))
        let age = application.clock() - document.createdAt
        guard age >= .seconds(-60), age <= application.configuration.planTimeToLive else {
            throw MaintenanceError.unusablePlan(
                reason:
                    "it is from \(document.createdAt), and plans hold for \(application.configuration.planTimeToLive)"
            )
        }
        return document
    }

    private func prune(
        _ volume: Volume, _ file: PlanDocument?, _ index: CacheIndex, run: String, _ application: Application,
        _ failures: inout [Failure]
    ) async throws -> PruneReport.Volume {
        let pruner = application.pruner(index, beyondLimits: forceLimit)
        try pruner.checkClock(for: volume)
        let locked = try application.lock(volume)
        _ = try application.survey(locked, index)
        guard let usage = try index.usage(of: volume.name) else {
            throw MaintenanceError.unusablePlan(reason: "volume \(volume.name) was not recorded")
        }
        let policy = application.policy(for: volume, target: to, selection: chosen.selection)
        var plan = policy.plan(
            usage, under: volume.quota(capacity: usage.capacity.total), now: application.clock())
        var refused: [EvictionOutcome.Line] = []
        if let planned = file?.volumes.first(where: { $0.name == volume.name }) {
            (plan, refused) = planned.matched(with: usage, under: policy, now: application.clock())
        }
        if dryRun { return PruneReport.Volume(dryRunOf: plan) }
        let line = ProgressLine("\(volume.name): pruning")
        defer { line.end() }
        let result = try await pruner.prune(
            locked, plan, refused: refused, scan: usage.scan, run: run,
            podman: try application.podman(for: volume), purge: purge
        ) { done, all in line.update("\(done) of \(all) entries") }
        line.end()
        for failure in result.failures {
            failures.append(Failure(code: .inPart, message: "volume \(volume.name): \(failure)"))
            application.warn(["volume \(volume.name): \(failure)"])
        }
        return PruneReport.Volume(outcome: result.outcome, plan: plan)
    }
}

extension Application {
    /// What carries out plans, within the limits of one run unless those are lifted.
    func pruner(_ index: CacheIndex, beyondLimits: Bool = false) -> Pruner {
        let limits = Pruner.Limits(
            bytesShare: configuration.limits.bytesShare, entries: configuration.limits.entries)
        return Pruner(
            index: index, limits: beyondLimits ? nil : limits, idleFloor: configuration.idleFloor,
            clock: clock)
    }

    /// The index, or one in memory where the state directory is full: a full disk is when a prune is needed most.
    func indexOrMemory() throws -> CacheIndex {
        do { return try index() } catch IndexError.full { return try memoryIndex() }
    }

    /// An index in memory, with its warning.
    func memoryIndex() throws -> CacheIndex {
        let index = try CacheIndex.inMemory(insteadOf: configuration.stateDirectory)
        warn(index.notices)
        return index
    }

    /// The client for the socket that serves an image store; nil for other volumes.
    func podman(for volume: Volume) throws -> PodmanClient? {
        guard volume.kind == .imageStore, let socket = configuration.sockets[volume.name] else { return nil }
        return try PodmanClient(socket: socket, deadline: configuration.podmanDeadline)
    }
}
