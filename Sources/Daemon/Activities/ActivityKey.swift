import CacheModel
import CacheServices

/// An activity on one volume, or one that concerns no single volume.
package struct ActivityKey: Hashable, Sendable {
    /// What it is.
    package var activity: Activity
    /// The volume's name; nil for a report, which is of all of them.
    package var volume: String?

    /// Names an activity on a volume.
    package init(_ activity: Activity, on volume: String?) {
        self.activity = activity
        self.volume = volume
    }
}

/// Why an activity begins.
package enum ActivityReason: String, Sendable {
    /// Its time has come.
    case schedule
    /// Its time came while the daemon was down.
    case missed
    /// Nothing is known of the volume yet.
    case first
    /// Somebody asked for it.
    case request
    /// The volume is above its critical watermark.
    case pressure
}

/// How an activity ended.
package struct ActivityOutcome: Sendable {
    /// In one word.
    package enum Result: String, Sendable {
        /// All of it was done.
        case done
        /// Something was refused or could not be read.
        case inPart = "in part"
        /// The volume is over its quota still, and nothing more could be evicted safely.
        case overQuota = "over quota"
        /// Something else holds the volume or the index: it is tried again.
        case held
        /// The daemon was asked to stop.
        case stopped
        /// It failed.
        case failed
    }

    /// In one word.
    package var result: Result
    /// What it did, with its figures, or why not; for one line of the log.
    package var line: String
    /// The figures by name, for logs that programs read.
    package var figures: [String: Int64]
    /// What people's webhooks are to be told.
    package var notices: Notices

    /// Makes an outcome from all it consists of.
    package init(
        _ result: Result, _ line: String, figures: [String: Int64] = [:], notices: Notices = Notices()
    ) {
        self.result = result
        self.line = line
        self.figures = figures
        self.notices = notices
    }

    /// Whether it counts as a success.
    var isSuccess: Bool { [.done, .inPart, .overQuota].contains(result) }
    /// Whether it is tried again before its next time.
    var isTriedAgain: Bool { result == .held }
}

/// What of the last time an activity ran outlives the process.
package struct LastRun: Sendable, Equatable {
    /// When it last began, by whatever process.
    package var startedAt: Timestamp
    /// When it last ended.
    package var endedAt: Timestamp
    /// When it last ended without a failure.
    package var succeededAt: Timestamp?
    /// The line that was logged then.
    package var line: String

    /// Makes a record from all it consists of.
    package init(startedAt: Timestamp, endedAt: Timestamp, succeededAt: Timestamp?, line: String) {
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.succeededAt = succeededAt
        self.line = line
    }
}
