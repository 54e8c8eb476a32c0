/// A file that a job downloaded, as the job's log tells.
package struct JobDownload: Sendable, Hashable {
    /// A hash of the log up to and with the line that tells of it: the same in a log that grew since.
    package var id: Int64
    /// The tool's pool: `maven` or `gradle`.
    package var pool: Pool
    /// The directory in the URL, its components without the host: repository, group, artifact, version.
    package var directory: [String]
    /// The file's name.
    package var file: String
    /// Its size as the log rounds it; zero where the log tells none, as Gradle's never do.
    package var bytes: ByteCount
    /// The time before which it did not happen.
    package var earliest: Timestamp
    /// The time by which it had happened.
    package var latest: Timestamp

    /// Makes a download from all it consists of.
    package init(
        id: Int64, pool: Pool, directory: [String], file: String, bytes: ByteCount, earliest: Timestamp,
        latest: Timestamp
    ) {
        self.id = id
        self.pool = pool
        self.directory = directory
        self.file = file
        self.bytes = bytes
        self.earliest = earliest
        self.latest = latest
    }

    /// The keys that its entry may have, the longest group first: a URL does not show where the repository's own
    /// path ends and the group begins.
    package static func keys(directory: [String]) -> [String] {
        guard directory.count >= 3 else { return [] }
        let group = directory.dropLast(2)
        let name = directory.suffix(2).joined(separator: ":")
        // Nobody's group has more parts; a longer path is one that somebody made up.
        return group.indices.suffix(24).map { start in
            escaped(Array("\(group[start...].joined(separator: ".")):\(name)".utf8))
        }
    }
}

/// What became of the downloads that a job's log names, entry by entry.
package struct IngestedDownload: Sendable, Hashable {
    /// How an entry's downloads were counted.
    package enum Result: String, Sendable, Hashable, CaseIterable {
        /// As a miss, for no scan saw it.
        case recorded
        /// Not again: a scan, or another log, has that miss.
        case seen
        /// Not yet: the next scan may see it.
        case waiting
        /// Not: the log was ingested before.
        case known
        /// Not: the volume never held it.
        case notHere = "not-here"
        /// Not: it may have happened before the volume's first scan, which counts neither hits nor misses.
        case beforeFirstScan = "before-first-scan"
        /// Not: accesses of that time are kept as sums.
        case tooOld = "too-old"
    }

    /// The pool.
    package var pool: Pool
    /// The entry's key; where the volume does not hold it, that with the longest group the URL allows.
    package var key: String
    /// How many files were downloaded.
    package var files: Int64
    /// What they have together, as the log rounds it.
    package var bytes: ByteCount
    /// How they were counted.
    package var result: Result

    /// Makes a record from all it consists of.
    package init(pool: Pool, key: String, files: Int64, bytes: ByteCount, result: Result) {
        self.pool = pool
        self.key = key
        self.files = files
        self.bytes = bytes
        self.result = result
    }
}
