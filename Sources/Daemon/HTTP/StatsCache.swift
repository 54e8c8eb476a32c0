import CacheIndex
import CacheModel
import CacheServices
import Logging
import Reporting
import ServiceLifecycle

/// The figures that requests are answered from: read again when the index has changed, not when someone asks.
///
/// A request never waits for the index. While another process holds it, the figures of before are shown for a
/// while; when they become too old to be true, there are none.
actor StatsCache {
    /// There are no figures, or they are too old.
    enum Missing: Error {
        /// The index is looked at for the first time.
        case unread
        /// There is no index, or none of ours.
        case notYet
        case held

        /// What is waited for.
        var awaited: String {
            switch self {
            case .unread: "the first look into the index"
            case .notYet: "the first scan"
            case .held: "the index, which another process holds"
            }
        }
    }

    /// How the store keeps up.
    struct Pace: Sendable {
        /// How often the index is asked whether it has changed.
        var look = Duration.seconds(1)
        /// For how long figures are shown that could not be checked.
        var trusted = Span.seconds(30)
        /// After this time they are read again though nothing has changed, since windows end at now.
        var longest = Span.minutes(10)
        /// How long the sizes stand, at least.
        var sizes = Span.minutes(1)
    }

    private let reader: IndexReader
    private let stateDirectory: String
    private let control: any DaemonControl
    private var configuration: Configuration?
    private let pace: Pace
    private let clock: @Sendable () -> Timestamp
    private let logger: Logger

    private var figures: IndexFigures?
    private var version: [Int64] = []
    private var checkedAt = Timestamp(seconds: 0)
    private var notBefore = Timestamp(seconds: 0)
    /// Why there are no figures.
    private var lack = Missing.unread
    private(set) var sizes: IndexSizes?
    private var sizesBasis: [String] = []
    /// What the sizes were made by: they are made anew at once when another one is in force.
    private var sizesConfiguration: Configuration?
    private var sizesNotBefore = Timestamp(seconds: 0)
    /// The sizes that are being made: which they are, and the volumes that they do not look into.
    private var sizing: (number: Int, away: Set<String>)?
    private var sizings = 0

    init(
        stateDirectory: String, control: any DaemonControl, pace: Pace,
        clock: @escaping @Sendable () -> Timestamp, logger: Logger
    ) {
        reader = IndexReader(
            stateDirectory: stateDirectory, patience: .seconds(1), most: 4, quality: .userInitiated)
        self.stateDirectory = stateDirectory
        self.control = control
        self.pace = pace
        self.clock = clock
        self.logger = logger
    }

    /// The figures.
    func current() throws(Missing) -> IndexFigures {
        guard let figures else { throw lack }
        guard clock() - checkedAt <= pace.trusted else { throw .held }
        return figures
    }

    /// What the next prune of each volume brings, and what occupies most of it; nil while that is being worked out for what
    /// the figures show, as both would contradict them.
    var outlook: (reliefs: [String: StatusReport.Relief], report: CapacityReport)? {
        guard let sizes, figures?.basis == sizesBasis else { return nil }
        return (sizes.reliefs, sizes.report)
    }

    /// Waits until it is known whether there are figures: who asks first must not read that nothing was scanned.
    ///
    /// - Parameter limit: for how long, as an index on a file system that does not answer is never read.
    func waitForFirstLook(atMost limit: Duration) async {
        let end = ContinuousClock.now + limit
        while figures == nil, lack == .unread, ContinuousClock.now < end, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Keeps up with the index until the service stops.
    func run() async {
        while !Task.isCancelled {
            await refresh()
            try? await Task.sleep(for: pace.look)
        }
    }

    /// Reads the figures again where the index has changed.
    func refresh() async {
        let services = Services(await control.configuration(), clock: clock)
        let wasReloaded = services.configuration != configuration
        configuration = services.configuration
        let (known, now) = (version, clock())
        let isDue = figures == nil || wasReloaded || now - (figures?.readAt ?? now) > pace.longest
        do {
            let (found, read): ([Int64], IndexFigures?) = try await reader.read { [notBefore, reader] index in
                let found = [reader.generation, try index.dataVersion()]
                guard isDue || (found != known && now >= notBefore) else { return (found, nil) }
                return (found, try IndexFigures(index, by: services, now: now))
            }
            checkedAt = clock()
            if let read {
                version = found
                figures = read
                // Reading may take a twentieth of the time: a large index that always changes is read less.
                notBefore = checkedAt + Span(nanoseconds: (checkedAt - now).nanoseconds * 20)
            }
            if let figures { refreshSizes(figures, services, away: await control.awayVolumes()) }
        } catch {
            if case IndexError.busy? = error as? IndexError { lack = .held } else { lack = .notYet }
            logger.debug("the index cannot be read now", metadata: ["error": "\(error)"])
        }
    }

    private func refreshSizes(_ figures: IndexFigures, _ services: Services, away: Set<String>) {
        let now = clock()
        let isDue = figures.basis != sizesBasis || now - (sizes?.madeAt ?? now) > .hours(1)
        if let sizing {
            // What looks into a volume whose file system does not answer may never end: it is made again without.
            guard !away.isSubset(of: sizing.away) else { return }
        } else {
            guard services.configuration != sizesConfiguration || (isDue && now >= sizesNotBefore) else {
                return
            }
        }
        guard !figures.volumes.isEmpty else { return }
        sizings += 1
        let number = sizings
        sizing = (number, away)
        // A connection of its own, as the one before may never come back.
        let reader = IndexReader(
            stateDirectory: stateDirectory, patience: .seconds(5), most: 1, quality: .utility)
        Task(priority: .utility) {
            do {
                let made = try await reader.read { try IndexSizes($0, by: services, away: away, now: now) }
                take(made, number, basis: figures.basis, by: services.configuration)
            } catch {
                guard sizing?.number == number else { return }
                logger.debug("the capacity report cannot be made now", metadata: ["error": "\(error)"])
                sizesNotBefore = clock() + pace.sizes
                sizing = nil
            }
        }
    }

    private func take(_ made: IndexSizes, _ number: Int, basis: [String], by configuration: Configuration) {
        guard sizing?.number == number else { return }
        sizes = made
        (sizesBasis, sizesConfiguration) = (basis, configuration)
        let took = clock() - made.madeAt
        sizesNotBefore = clock() + max(pace.sizes, Span(nanoseconds: took.nanoseconds * 20))
        sizing = nil
    }
}
