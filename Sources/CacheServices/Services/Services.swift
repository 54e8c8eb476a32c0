import CacheIndex
import CacheModel
import Glibc
import PodmanClient
import Reporting

/// The use cases of Larder: what a command prints and what the daemon does and shows.
///
/// Each is a function of the configuration and its options that returns a report. Nothing here parses arguments or
/// prints; notices and progress go where whoever made the services wants them. Commands and daemon call the same
/// functions, so that both say the same of one thing.
package struct Services: Sendable {
    /// How urgent a notice is.
    package enum Urgency: Sendable {
        /// Of interest to who looks for a fault.
        case detail
        /// Of interest to everyone.
        case information
        /// Something should be looked at.
        case warning
        /// A part of what was asked for failed.
        case failure
    }

    /// What Larder was told.
    package var configuration: Configuration
    /// The time.
    package let clock: @Sendable () -> Timestamp
    /// Gets what a person should know beside a report, a sentence each.
    package var notify: @Sendable (String, Urgency) -> Void
    /// Makes a display of how far a long piece of work is, by its label.
    package var progress: @Sendable (_ doing: String, _ volume: String) -> any ProgressDisplay
    /// What was at the volume's path a moment ago, where something else may be mounted there meanwhile; nothing else
    /// is worked on.
    package var seen: RootPresence?

    /// Makes the services of a configuration; without the last two, notices and progress go nowhere.
    package init(
        _ configuration: Configuration, clock: @escaping @Sendable () -> Timestamp = Services.systemClock,
        notify: @escaping @Sendable (String, Urgency) -> Void = { _, _ in },
        progress: @escaping @Sendable (_ doing: String, _ volume: String) -> any ProgressDisplay = { _, _ in
            NoProgress()
        }
    ) {
        self.configuration = configuration.knowingStores()
        self.clock = clock
        self.notify = notify
        self.progress = progress
    }

    /// The system's clock.
    @Sendable package static func systemClock() -> Timestamp {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Timestamp(seconds: Int64(now.tv_sec), nanoseconds: Int64(now.tv_nsec))
    }
}

/// What a use case came to: its report, and the exit code of a command that shows it.
package struct ServiceResult<Report: Sendable>: Sendable {
    /// What is to be told.
    package var report: Report
    /// The contract's exit code; nil for 0.
    package var code: Failure.Code?

    /// Puts both together.
    package init(_ report: Report, _ code: Failure.Code? = nil) {
        self.report = report
        self.code = code
    }
}

/// Shows how far a long piece of work is.
package protocol ProgressDisplay: Sendable {
    /// Takes the present state, which is made only where it is shown.
    func update(_ text: @autoclosure () -> String)
    /// The work is done.
    func end()
}

/// Shows nothing.
package struct NoProgress: ProgressDisplay {
    /// Shows nothing.
    package init() {}
    package func update(_ text: @autoclosure () -> String) {}
    package func end() {}
}

// MARK: - What the use cases share

extension Services {
    /// Opens the index; says what happened to a damaged one.
    ///
    /// - Throws: `IndexError`.
    package func index(readOnly: Bool = false) throws -> CacheIndex {
        let index = try CacheIndex.open(
            stateDirectory: configuration.stateDirectory, now: clock(), readOnly: readOnly)
        warn(index.notices)
        return index
    }

    /// The index, or one in memory where the state directory is full: a full disk is when a prune is needed most.
    func indexOrMemory() throws -> CacheIndex {
        do { return try index() } catch IndexError.full { return try memoryIndex() }
    }

    /// An index in memory, with its warning.
    func memoryIndex() throws -> CacheIndex {
        let index = try CacheIndex.inMemory(insteadOf: configuration.stateDirectory)
        warn(index.notices)
        return index
    }

    /// The same use cases for one volume of the configuration only.
    ///
    /// - Parameter name: the volume's; nil for all of them.
    /// - Throws: `Failure` where no volume has that name.
    package func restricted(to name: String?) throws -> Services {
        guard let name else { return self }
        var services = self
        services.configuration.volumes.removeAll { $0.name != name }
        guard services.configuration.volumes.isEmpty else { return services }
        let names = configuration.volumes.map(\.name)
        let meant = nearest(name, among: names).map { "; did you mean \($0)?" } ?? ""
        throw Failure(
            code: .usage, message: "no volume is called \(name)\(meant)",
            hint: "the volumes are: \(names.joined(separator: ", "))")
    }

    /// Refuses a pool that is neither always there nor known from the configuration or the index.
    ///
    /// - Throws: `Failure`.
    func checkPool(_ pool: Pool?, _ index: CacheIndex) throws {
        guard let pool, pool.isOwn else { return }
        let configured = configuration.volumes.flatMap { $0.ownPools.map(\.pool) }
        let known = Pool.allCases + Set(configured + (try index.ownPools())).sorted()
        guard !known.contains(pool) else { return }
        let names = known.map(\.rawValue)
        let meant = nearest(pool.rawValue, among: names).map { "; did you mean \($0)?" } ?? ""
        throw Failure(
            code: .usage, message: "no pool is called \(pool.rawValue)\(meant)",
            hint: "the pools are: \(names.joined(separator: ", "))")
    }

