import CacheModel

extension StatusReport.Warning {
    /// What should be looked at on a volume, by its figures.
    ///
    /// - Parameter configured: the volume as it was configured.
    package static func about(
        _ volume: VolumeFigures, of configured: Volume, quota: Quota, inodes: InodeUse? = nil, now: Timestamp
    ) -> [Self] {
        var warnings: [Self] = []
        func warn(_ code: String, _ text: String, _ hint: String) {
            warnings.append(Self(code: code, text: text, hint: hint))
        }
        let capacity = volume.capacity
        if volume.usedBytes > quota.high {
            warn(
                "over-quota", "\(volume.name) is above its high watermark (\(quota.high))",
                "larder prune --volume \(volume.name)")
        }
        if let inodes, inodes.isOver {
            warn(
                "over-quota",
                "\(volume.name) uses \(Figures.grouped(inodes.used)) inodes, more than its high watermark "
                    + "(\(Figures.grouped(inodes.quota.high)))", "larder prune --volume \(volume.name)")
        }
        for sentence in configured.limitsBeyond(capacity) {
            warn(
                "limit-beyond-capacity", sentence,
                "enlarge the PVC (or wait until its file system has grown), or lower the limit")
        }
        // What prunes have freed since the last scan is known of a volume's own inodes.
        let freeInodes = inodes.map { max(0, $0.quota.limit - $0.used) } ?? capacity.freeInodes
        if capacity.inodes > 0, freeInodes * 20 < capacity.inodes {
            warn(
                "inodes",
                "\(volume.name) has \(Figures.grouped(freeInodes)) of \(Figures.grouped(capacity.inodes)) inodes left",
                inodes == nil
                    ? "larder prune --volume \(volume.name) --to a smaller size frees inodes too"
                    : "larder prune --volume \(volume.name)")
        }
        if !volume.scan.complete {
            warn(
                "incomplete-scan",
                "the last scan of \(volume.name) could not read \(volume.scan.unreadable) paths",
                "larder scan names them; a prune refuses to run until they can be read")
        }
        if now - volume.scan.startedAt > .days(2) {
            warn(
                "old-scan", "\(volume.name) was last scanned \((now - volume.scan.startedAt).age) ago",
                "larder scan --volume \(volume.name)")
        }
        if volume.scan.atimeTrust.confidence < .medium, volume.kind == .buildCache {
            warn(
                "weak-evidence", "\(volume.name): \(volume.scan.atimeTrust.reason)",
                "hit rates and last uses of this volume are that much less certain")
        }
        return warnings
    }
}
