import CacheModel
import CacheServices
import FileAccess
import Foundation
import Reporting

/// Carries out the daemon's activities by the use cases, and puts what became of them into a line for the log.
package struct ActivityRunner: Sendable {
    private let services: Services
    private let progress: ActivityProgress

    /// Makes a runner that works by those services, and tells `progress` how far it is.
    package init(services: Services, progress: ActivityProgress) {
        self.services = services
        self.progress = progress
    }

    /// Does an activity; whatever goes wrong becomes its outcome.
    ///
    /// - Parameter seen: what was at the volume's path a moment ago; nothing else is worked on.
    package func perform(_ key: ActivityKey, seen: RootPresence?) async -> ActivityOutcome {
        var services = services
        services.seen = seen
        let volume = services.configuration.volumes.first { $0.name == key.volume }
        if let volume { services.configuration.volumes = [volume] }
        services.progress = { [progress] doing, _ in progress.display(key, doing: doing) }
        defer { progress.end(key) }
        let runner = Self(services: services, progress: progress)
        do {
            switch key.activity {
            case .scan: return try runner.scan(volume)
            case .prune: return try await runner.prune()
            case .warm: return try await runner.warm()
            case .verify: return try runner.verify()
            case .report: return try runner.report()
            }
        } catch {
            if Task.isCancelled { return ActivityOutcome(.stopped, "given up before it changed anything") }
            let failure = Failure(error)
            return ActivityOutcome(failure.isTransient ? .held : .failed, failure.sentence)
        }
    }

    /// Tells people's webhooks what an activity has to tell, once it has ended: the volume is free by then.
    package func tell(_ notices: Notices) async { await services.tell(notices) }

    private func scan(_ volume: Volume?) throws -> ActivityOutcome {
        if let volume { try services.checkClock(for: volume) }
        let result = try services.scan()
        let code = result.code
        guard let scan = result.report.volumes.first else {
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

    private func prune() async throws -> ActivityOutcome {
        let pruned = try await services.prune(PruneOptions())
        let (report, code) = (pruned.report, pruned.code)
        guard let outcome = report.volumes.first?.outcome else {
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
            ], notices: Notices(of: report))
    }

    private func warm() async throws -> ActivityOutcome {
        let warmed = try await WarmUp(services, of: services.imageStore(named: nil)).run()
        let (images, code) = (warmed.report.images, warmed.code)
        let ready = images.count(where: \.isReady)
        let pulled = images.count { $0.result == .pulled || $0.result == .updated }
        return ActivityOutcome(
            code == nil ? .done : ready > 0 ? .inPart : .failed,
            "\(ready) of \(images.count) images ready, \(pulled) pulled",
            figures: [
                "images": Int64(images.count), "ready": Int64(ready), "pulled": Int64(pulled),
            ])
    }

    private func verify() throws -> ActivityOutcome {
        let verified = try services.verify(VerifyOptions())
        let code = verified.code
        guard let volume = verified.report.volumes.first else {
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
            ], notices: Notices(of: verified.report))
    }

    private func report() throws -> ActivityOutcome {
        let report = try services.capacityReport()
        let place = services.configuration.stateDirectory
        for (format, text) in [("html", report.html()), ("json", try report.json())] {
            let file = "\(place)/report.\(format)"
            do { try replaceFile(at: file, with: text) } catch {
                throw Failure(
                    code: .failed,
                    message: "the report cannot be written to \(file): \(error)",
                    hint: "free space in the state directory, and let Larder write to it")
            }
        }
        return ActivityOutcome(
            .done, "written to \(place)/report.html and report.json",
            notices: Notices(of: report, within: services.configuration.notifications.fillsWithin))
    }
}
