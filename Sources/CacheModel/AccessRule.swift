/// Decides what a scan's finding says of an entry's use: a hit, a miss, or nothing.
///
/// Pure: the index asks it once for every entry a scan found, and writes down the answer.
///
/// - The first scan of a volume is a baseline: whatever it finds was there before anyone looked.
/// - Later, what is new was fetched in the interval: a miss. So is what lies there anew: another inode, or a
///   newer fetch that left another size. An image's layers never change, so any newer extraction is one.
/// - What came with the times of another place was copied, not fetched, and is neither: all of its directories and
///   files are older than the scan before, and were set so (see ``ScannedEntry/broughtWithTimesOf``). A copy that did
///   not keep the times looks like a download. It counts as a miss, as a job that fetched much at once must not go
///   uncounted.
/// - What a build installed was made on the spot, and is neither either: nobody asked the cache for it. A later read is a
///   hit.
/// - What was there before and has an access time above the watermark was used: a hit. The watermark is the
///   newest access time ever seen, so reads by the job that fetched the entry belong to the miss.
/// - A use that a tool wrote down counts like an access time, also where reads leave no trace.
package struct AccessRule: Sendable {
    /// The scan before this one; nil where this one is the baseline.
    package struct Before: Sendable {
        package var startedAt: Timestamp
        package var finishedAt: Timestamp
        package var complete: Bool

        /// Puts it together.
        package init(startedAt: Timestamp, finishedAt: Timestamp, complete: Bool) {
            self.startedAt = startedAt
            self.finishedAt = finishedAt
            self.complete = complete
        }
    }

    /// What the index knew of an entry before this scan.
    package struct Known: Sendable, Equatable {
        package var inode: UInt64
        package var bytes: ByteCount
        package var accessed: Timestamp
        package var fetched: Timestamp
        package var lastUsed: Timestamp
        package var evidence: Evidence
        package var confidence: Confidence
        /// Whether Larder itself pulled it, and no job has used it since.
        package var warmed = false

        /// Puts it together.
        package init(
            inode: UInt64, bytes: ByteCount, accessed: Timestamp, fetched: Timestamp, lastUsed: Timestamp,
            evidence: Evidence, confidence: Confidence, warmed: Bool = false
        ) {
            self.inode = inode
            self.bytes = bytes
            self.accessed = accessed
            self.fetched = fetched
            self.lastUsed = lastUsed
            self.evidence = evidence
            self.confidence = confidence
            self.warmed = warmed
        }
    }

    /// What the index knew of an entry that had gone.
    package struct Gone: Sendable, Equatable {
        package var inode: UInt64
        package var goneAt: Timestamp
        package var evicted: Bool

        /// Puts it together.
        package init(inode: UInt64, goneAt: Timestamp, evicted: Bool) {
            self.inode = inode
            self.goneAt = goneAt
            self.evicted = evicted
        }
    }

    package enum Access: Sendable, Equatable {
        case none
        case hit(at: Timestamp)
        case miss(at: Timestamp, regret: Bool)
    }

    /// The access, if there was one, and what is known of the entry from now on.
    package struct Verdict: Sendable, Equatable {
        package var access: Access
        package var watermark: Timestamp
        package var lastUsed: Timestamp
        package var evidence: Evidence
        package var confidence: Confidence
        /// Whether it came with the times of another place, so that no job fetched it.
        package var isCopy = false
        /// Hits after `access`, in the order of their times: event logs tell each one.
        package var laterHits: [Timestamp] = []

        /// Puts it together.
        package init(
            access: Access, watermark: Timestamp, lastUsed: Timestamp, evidence: Evidence,
            confidence: Confidence, laterHits: [Timestamp] = []
        ) {
            self.access = access
            self.watermark = watermark
            self.lastUsed = lastUsed
            self.evidence = evidence
            self.confidence = confidence
            self.laterHits = laterHits
        }
    }

    package var before: Before?
    package var startedAt: Timestamp
    package var trust: Confidence
    package var regretWindow: Span

    /// Puts it together.
    package init(before: Before? = nil, startedAt: Timestamp, trust: Confidence, regretWindow: Span) {
        self.before = before
        self.startedAt = startedAt
        self.trust = trust
        self.regretWindow = regretWindow
    }

    /// Judges an entry that the index did not hold.
    package func judge(_ found: ScannedEntry, returned gone: Gone? = nil) -> Verdict {
        guard let before else { return fresh(found, .none) }
        // An incomplete scan may have passed it over: it was there if it was fetched before that scan.
        if !before.complete, found.fetched <= before.startedAt { return fresh(found, .none) }
        // A part that is told apart only now may have been there for long; and a failure fetched nothing.
        if found.traits.contains(.failedDownload) { return fresh(found, .none) }
        // So may what a new pool of the user's own names.
        let isToldApart = found.pool.isOwn || !found.traits.isDisjoint(with: [.file, .files, .part])
        if isToldApart, found.fetched <= before.startedAt {
            return fresh(found, .none)
        }
        // The same directory with nothing fetched into it since: it was restored, not fetched.
        if let gone, gone.inode == found.inode, gone.inode != 0, found.fetched <= gone.goneAt {
            var verdict = fresh(found, .none)
            // Whoever brought it back wants it: the next prune must not take it at once.
            if gone.evicted, startedAt > verdict.lastUsed {
                (verdict.lastUsed, verdict.evidence) = (startedAt, .firstSeen)
            }
            return verdict
        }
        if !isToldApart, isCopy(found, since: before) {
            // Whoever brought it back wants it, as above.
            return copied(found, lastUsed: gone?.evicted == true ? (startedAt, .firstSeen) : nil)
        }
        return fresh(found, newcomer(found, since: before, gone: gone))
    }

    /// How far apart the clocks of a volume and of this machine may be, so that a download is not taken for a copy.
    private static let clockDifference = Span.hours(1)

    /// Whether nothing in an entry that is new was written since the scan before.
    ///
    /// An image says when it was pulled, not when its store was copied. A pool of the user's own may be of a tool that
    /// sets all times to the server's.
    private func isCopy(_ found: ScannedEntry, since before: Before) -> Bool {
        guard found.pool != .images, !found.pool.isOwn, let times = found.broughtWithTimesOf else {
            return false
        }
        return times + Self.clockDifference <= before.startedAt
    }

    /// What is known of a copy: neither hit nor miss, though copying may have set its access times.
    private func copied(_ found: ScannedEntry, lastUsed: (at: Timestamp, evidence: Evidence)?) -> Verdict {
        var verdict = fresh(found, .none)
        verdict.isCopy = true
        if let lastUsed, lastUsed.at > verdict.lastUsed {
            (verdict.lastUsed, verdict.evidence) = lastUsed
        }
        return verdict
    }

    /// Judges an entry that the index held.
    package func judge(_ found: ScannedEntry, known: Known) -> Verdict {
        guard let before else { return fresh(found, .none) }
        if fetchedAnew(found, known) {
            // As where a claim was moved to a new one, file by file.
            if isCopy(found, since: before) {
                return copied(found, lastUsed: (min(known.lastUsed, startedAt), known.evidence))
            }
            return fresh(found, newcomer(found, since: before, gone: nil))
        }
        var verdict = Verdict(
            access: .none, watermark: max(known.accessed, newest(found)), lastUsed: known.lastUsed,
            evidence: known.evidence, confidence: known.confidence)
        if found.pool == .images {
            judgeImage(found, known, since: before, &verdict)
        } else if let use = lastUse(of: found), isNewer(use.at, than: known.accessed, since: before) {
            let at = min(use.at, startedAt)
            verdict.access = .hit(at: at)
            verdict.lastUsed = max(at, min(known.lastUsed, startedAt))
            (verdict.evidence, verdict.confidence) = (use.evidence, trust(in: found))
        } else if known.confidence == .none, trust(in: found) > .none {
            // Until now no read would have shown: it may have been used a moment ago.
            verdict.lastUsed = max(known.lastUsed, startedAt)
            (verdict.evidence, verdict.confidence) = (.firstSeen, .low)
        } else {
            let fetched = min(found.fetched, startedAt)
            if trust == .none, fetched > known.lastUsed {
                (verdict.lastUsed, verdict.evidence) = (fetched, .mtime)
            }
            verdict.confidence = min(known.confidence, trust(in: found))
        }
        return verdict
    }

    private func fetchedAnew(_ found: ScannedEntry, _ known: Known) -> Bool {
        if found.traits.contains(.failedDownload) { return false }
        if found.inode != known.inode { return true }
        return found.fetched > known.fetched && (found.pool == .images || found.bytes != known.bytes)
    }

    // A watermark that lay in the future when it was set would hide every use until then. An access time
    // below such a one counts if it lies in the interval.
    package func isNewer(_ accessed: Timestamp, than watermark: Timestamp, since before: Before) -> Bool {
        if accessed > watermark { return true }
        return watermark > before.finishedAt && accessed < watermark && isInInterval(accessed, since: before)
    }

    private func isInInterval(_ time: Timestamp, since before: Before) -> Bool {
        time > before.startedAt && time <= startedAt
    }

    /// What is there anew was fetched: a miss, unless it was installed.
    private func newcomer(_ found: ScannedEntry, since before: Before, gone: Gone?) -> Access {
        guard !found.isInstalled else { return .none }
        let at = isInInterval(found.fetched, since: before) ? found.fetched : startedAt
        let regret = gone.map { $0.evicted && at - $0.goneAt <= regretWindow } ?? false
        return .miss(at: at, regret: regret)
    }

    /// The newest time that anything shows, even where it is no evidence: what is not newer is no use.
    private func newest(_ found: ScannedEntry) -> Timestamp {
        max(found.accessed, found.uses.last?.at ?? found.accessed)
    }

    /// The last use of a build entry; nil where the volume shows none.
    private func lastUse(of found: ScannedEntry) -> RecordedUse? {
        let read = trust == .none ? nil : RecordedUse(at: found.accessed, evidence: .atime)
        guard let told = found.uses.last else { return read }
        return read.map { $0.at >= told.at ? $0 : told } ?? told
    }

    /// How far the last use of a build entry can be trusted.
    ///
    /// Gradle's journal misses builds that reuse their configuration (gradle/actions#19).
    private func trust(in found: ScannedEntry) -> Confidence {
        found.uses.isEmpty ? trust : max(trust, .medium)
    }

    /// What is known of an entry when it is first there, or there anew.
    private func fresh(_ found: ScannedEntry, _ access: Access) -> Verdict {
        if found.pool == .images { return freshImage(found, access) }
        let fallback: Evidence = before == nil ? .mtime : .firstSeen
        let trusted = trust(in: found)
        var verdict = Verdict(
            access: access, watermark: newest(found), lastUsed: min(found.fetched, startedAt),
            evidence: fallback,
            confidence: before == nil ? min(trusted, .medium) : trusted)
        if let use = lastUse(of: found), use.at >= found.fetched {
            (verdict.lastUsed, verdict.evidence) = (min(use.at, startedAt), use.evidence)
        } else if trusted == .none {
            verdict.evidence = .mtime
        } else if fallback == .mtime {
            verdict.confidence = min(trusted, .low)
        }
        return verdict.usedWhenFetched
    }
}

extension AccessRule.Verdict {
    /// A job needed an entry when it fetched it, however old the times are that it came with.
    package var usedWhenFetched: Self {
        guard case .miss(let at, _) = access, at > lastUsed else { return self }
        var verdict = self
        (verdict.lastUsed, verdict.evidence) = (at, .firstSeen)
        return verdict
    }
}
