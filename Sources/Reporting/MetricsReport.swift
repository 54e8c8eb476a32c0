import CacheModel

/// What Larder tells Prometheus: the figures of the index, under names that begin with `larder_`.
///
/// One renderer for `/metrics` and for the files that CronJobs write. Labels are volumes, pools, activities and
/// results, never keys, so that their number is bounded. Counters are counted over all time in the index, and
/// so survive restarts.
package struct MetricsReport: Sendable {
    /// One volume with its quota.
    package struct Volume: Sendable {
        /// Its figures.
        package var figures: VolumeFigures
        /// Its quota.
        package var quota: Quota

        /// How many inodes it uses; nil where they are no quota.
        package var inodes: InodeUse?

        /// Makes a volume from its parts.
        package init(_ figures: VolumeFigures, quota: Quota, inodes: InodeUse? = nil) {
            self.figures = figures
            self.quota = quota
            self.inodes = inodes
        }
    }

    /// How an activity of a daemon stands.
    package struct Activity: Sendable, Hashable {
        /// Its name: `scan`.
        package var name: String
        /// The volume's name; nil for what concerns no single one.
        package var volume: String?
        /// Whether it runs now.
        package var isRunning: Bool
        /// When it last ended without a failure.
        package var lastSuccess: Timestamp?

        /// Makes a state from all it consists of.
        package init(name: String, volume: String?, isRunning: Bool, lastSuccess: Timestamp?) {
            self.name = name
            self.volume = volume
            self.isRunning = isRunning
            self.lastSuccess = lastSuccess
        }
    }

    /// Where this Larder runs: labels of every sample where they are not empty.
    package struct Place: Sendable, Hashable {
        /// The cluster's name.
        package var cluster: String
        /// The node's name.
        package var node: String

        /// Makes a place from two names.
        package init(cluster: String = "", node: String = "") {
            self.cluster = cluster
            self.node = node
        }
    }

    /// The volumes in the order of configuration.
    package var volumes: [Volume]
    /// The activities of the daemon; empty for a command.
    package var activities: [Activity]
    /// Where this Larder runs.
    package var place: Place
    /// Larder's version: `0.1.0`.
    package var version: String
    /// When the figures were read from the index.
    package var readAt: Timestamp
    /// The capacity report, where one was made.
    package var capacity: CapacityReport?

    /// Makes a report from all it consists of.
    package init(
        volumes: [Volume], activities: [Activity] = [], place: Place = .init(), version: String,
        readAt: Timestamp, capacity: CapacityReport? = nil
    ) {
        self.volumes = volumes
        self.activities = activities
        self.place = place
        self.version = version
        self.readAt = readAt
        self.capacity = capacity
    }

    /// The metrics as text.
    package func text(_ format: Metrics.Format) -> String {
        var metrics = Metrics(common: [("cluster", place.cluster), ("node", place.node)])
        metrics.add(
            "larder_build", kind: .info, "The Larder that tells this.",
            [.init(labels: [("version", version)], value: 1)])
        metrics.add(
            "larder_figures_timestamp_seconds", unit: "seconds", "When the figures were read from the index.",
            [.init(labels: [], value: readAt.inSeconds)])
        addVolumes(to: &metrics)
        addPools(to: &metrics)
        addRuns(to: &metrics)
        if let capacity { metrics.add(capacity.metrics()) }
        return metrics.text(format)
    }
}

extension Timestamp {
    /// Seconds since the Unix epoch, to the millisecond.
    var inSeconds: Double { Double(nanoseconds / 1_000_000) / 1000 }
}
