/// What a volume's trash holds of one run.
package struct TrashedRun: Sendable, Hashable {
    /// One entry that can be brought back.
    package struct Entry: Sendable, Hashable {
        /// Its place in the run's journal.
        package var number: Int
        /// Its name in the tool's own notation.
        package var key: String
        /// What it occupies.
        package var bytes: ByteCount
        /// Whether it changed as it was moved, so that only who asks for it purges it.
        package var isHeld = false

        /// Makes an entry from its three values.
        package init(number: Int, key: String, bytes: ByteCount) {
            self.number = number
            self.key = key
            self.bytes = bytes
        }
    }

    /// The run's ID.
    package var run: String
    /// What can be brought back of it.
    package var entries: [Entry]

    /// Makes a record from both.
    package init(run: String, entries: [Entry]) {
        self.run = run
        self.entries = entries
    }
}

/// That entries of a run were taken out of the trash for good.
package struct TrashPurge: Sendable, Hashable {
    /// Why.
    package enum Cause: String, Sendable, Hashable, CaseIterable {
        /// They had waited for as long as was promised.
        case overdue
        /// The volume was above its critical level.
        case critical
        /// The volume keeps no trash.
        case noRetention = "no-retention"
        /// Somebody asked for it.
        case asked

        /// The cause in a few words, after `because`.
        package var text: String {
            switch self {
            case .overdue: "their time in the trash was over"
            case .critical: "the volume was above its critical level"
            case .noRetention: "`trash` is 0s in the configuration"
            case .asked: "that was asked for"
            }
        }
    }

    /// When.
    package var at: Timestamp
    /// The run that did it; nil where that was `larder trash purge`.
    package var by: String?
    /// Why.
    package var cause: Cause

    /// Makes a record from its three values.
    package init(at: Timestamp, by: String?, cause: Cause) {
        self.at = at
        self.by = by
        self.cause = cause
    }

    /// What happened: `purged from the trash by RUN at TIME, because the volume was above its critical level`.
    package var text: String {
        "purged from the trash by \(by ?? "larder trash purge") at \(at), because \(cause.text)"
    }
}
