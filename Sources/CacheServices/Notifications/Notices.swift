import CacheModel
import Reporting

/// What an activity has to tell: what happened, and which states it found to be over.
package struct Notices: Sendable, Hashable {
    /// A state of a volume that lasts until something changes.
    package struct State: Sendable, Hashable {
        /// What is told of it.
        package var event: Notice.Event
        /// The volume.
        package var volume: String

        /// Makes a state from both.
        package init(_ event: Notice.Event, of volume: String) {
            self.event = event
            self.volume = volume
        }
    }

    /// What is to be told.
    package var all: [Notice] = []
    /// States that do not hold: once they do again, that is news.
    package var settled: [State] = []

    /// Nothing.
    package init() {}

    /// What a prune has to tell; nothing of one that only looked.
    package init(of report: PruneReport) {
        guard !report.dryRun else { return }
        all = Notice.of(report)
        // What was asked for by key says nothing of the quota.
        settle(.overQuota, of: report.volumes.filter { $0.plan?.selection == nil }.map(\.outcome.volume))
    }

    /// What a verification has to tell.
    package init(of report: VerifyReport) {
        all = Notice.of(report)
        settle(.damaged, of: report.volumes.map(\.name))
    }

    /// What a capacity report has to tell: which volumes are full soon, and which predictions are off.
    package init(of report: CapacityReport, within span: Span) {
        all = Notice.of(report, within: span)
        settle(.fills, of: report.volumes.map(\.name))
        settle(.calibrationOff, of: report.volumes.map(\.name))
    }

    private mutating func settle(_ event: Notice.Event, of volumes: [String]) {
        settled += volumes.filter { name in !all.contains { $0.event == event && $0.volume == name } }
            .map { State(event, of: $0) }
    }
}

extension Notice {
    /// Whether it tells of a state that lasts, and not of something that happened once.
    var isOfAState: Bool { event != .pruned }
}
