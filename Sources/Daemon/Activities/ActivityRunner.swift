import CacheIndex
import CacheModel
import CacheServices
import Daemon
import Foundation
import Reporting

extension Application {
    /// One activity of the daemon; `nil` for a volume means all of them.
    typealias ActivityBody = @Sendable (Application, Volume?) async throws -> ActivityOutcome

    /// What carries out each activity: the commands, with their reports taken for the log.
    static let activities: [Activity: ActivityBody] = [
        .scan: { try await $0.scanActivity($1) },
        .prune: { application, _ in try await application.pruneActivity() },
        .warm: { application, _ in try await application.warmActivity() },
        .verify: { application, _ in try application.verifyActivity() },
        .report: { application, _ in try application.reportActivity() },
    ]

    /// Does an activity; whatever goes wrong becomes its outcome.
    ///
    /// - Parameter seen: what was at the volume's path a moment ago; nothing else is worked on.
    func perform(_ key: ActivityKey, seen: RootPresence?) async -> ActivityOutcome {
        var application = self
        application.seen = seen
        let volume = configuration.volumes.first { $0.name == key.volume }
        if let volume { application.configuration.volumes = [volume] }
        guard let body = Self.activities[key.activity] else {
            return ActivityOutcome(.failed, "this Larder cannot \(key.activity.rawValue)")
        }
        do {
            return try await body(application, volume)
        } catch {
            if Task.isCancelled { return ActivityOutcome(.stopped, "given up before it changed anything") }
            let failure = Failure(error)
            return ActivityOutcome(failure.isTransient ? .held : .failed, failure.sentence)
        }
    }

    private func scanActivity(_ volume: Volume?) async throws -> ActivityOutcome {
        let reports = ReportBox<ScanReport>()
        if let volume { try pruner(try index()).checkClock(for: volume) }
        let code = try await ScanCommand.run(taking(reports))
        guard let scan = reports.last?.volumes.first else {
            return ActivityOutcome(.failed, "nothing was scanned")
        }
        func sum(_ figure: KeyPath<ScanReport.PoolLine, Int64>) -> Int64 {
            scan.pools.reduce(0) { $0 + $1[keyPath: figure] }
        }
        let (entries, new, used, gone) = (sum(\.entries), sum(\.new), sum(\.used), sum(\.gone))
        return ActivityOutcome(
            code == nil ? .done : .inPart,
            "\(entries) entries, \(scan.bytes); \(new) new, \(used) used, \(gone) gone"
                + (scan.unreadable > 0 ? "; \(scan.unreadable) paths could not be read" : ""),
            figures: [
                "scan": scan.scan, "entries": entries, "bytes": scan.bytes.bytes, "new": new, "used": used,
                "gone": gone, "unreadable": scan.unreadable,
            ])
    }

    private func pruneActivity() async throws -> ActivityOutcome {
        let reports = ReportBox<PruneReport>()
        let code = try await PruneCommand.parse([]).run(taking(reports))
        guard let report = reports.last, let outcome = report.volumes.first?.outcome else {
            return ActivityOutcome(.failed, "nothing was pruned")
        }
        let evicted = outcome.evicted.reduce(ByteCount.zero) { $0 + $1.bytes }
        let line =
            "run \(report.run): \(outcome.evicted.count) evicted, \(evicted); \(outcome.refused.count) refused; "
            + "\(outcome.usedBefore) used before, \(outcome.usedAfter) after; \(outcome.freedBytes) freed, "
            + "\(outcome.trashedBytes) in the trash"
        let result: ActivityOutcome.Result =
            Task.isCancelled ? .stopped : code == .overQuota ? .overQuota : code == nil ? .done : .inPart
        return ActivityOutcome(
            result, line,
            figures: [
                "evicted": Int64(outcome.evicted.count), "evicted_bytes": evicted.bytes,
                "refused": Int64(outcome.refused.count), "freed_bytes": outcome.freedBytes.bytes,
                "trashed_bytes": outcome.trashedBytes.bytes, "used_bytes": outcome.usedAfter.bytes,
            ])
    }

    private func warmActivity() async throws -> ActivityOutcome {
        let reports = ReportBox<WarmReport>()
        let code = try await WarmCommand.parse([]).run(taking(reports))
        let images = reports.last?.images ?? []
        let ready = images.count(where: \.isReady)
        let pulled = images.count { $0.result == .pulled || $0.result == .updated }
        return ActivityOutcome(
            code == nil ? .done : ready > 0 ? .inPart : .failed,
            "\(ready) of \(images.count) images ready, \(pulled) pulled",
            figures: [
                "images": Int64(images.count), "ready": Int64(ready), "pulled": Int64(pulled),
            ])
    }

    private func verifyActivity() throws -> ActivityOutcome {
        let reports = ReportBox<VerifyReport>()
        let code = try VerifyCommand.parse([]).run(taking(reports))
        guard let volume = reports.last?.volumes.first else {
            return ActivityOutcome(.failed, "nothing was verified")
        }
        let unverifiable = volume.unverifiable.values.reduce(0, +)
        return ActivityOutcome(
            code == nil ? .done : .inPart,
            "\(volume.checked) files checked, \(volume.damaged.count) damaged, "
                + "\(unverifiable) without anything to check them by",
            figures: [
                "checked": volume.checked, "damaged": Int64(volume.damaged.count),
                "unverifiable": unverifiable,
            ])
    }

    private func reportActivity() throws -> ActivityOutcome {
        for format in ["html", "json"] {
            let file = "\(configuration.stateDirectory)/report.\(format)"
            _ = try ReportCommand.parse(["--format", format, "--output", file]).run(self)
        }
        let place = configuration.stateDirectory
        return ActivityOutcome(.done, "written to \(place)/report.html and report.json")
    }

    /// The application with its results put into a box instead of on standard output.
    private func taking<Result: Report>(_ box: ReportBox<Result>) -> Application {
        var application = self
        application.listener = { box.take($0) }
        return application
    }
}

/// Holds the last report of a command.
private final class ReportBox<Kept: Report>: @unchecked Sendable {
    private let lock = NSLock()
    private var report: Kept?

    var last: Kept? { lock.withLock { report } }

    func take(_ report: any Report) { lock.withLock { self.report = report as? Kept ?? self.report } }
}
