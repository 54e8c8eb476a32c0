import ArgumentParser
import CacheIndex
import CacheModel
import CacheServices
import Reporting

/// Rechecks artifacts against their checksums and images against their layers.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Recheck artifacts against their checksums, images against their layers.",
        discussion: """
            Maven and Gradle use a damaged file as it is and never check it again. This does: Maven artifacts \
            against the checksum files beside them, Gradle modules against the SHA-1 in their path, archives \
            and poms for being whole, images for layers that are missing. It scans first, then begins with what \
            was verified longest ago, so a run that is cut short is continued by the next. Reading leaves no \
            trace of use.

            Exit codes: 0 nothing damaged is left; 4 damage is left in place, or something was not readable.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions
    @Option(help: "Only this pool.") var pool: Pool?
    @Option(help: ArgumentHelp("Only this volume.", valueName: "name")) var volume: String?
    @Flag(help: "Move damaged build entries into the trash: the next build fetches them again.")
    var quarantine = false
    @Option(
        help: ArgumentHelp("Begin no further entry after this time: 10m, or none.", valueName: "time"))
    var maxDuration: String?
    @Option(help: ArgumentHelp("Read so much in a second at most: 50Mi, or none.", valueName: "size"))
    var maxRate: String?
    @Option(
        help: ArgumentHelp(
            "What was used or written more recently is left alone; 0s for nothing.", valueName: "time"))
    var idleFloor: String?
    @Flag(help: "Quarantine more than one run normally may evict.") var forceLimit = false

    func validate() throws {
        if forceLimit, !quarantine {
            throw ValidationError("--force-limit has no effect without --quarantine")
        }
    }

    func run() async throws {
        var flags = global.flags(idleFloor: idleFloor)
        (flags.verifyMaxDuration, flags.verifyMaxRate) = (maxDuration, maxRate)
        try await Application.run(flags, output) { try run($0) }
    }

    func run(_ application: Application) throws -> Failure.Code? {
        let startedAt = application.clock()
        let (volumes, skipped) = try application.presentVolumes(named: volume)
        let index = try application.index()
        let run = Trash.newRunID(now: startedAt)
        var report = VerifyReport(
            run: run, quarantine: quarantine, duration: .zero, volumes: [], skipped: skipped)
        var failures: [Failure] = []
        for volume in volumes where pool.map({ ($0 == .images) == (volume.kind == .imageStore) }) ?? true {
            do {
                report.volumes.append(try verify(volume, index, run: run, application, &failures))
            } catch {
                report.skipped.append(failures.skip(volume, for: error))
            }
        }
        application.warn(index.takeLateNotices())
        if report.volumes.isEmpty, let first = failures.first { throw first }
        report.duration = application.clock() - startedAt
        try application.say(report)
        return failures.isEmpty && report.volumes.allSatisfy(\.isClean) ? nil : .inPart
    }

    /// The volume is locked for the scan and for the moves, not while files are read: a prune need not wait.
    private func verify(
        _ volume: Volume, _ index: CacheIndex, run: String, _ application: Application,
        _ failures: inout [Failure]
    ) throws -> VerifiedVolume {
        let pruner = application.pruner(index, beyondLimits: forceLimit)
        try pruner.checkClock(for: volume)
        let usage = try scan(volume, index, application)
        let startedAt = application.clock()
        let verified = try read(volume, usage, index, application)
        guard quarantine, volume.kind == .buildCache, !verified.damaged.isEmpty else {
            try index.record(verified, usage, run: run, startedAt: startedAt, finishedAt: application.clock())
            return verified
        }
        do {
            let locked = try application.lock(volume)
            let result = try pruner.quarantine(locked, verified, usage: usage, run: run)
            for failure in result.failures {
                failures.append(Failure(code: .inPart, message: "volume \(volume.name): \(failure)"))
                application.warn(["volume \(volume.name): \(failure)"])
            }
            return result.verified
        } catch let error as MaintenanceError {
            // What was found is told all the same.
            var kept = verified
            for place in kept.damaged.indices { kept.damaged[place].refusal = "\(error): \(error.hint)" }
            return kept
        }
    }

    private func scan(
        _ volume: Volume, _ index: CacheIndex, _ application: Application
    ) throws -> VolumeUsage {
        let locked = try application.lock(volume)
        _ = try application.survey(locked, index)
        guard let usage = try index.usage(of: volume.name) else {
            throw MaintenanceError.unusablePlan(reason: "volume \(volume.name) was not recorded")
        }
        return usage
    }

    private func read(
        _ volume: Volume, _ usage: VolumeUsage, _ index: CacheIndex, _ application: Application
    ) throws -> VerifiedVolume {
        let line = ProgressLine("\(volume.name): verifying")
        defer { line.end() }
        let settings = application.configuration.verify
        let verifier = Verifier(
            index: index, pace: ReadingPace(rate: settings.maxRate, duration: settings.maxDuration),
            idleFloor: application.configuration.idleFloor, clock: application.clock
        ) { done, all in
            line.update(
                "\(done.entries) of \(all) entries, \(done.bytes) read, \(done.damaged.count) damaged")
        }
        return try verifier.verify(volume, usage, pool: pool)
    }
}

extension CacheIndex {
    /// Records a verification that moved nothing.
    fileprivate func record(
        _ verified: VerifiedVolume, _ usage: VolumeUsage, run: String, startedAt: Timestamp,
        finishedAt: Timestamp
    ) throws {
        try record(
            EvictionOutcome(
                volume: verified.name, usedBefore: usage.usedBytes, usedAfter: usage.usedBytes,
                overQuota: false),
            run: RunRecord(
                id: run, kind: RunRecord.verify, startedAt: startedAt, finishedAt: finishedAt,
                exitCode: verified.isClean ? 0 : 4), checks: RunChecks(verified))
    }
}
