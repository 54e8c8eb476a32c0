import CacheModel

extension MetricsReport {
    private func perVolume(_ value: (Volume) -> Double?) -> [Metrics.Sample] {
        volumes.compactMap { volume in
            value(volume).map { .init(labels: [("volume", volume.figures.name)], value: $0) }
        }
    }

    private func perPool(_ value: (VolumeFigures.PoolFigures) -> Double) -> [Metrics.Sample] {
        volumes.flatMap { volume in
            volume.figures.pools.map {
                .init(
                    labels: [("volume", volume.figures.name), ("pool", $0.pool.rawValue)], value: value($0))
            }
        }
    }

    func addVolumes(to metrics: inout Metrics) {
        func size(_ name: String, _ help: String, _ value: @escaping (Volume) -> ByteCount) {
            metrics.add(
                "larder_volume_\(name)_bytes", unit: "bytes", help, perVolume { Double(value($0).bytes) })
        }
        size("used", "What all live files occupy, without the trash.") { $0.figures.usedBytes }
        size("limit", "Size that the used bytes shall not pass.") { $0.quota.limit }
        size("high", "High watermark: a prune starts above it.") { $0.quota.high }
        size("low", "Low watermark: a prune stops at or below it.") { $0.quota.low }
        size("trash", "What waits in the trash.") { $0.figures.trashBytes }
        size("capacity", "Size of the file system, at the last scan.") { $0.figures.capacity.total }
        size("available", "What can still be written, at the last scan.") { $0.figures.capacity.available }
        metrics.add(
            "larder_volume_inodes", "Inodes of the file system; absent where it makes them as needed.",
            perVolume { $0.figures.capacity.inodes > 0 ? Double($0.figures.capacity.inodes) : nil })
        metrics.add(
            "larder_volume_inodes_free", "Free inodes, at the last scan.",
            perVolume { $0.figures.capacity.inodes > 0 ? Double($0.figures.capacity.freeInodes) : nil })
        func inodes(_ name: String, _ help: String, _ value: @escaping (InodeUse) -> Int64) {
            metrics.add(
                "larder_volume_inodes_\(name)", help + "; absent where inodes are no quota.",
                perVolume { $0.inodes.map { Double(value($0)) } })
        }
        inodes("used", "Inodes of live files and directories") { $0.used }
        inodes("high", "High watermark in inodes: a prune starts above it") { $0.quota.high }
        inodes("low", "Low watermark in inodes: a prune stops at or below it") { $0.quota.low }
        metrics.add("larder_volume_files", "Files at the last scan.", perVolume { Double($0.figures.files) })
        metrics.add(
            "larder_volume_over_quota", "1 where the last prune ended above its goal, with nothing to evict.",
            perVolume { $0.figures.overQuota ? 1 : 0 })
        metrics.add(
            "larder_evidence_level", "How far last uses can be trusted: 0 none, 1 low, 2 medium, 3 high.",
            perVolume {
                Confidence.allCases.firstIndex(of: $0.figures.scan.atimeTrust.confidence).map(Double.init)
            })
        metrics.add(
            "larder_scan_complete", "1 where the last scan could read everything.",
            perVolume { $0.figures.scan.complete ? 1 : 0 })
        metrics.add(
            "larder_scan_duration_seconds", unit: "seconds", "How long the last scan took.",
            perVolume { Figures.seconds($0.figures.scanDuration) })
        metrics.add(
            "larder_scan_timestamp_seconds", unit: "seconds", "When the last scan began.",
            perVolume { $0.figures.scan.startedAt.inSeconds })
    }

    func addPools(to metrics: inout Metrics) {
        metrics.add("larder_pool_entries", "Entries of the pool.", perPool { Double($0.entries) })
        metrics.add(
            "larder_pool_bytes", unit: "bytes", "Sum of the sizes of its entries.",
            perPool { Double($0.bytes.bytes) })
        func count(_ name: String, _ help: String, _ value: @escaping (VolumeFigures.PoolFigures) -> Int64) {
            metrics.add(
                "larder_\(name)", kind: .counter, unit: name.hasSuffix("_bytes") ? "bytes" : "", help,
                perPool { Double(value($0)) })
        }
        count("hits", "Accesses to entries that were there.") { $0.rates.hits }
        count("misses", "Entries that jobs fetched.") { $0.rates.misses }
        count("hit_bytes", "Sizes of the entries that were there.") { $0.rates.hitBytes.bytes }
        count("fetched_bytes", "Sizes of the entries that jobs fetched.") { $0.rates.missBytes.bytes }
        count("evictions", "Entries that runs evicted.") { $0.evictions }
        count("evicted_bytes", "Sizes of the entries that runs evicted.") { $0.evictedBytes.bytes }
        count("regrets", "Evicted entries that jobs fetched again within the regret window.") { $0.regrets }
        count("regret_bytes", "Sizes of the evicted entries that jobs fetched again.") {
            $0.regretBytes.bytes
        }
    }

    func addRuns(to metrics: inout Metrics) {
        metrics.add(
            "larder_freed_bytes", kind: .counter, unit: "bytes", "What the file system got back from runs.",
            perVolume { Double($0.figures.freedBytes.bytes) })
        metrics.add(
            "larder_warmed_images", kind: .counter, "Images that were to be ready, by what became of them.",
            volumes.flatMap { volume in
                WarmedImage.Result.allCases.compactMap { result in
                    volume.figures.warmings[result.rawValue].map {
                        .init(
                            labels: [("volume", volume.figures.name), ("result", result.rawValue)],
                            value: Double($0))
                    }
                }
            })
        metrics.add(
            "larder_warmed_images_used", kind: .counter,
            "Warmed images that a job used before the next warm-up.",
            perVolume { $0.figures.warmings.isEmpty ? nil : Double($0.figures.warmingsUsed) })
        metrics.add(
            "larder_last_success_timestamp_seconds", unit: "seconds",
            "When the activity last ended without a failure.", lastSuccesses)
        metrics.add(
            "larder_activity_running", "1 while the activity runs.",
            activities.map { .init(labels: labels($0.name, $0.volume), value: $0.isRunning ? 1 : 0) })
    }

    /// What the index knows of finished runs and what the daemon knows, the later of both.
    private var lastSuccesses: [Metrics.Sample] {
        var last: [[String]: Timestamp] = [:]
        for volume in volumes {
            for (kind, time) in volume.figures.lastSuccess { last[[kind, volume.figures.name]] = time }
        }
        for activity in activities {
            guard let time = activity.lastSuccess else { continue }
            let key = [activity.name] + [activity.volume].compactMap(\.self)
            last[key] = max(last[key] ?? time, time)
        }
        return last.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, time in
            .init(labels: labels(key[0], key.dropFirst().first), value: time.inSeconds)
        }
    }

    private func labels(_ activity: String, _ volume: String?) -> [(name: String, value: String)] {
        [("activity", activity)] + (volume.map { [("volume", $0)] } ?? [])
    }
}
