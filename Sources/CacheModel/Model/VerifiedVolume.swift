/// A file or an image that is not what was fetched.
package struct DamagedFile: Sendable, Hashable {
    /// What is wrong with it.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Its bytes are not those that its checksum was taken of.
        case checksumMismatch = "checksum-mismatch"
        /// Its end is missing.
        case truncated
        /// It is not of the format that its name says, or does not hold together.
        case malformed
        /// An image lacks a layer, or a part of one.
        case missingPart = "missing-part"
        /// Nothing but the memory of a failed download.
        case failedDownload = "failed-download"
    }

    /// The row of its entry in the index.
    package var entryID: Int64
    /// The pool of its entry.
    package var pool: Pool
    /// Its entry's name in the tool's own notation.
    package var key: String
    /// Where it is, below the volume's root; for an image, its ID.
    package var path: String
    /// What is wrong.
    package var kind: Kind
    /// How that shows, in a few words.
    package var detail: String
    /// Whether its entry was moved into the trash.
    package var isQuarantined = false
    /// Why its entry was not moved although that was asked for; nil where it was, or where nobody asked.
    package var refusal: String?

    /// Makes a finding.
    package init(
        entryID: Int64, pool: Pool, key: String, path: String, kind: Kind, detail: String,
        isQuarantined: Bool = false, refusal: String? = nil
    ) {
        self.entryID = entryID
        self.pool = pool
        self.key = key
        self.path = path
        self.kind = kind
        self.detail = detail
        self.isQuarantined = isQuarantined
        self.refusal = refusal
    }
}

/// What a verification found on one volume.
package struct VerifiedVolume: Sendable, Hashable {
    /// A path, and why nothing is said of it.
    package struct Undecided: Sendable, Hashable {
        /// Where.
        package var path: String
        /// Why.
        package var reason: String

        /// Makes a record from its two parts.
        package init(path: String, reason: String) {
            self.path = path
            self.reason = reason
        }
    }

    /// The volume's name.
    package var name: String
    /// How many entries were looked at.
    package var entries: Int64 = 0
    /// How many were left for the next run, as the time was over.
    package var entriesLeft: Int64 = 0
    /// How many files, or images, were held against something: the damaged ones included.
    package var checked: Int64 = 0
    /// What was read.
    package var bytes = ByteCount.zero
    /// What is damaged, in the order it was found.
    package var damaged: [DamagedFile] = []
    /// How many files there is nothing to hold against, by the reason.
    package var unverifiable: [String: Int64] = [:]
    /// What is being written, or was so recently that it may be: looked at again by the next run.
    package var unsettled: [Undecided] = []
    /// What could not be read.
    package var unreadable: [Undecided] = []

    /// Begins a record of nothing yet.
    package init(name: String) { self.name = name }

    /// Whether all that is damaged is in the trash, and all could be read.
    package var isClean: Bool { unreadable.isEmpty && damaged.allSatisfy(\.isQuarantined) }
}
