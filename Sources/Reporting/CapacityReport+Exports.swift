import CacheModel

extension CapacityReport {
    /// All tables as CSV (RFC 4180), each after a line `# volume/table` and followed by an empty line.
    package func csv(now: Timestamp) -> String {
        volumes.map { volume in
            tables(of: volume).filter { !$0.rows.isEmpty }
                .map { "# \(volume.name)/\($0.name)\r\n\($0.csv)\r\n" }.joined()
        }.joined()
    }

    /// The figures as OpenMetrics text (OpenMetrics 1.0), for a file that a collector picks up.
    ///
    /// What is not known is left out.
    package func openMetrics() -> String { metrics().text(.openMetrics) }

    /// The figures as metrics; what is not known is left out.
    func metrics() -> Metrics {
        var metrics = Metrics()
        func family(_ name: String, _ unit: String, _ help: String, _ value: (Volume) -> Double?) {
            metrics.add(
                "larder_report_\(name)", unit: unit, help,
                volumes.compactMap { volume in
                    value(volume).map { .init(labels: [("volume", volume.name)], value: $0) }
                })
        }
        family("capacity_bytes", "bytes", "Size of the file system.") { Double($0.capacity.bytes) }
        family("limit_bytes", "bytes", "Size that shall not be passed.") { Double($0.limit.bytes) }
        family("used_bytes", "bytes", "What all live files occupy.") { Double($0.usedBytes.bytes) }
        family("object_hit_ratio", "ratio", "Hits by accesses in the window.") {
            $0.evidence.confidence == .none ? nil : $0.rate.objects
        }
        family("regret_bytes", "bytes", "Evicted and fetched again in the window.") {
            Double($0.regret.missBytes.bytes)
        }
        family("working_set_bytes", "bytes", "Median of what jobs use in a week.") {
            ($0.sizing.weeklySet?.p50.bytes).map(Double.init)
        }
        family("growth_bytes_per_day", "", "Slope of the growth.") { $0.sizing.bytesForecast?.growth.perDay }
        family("recommended_bytes", "bytes", "Recommended size of the PVC.") {
            ($0.sizing.recommendation?.bytes.bytes).map(Double.init)
        }
        family("full_timestamp_seconds", "seconds", "When the volume is full, at the pace of its growth.") {
            $0.sizing.bytesForecast?.fullAt?.inSeconds
        }
        family("avoidable_fetches_per_day", "", "Fetches a day that a larger volume would spare.") {
            $0.sizing.recommendation?.avoidableTodayPerDay
        }
        family("avoidable_bytes_per_day", "", "What those bring a day, in bytes.") {
            $0.sizing.recommendation?.avoidableBytesTodayPerDay
        }
        family(
            "calibration_object_error_ratio", "ratio",
            "Hit rate of the replay at today's size less the measured one, over entries."
        ) { $0.sizing.calibration?.objects }
        family(
            "calibration_byte_error_ratio", "ratio",
            "Hit rate of the replay at today's size less the measured one, over bytes."
        ) { $0.sizing.calibration?.bytes }
        family("generated_timestamp_seconds", "seconds", "When the report was made.") { _ in
            Double(generatedAt.seconds)
        }
        if let images {
            metrics.add(
                "larder_report_vfs_tax_ratio", unit: "ratio", "Stored by unique bytes of the image store.",
                [.init(labels: [], value: images.factor)])
        }
        return metrics
    }
}