    /// Refuses a size as the goal of several volumes: meant for one, it would empty the others.
    ///
    /// - Throws: `Failure`.
    func checkTarget(_ goal: PruneGoal, of volumes: [String]) throws {
        guard goal.target != nil, volumes.count > 1 else { return }
        throw Failure(
            code: .usage,
            message: "--to is the size of one volume, and there are several: "
                + volumes.joined(separator: ", "), hint: "say which one with --volume")
    }

    /// Refuses to change a volume that Larder only looks at.
    ///
    /// - Throws: `MaintenanceError`.
    func checkWritable(_ volume: Volume) throws {
        if volume.isReadOnly { throw MaintenanceError.onlyLookedAt(volume: volume.name, path: volume.path) }
    }

    /// Takes a volume's lock.
    ///
    /// - Throws: `MaintenanceError`.
    func lock(_ volume: Volume) throws -> LockedVolume { try LockedVolume(volume, now: clock(), seen: seen) }

    /// The volumes that are mounted, and those that are not.
    ///
    /// - Throws: `Failure` where none is.
    package func presentVolumes(
        named name: String? = nil
    ) throws -> (present: [Volume], skipped: [SkippedVolume]) {
        let chosen = try restricted(to: name).configuration.volumes
        let present = chosen.filter(LockedVolume.isPresent)
        let skipped = chosen.filter { !LockedVolume.isPresent($0) }
            .map { SkippedVolume(name: $0.name, path: $0.path, reason: "nothing is mounted there") }
        guard !present.isEmpty else {
            let searched = configuration.searched
            let others =
                searched.isEmpty
                ? ""
                : "; your own caches were looked for as well, and are not there: "
                    + searched.joined(separator: ", ")
            throw Failure(
                code: .failed,
                message: "no volume is mounted: \(chosen.map(\.path).joined(separator: ", "))\(others)",
                hint:
                    "mount one, name its path with --build-cache or --image-root, or the file that names the volumes with "
                    + "--config or LARDER_CONFIG")
        }
        return (present, skipped)
    }

    /// What the index knows of the volumes, in the order of the configuration.
    ///
    /// - Throws: `Failure` where none was ever scanned.
    func usages(_ index: CacheIndex) throws -> [(volume: Volume, usage: VolumeUsage)] {
        let known = try configuration.volumes.compactMap { volume in
            try index.usage(of: volume.name).map { (volume, $0) }
        }
        guard !known.isEmpty else { throw nothingKnown }
        return known.map { ($0.0, $0.1) }
    }

    /// What the index knows of the volumes without reading their entries, in the order of the configuration.
    ///
    /// - Throws: `IndexError`.
    package func figures(
        _ index: CacheIndex
    ) throws -> [(volume: Volume, figures: VolumeFigures)] {
        let all = Dictionary(try index.figures().map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        return configuration.volumes.compactMap { volume in all[volume.name].map { (volume, $0) } }
    }

    /// Why nothing can be said before the first scan.
    var nothingKnown: Failure {
        Failure(
            code: .failed, message: "the index in \(configuration.stateDirectory) knows no volume yet",
            hint: "run 'larder scan' first")
    }

    /// The eviction policy of a volume.
    ///
    /// - Parameter capacity: of its file system, where inodes are to count; nil where a plan is not made.
    package func policy(
        for volume: Volume, capacity: Capacity? = nil, target: ByteCount? = nil,
        selection: EntrySelection? = nil
    ) -> EvictionPolicy {
        var policy = EvictionPolicy(
            idleFloor: configuration.idleFloor, keep: volume.keep, poolQuotas: volume.poolQuotas,
            target: target, selection: selection, order: volume.order,
            evictsWithoutEvidence: volume.withoutEvidence == .byFetchAge)
        policy.maxIdle = volume.maxIdle
        policy.poolKeep = volume.ownPools.reduce(into: [:]) { $0[$1.pool] = $1.keep }
        policy.replaceable = volume.replaceable
        policy.installed = volume.installed
        policy.inodes = capacity.flatMap { volume.inodeQuota(capacity: $0) }
        return policy
    }

    /// What carries out plans, within the limits of one run unless those are lifted.
    func pruner(_ index: CacheIndex, beyondLimits: Bool = false) -> Pruner {
        Pruner(
            index: index, limits: beyondLimits ? nil : runLimits, idleFloor: configuration.idleFloor,
            clock: clock)
    }

    /// What one run may evict.
    var runLimits: Pruner.Limits {
        Pruner.Limits(
            bytesShare: configuration.limits.bytesShare, entries: configuration.limits.entries)
    }

    /// Refuses to work by a clock that went back, or was set.
    ///
    /// - Throws: `MaintenanceError`, `IndexError`.
    package func checkClock(for volume: Volume) throws { try pruner(try index()).checkClock(for: volume) }

    /// The client for the socket that serves an image store; nil for other volumes.
    func podman(for volume: Volume) throws -> PodmanClient? {
        guard volume.kind == .imageStore, let socket = configuration.sockets[volume.name] else { return nil }
        return try PodmanClient(socket: socket, deadline: configuration.podmanDeadline)
    }

    /// Tells what a person should know.
    func warn(_ notices: [String]) {
        for notice in notices { notify(notice, .warning) }
    }
}
