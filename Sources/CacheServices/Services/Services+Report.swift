import CacheIndex
import CacheModel
import Caches
import Reporting

/// What a capacity report covers.
package struct ReportOptions: Sendable {
    /// The accesses of this time until now count.
    package var window = Configuration.reportWindow
    /// Whether to compare the eviction by last use with other rules and with the best possible.
    package var simulates = false
    /// What jobs fetch a second, in place of the configured speed.
    package var fetchSpeed: ByteCount?
    /// Whether to measure what the image stores' files share on disk, which opens every file.
    package var measuresSharing = false
    /// Whether to look into the largest artifacts for duplicates and replaced builds, where a volume is mounted.
    package var looksIntoArtifacts = true

    /// The options of the daemon's report, and of the command's without any flag.
    package init() {}
}

extension Services {
    /// How large the volumes should be, and why.
    ///
    /// The one builder of every size that anyone is told: the command, the daemon's pages and its metrics.
    ///
    /// - Throws: `IndexError`; `Failure` where no volume was ever scanned.
    package func capacityReport(_ options: ReportOptions = ReportOptions()) throws -> CapacityReport {
        let index = try index(readOnly: true)
        let now = clock()
        if let overdue = configuration.report.review.overdue(at: now) { notify(overdue, .information) }
        return try capacityReport(options, index, of: usages(index), now: now)
    }

    /// The same of volumes that were read already.
    ///
    /// - Throws: `IndexError`.
    package func capacityReport(
        _ options: ReportOptions, _ index: CacheIndex, of known: [(volume: Volume, usage: VolumeUsage)],
        now: Timestamp
    ) throws -> CapacityReport {
        let settings = configuration.report
        var report = CapacityReport(
            generatedAt: now, window: options.window, volumes: [],
            fetchSpeed: options.fetchSpeed ?? settings.fetchSpeed)
        for (volume, usage) in known {
            report.idleWarmings += try index.idleWarmings(of: volume.name, since: now - options.window)
            guard let history = try index.history(of: volume.name) else { continue }
            let isStore = volume.kind == .imageStore
            var tax = isStore ? CapacityReport.ImageTax(usage.layers) : nil
            tax?.look(at: volume, usage)
            if options.measuresSharing { tax?.sharing = measuredSharing(of: volume) }
            let look = isStore || !options.looksIntoArtifacts ? nil : ArtifactLook(path: volume.path)
            report.volumes.append(
                CapacityReport.Volume(
                    volume, usage, history, window: options.window, terms: settings.terms(now: now),
                    simulates: options.simulates,
                    findings: look?.findings(in: usage.entries) ?? ArtifactFindings(),
                    containers: tax?.peak?.bytes ?? .zero, now: now))
            if let left = OrphanSection(volume: volume.name, orphans: try index.orphans(of: volume.name)) {
                report.orphans.append(left)
            }
            report.images = report.images ?? tax
        }
        return report
    }

    private func measuredSharing(of volume: Volume) -> StoreSharing? {
        guard volume.kind == .imageStore else { return nil }
        let sharing = StoreSharing(
            measuring: volume.path + "/"
                + ((try? ImageStoreReader(of: volume).drivers().used.name) == "overlay"
                    ? "overlay" : "vfs/dir"))
        if sharing == nil {
            notify(
                "--measure-sharing: the file system of \(volume.path) shares no extents; "
                    + "XFS with reflinks and btrfs do", .information)
        }
        return sharing
    }
}

extension CapacityReport.ImageTax {
    /// Adds what the event logs tell of containers.
    fileprivate mutating func look(at volume: Volume, _ usage: VolumeUsage) {
        let images = usage.entries.filter { $0.found.image != nil }
        containers = images.reduce(0) { $0 + ($1.found.image?.containers ?? 0) }
        var sizes: [String: ByteCount] = [:]
        for image in images {
            // A container's copy is the top layer's tree; events name the image by a reference or its ID.
            let top = image.found.image?.layers.first
            let size = usage.layers.first { $0.id == top }?.storedBytes ?? .zero
            for name in [image.found.image?.id ?? image.key] + (image.found.image?.names ?? []) {
                sizes[name] = size
            }
        }
        peak = ContainerPeak(logsIn: volume.eventsPath) { sizes[$0] ?? .zero }
    }
}
