import CacheModel
import CacheServices

/// How an activity stands on one volume.
package struct ActivityState: Sendable {
    /// What it is.
    package let activity: Activity
    /// The volume's name; nil for what concerns no single one, as a warm-up without an image volume does.
    package let volume: String?
    /// When it began, while it runs.
    package let runningSince: Timestamp?
    /// How far it is, while it runs and tells.
    package var progress: String?
    /// When it last ended without a failure.
    package let lastSuccess: Timestamp?
    /// When it last ended, well or not.
    package let lastEnd: Timestamp?
    /// The line that was logged at its last end.
    package let lastResult: String?
    /// When its schedule wants it next; nil without a schedule.
    package let nextDue: Timestamp?

    /// Tells it whole.
    package init(
        activity: Activity, volume: String?, runningSince: Timestamp?, lastSuccess: Timestamp?,
        lastEnd: Timestamp?, lastResult: String?, nextDue: Timestamp?
    ) {
        self.activity = activity
        self.volume = volume
        self.runningSince = runningSince
        self.lastSuccess = lastSuccess
        self.lastEnd = lastEnd
        self.lastResult = lastResult
        self.nextDue = nextDue
    }
}

/// Why a requested activity was not taken on, in words for whoever asked.
package enum RequestRefusal: Error, Equatable {
    case unknownVolume(String)
    /// One activity per volume at a time; the name of what runs.
    case busy(Activity)
    case stopping
    /// The index has not been read yet.
    case loading
}

/// What the HTTP server may ask of the daemon it belongs to.
package protocol DaemonControl: Sendable {
    /// What the daemon was told, as it is now.
    func configuration() async -> Configuration
    /// What the daemon still waits for before its figures can be trusted, one line each; empty when ready.
    func waitingFor() async -> [String]
    /// The names of volumes that are not at their paths, or do not answer.
    func awayVolumes() async -> Set<String>
    /// Every activity of every volume that was scheduled, asked for or run.
    func activityStates() async -> [ActivityState]
    /// Begins an activity now and returns without waiting for its end.
    ///
    /// - Parameter volume: nil for all volumes.
    func request(_ activity: Activity, volume: String?) async throws(RequestRefusal)
}
