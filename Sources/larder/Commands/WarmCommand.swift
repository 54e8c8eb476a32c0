import ArgumentParser
import CacheIndex
import CacheModel
import Eviction
import Foundation
import Maintenance
import PodmanClient
import Reporting

/// Pulls the images that jobs will need, before they need them.
struct WarmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warm", abstract: "Pull images before the jobs need them.",
        discussion: """
            Makes ready the images that are named, those that the configuration lists (warm.images), and with \
            --top the ones that jobs used most. Images come through podman.sock, as many at once as the \
            configuration says, and only while there is room below the low watermark. What was warmed is not \
            evicted for a day or until its first use.

            Ends with 4 where some images are not ready, and with 1 where none is.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup var textfile: TextfileOptions
    @Argument(help: "Images to make ready, such as docker.io/library/redis:7.") var images: [String] = []
    @Option(help: ArgumentHelp("Also the N images that jobs used most in 30 days.", valueName: "N")) var top:
        Int?
    @Flag(help: "Show what would be pulled and why, and pull nothing.") var dryRun = false
    @Flag(help: "Evict what was not used for longest where there is no room.") var makeRoom = false
    @Option(help: ArgumentHelp("The image store, where there are several.", valueName: "name")) var volume:
        String?

    /// How long a warmed image is protected, unless it is used before.
    static let protection: Span = .hours(24)

    func validate() throws {
        if let top, !(1...1000).contains(top) { throw ValidationError("--top takes a number from 1 to 1000") }
    }

    func run() async throws {
        try await Application.run(global, output) {
            try await $0.tellingMetrics(textfile) { try await run($0) }
        }
    }

    func run(_ application: Application) async throws -> Failure.Code? {
        let named = try references()
        let volume = try store(application)
        guard let podman = try application.podman(for: volume) else {
            throw Failure.usage("volume \(volume.name) is no image store")
        }
        let auth = try authFile(application)
        let index = try application.index()
        let locked = try LockedVolume(volume, now: application.clock())
        let startedAt = application.clock()
        _ = try application.survey(locked, index)
        guard let usage = try index.usage(of: volume.name) else {
            throw MaintenanceError.unusablePlan(reason: "volume \(volume.name) was not recorded")
        }
        let quota = volume.quota(capacity: usage.capacity.total)
        let log = WarmLog()
        let warmer = ImageWarmer(
            locked, podman: podman, limits: application.configuration.warm.limits, quota: quota, auth: auth,
            progress: log.show)
        var requests = try list(named, volume, index, application)
        for place in requests.indices {
            requests[place].expected = try index.lastSize(of: requests[place].reference.name, on: volume.name)
        }
        let plan = makeRoom ? try roomPlan(requests, warmer, usage, quota, volume, application) : nil
        let run = Trash.newRunID(now: startedAt)
        var report = WarmReport(run: run, volume: volume.name, dryRun: dryRun, images: [])
        if dryRun {
            report.images = try preview(requests, warmer)
            report.evicted = plan.map { PruneReport.Volume(dryRunOf: $0).outcome.evicted } ?? []
            report.history = try index.warmHistory(of: volume.name)
            try application.say(report)
            return nil
        }
        // A socket that nobody serves is one failure, not one for each image.
        if !requests.isEmpty { _ = try await podman.ping() }
        if let plan, !plan.evict.isEmpty {
            let result = try await application.pruner(index).prune(
                locked, plan, refused: [], scan: usage.scan, run: Trash.newRunID(now: application.clock()),
                podman: podman, purge: false)
            report.evicted = result.outcome.evicted
            application.warn(result.failures)
        }
        report.images = try await warmer.warm(requests)
        let code = Self.code(report.images)
        let survey = try application.survey(locked, index)
        let finishedAt = application.clock()
        try index.recordWarm(
            report.images, of: volume.name,
            run: RunRecord(
                id: run, kind: "warm", startedAt: startedAt, finishedAt: finishedAt,
                exitCode: code?.rawValue ?? 0),
            scan: survey.recorded.number, protectedUntil: finishedAt + Self.protection)
        report.history = try index.warmHistory(of: volume.name)
        try application.say(report)
        return code
    }

    /// The contract's code for what became of the images.
    static func code(_ images: [WarmedImage]) -> Failure.Code? {
        let ready = images.count(where: \.isReady)
        return ready == images.count ? nil : ready == 0 ? .failed : .inPart
    }

    private func references() throws -> [ImageReference] {
        do { return try images.map { try ImageReference($0) } } catch { throw Failure.usage("\(error)") }
    }

    private func authFile(_ application: Application) throws -> AuthFile? {
        guard let path = application.configuration.warm.authFile else { return nil }
        do {
            let file = try AuthFile(contentsOf: path)
            application.warn([file.warning].compactMap { $0 })
            return file
        } catch {
            throw Failure(code: .configuration, message: "\(error)", hint: error.hint)
        }
    }
}
