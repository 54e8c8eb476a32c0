import CacheModel

/// What Larder tells Prometheus: the figures of the index, under names that begin with `larder_`.
///
/// One renderer for `/metrics` and for the files that CronJobs write. Labels are volumes, pools, activities and
/// results, never keys, so that their number is bounded. Counters are counted over all time in the index, and
/// so survive restarts.
public struct MetricsReport: Sendable {
    /// One volume with its quota.
    public struct Volume: Sendable {
        /// Its figures.
        public var figures: VolumeFigures
        /// Its quota.
        public var quota: Quota

        /// Makes a volume from both.
        public init(_ figures: VolumeFigures, quota: Quota) {
            self.figures = figures
            self.quota = quota
        }
    }

    /// How an activity of a daemon stands.
    public struct Activity: Sendable, Hashable {
        /// Its name: `scan`.
        public var name: String
        /// The volume's name; nil for what concerns no single one.
        public var volume: String?
        /// Whether it runs now.
        public var isRunning: Bool
        /// When it last ended without a failure.
        public var lastSuccess: Timestamp?

        /// Makes a state from all it consists of.
        public init(name: String, volume: String?, isRunning: Bool, lastSuccess: Timestamp?) {
            self.name = name
            self.volume = volume
            self.isRunning = isRunning
            self.lastSuccess = lastSuccess
        }
    }

    /// Where this Larder runs: labels of every sample where they are not empty.
    public struct Place: Sendable, Hashable {
        /// The cluster's name.
        public var cluster: String
        /// The node's name.
        public var node: String

        /// Makes a place from two names.
        public init(cluster: String = "", node: String = "") {
            self.cluster = cluster
            self.node = node
        }
    }

    /// The volumes in the order of configuration.
    public var volumes: [Volume]
    /// The activities of the daemon; empty for a command.
    public var activities: [Activity]
    /// Where this Larder runs.
    public var place: Place
    /// Larder's version: `0.1.0`.
    public var version: String
    /// When the figures were read from the index.
    public var readAt: Timestamp
    /// The capacity report, where one was made.
    public var capacity: CapacityReport?

    /// Makes a report from all it consists of.
    public init(
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
    public func text(_ format: Metrics.Format) -> String {
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
