import CacheModel

/// Decides what a scan's finding says of an entry's use: a hit, a miss, or nothing.
///
/// Pure: the index asks it once for every entry a scan found, and writes down the answer.
///
/// - The first scan of a volume is a baseline: whatever it finds was there before anyone looked.
/// - Later, what is new was fetched in the interval: a miss. So is what lies there anew: another inode, or a
///   newer fetch that left another size. An image's layers never change, so any newer extraction is one.
/// - What was there before and has an access time above the watermark was used: a hit. The watermark is the
///   newest access time ever seen, so reads by the job that fetched the entry belong to the miss.
struct AccessRule: Sendable {
    /// The scan before this one; nil where this one is the baseline.
    struct Before: Sendable {
        var startedAt: Timestamp
        var finishedAt: Timestamp
        var complete: Bool
    }

    /// What the index knew of an entry before this scan.
    struct Known: Sendable, Equatable {
        var inode: UInt64
        var bytes: ByteCount
        var accessed: Timestamp
        var fetched: Timestamp
        var lastUsed: Timestamp
        var evidence: Evidence
        var confidence: Confidence
    }

    /// What the index knew of an entry that had gone.
    struct Gone: Sendable, Equatable {
        var inode: UInt64
        var goneAt: Timestamp
        var evicted: Bool
    }

    enum Access: Sendable, Equatable {
        case none
        case hit(at: Timestamp)
        case miss(at: Timestamp, regret: Bool)
    }

    /// The access, if there was one, and what is known of the entry from now on.
    struct Verdict: Sendable, Equatable {
        var access: Access
        var watermark: Timestamp
        var lastUsed: Timestamp
        var evidence: Evidence
        var confidence: Confidence
    }

    var before: Before?
    var startedAt: Timestamp
    var trust: Confidence
    var regretWindow: Span

    /// Judges an entry that the index did not hold.
    func judge(_ found: ScannedEntry, returned gone: Gone? = nil) -> Verdict {
        guard let before else { return fresh(found, .none) }
        // An incomplete scan may have passed it over: it was there if it was fetched before that scan.
        if !before.complete, found.fetched <= before.startedAt { return fresh(found, .none) }
        // The same directory with nothing fetched into it since: it was restored, not fetched.
        if let gone, gone.inode == found.inode, gone.inode != 0, found.fetched <= gone.goneAt {
            return fresh(found, .none)
        }
        return fresh(found, miss(of: found, since: before, gone: gone))
    }

    /// Judges an entry that the index held.
    func judge(_ found: ScannedEntry, known: Known) -> Verdict {
        guard let before else { return fresh(found, .none) }
        if fetchedAnew(found, known) { return fresh(found, miss(of: found, since: before, gone: nil)) }
        var verdict = Verdict(
            access: .none, watermark: max(known.accessed, found.accessed), lastUsed: known.lastUsed,
            evidence: known.evidence, confidence: known.confidence)
        if found.pool != .images, trust == .none {
            let fetched = min(found.fetched, startedAt)
            if fetched > known.lastUsed { (verdict.lastUsed, verdict.evidence) = (fetched, .mtime) }
            verdict.confidence = .none
        } else if isNewer(found.accessed, than: known.accessed, since: before) {
            let at = min(found.accessed, startedAt)
            verdict.access = .hit(at: at)
            verdict.lastUsed = max(at, min(known.lastUsed, startedAt))
            verdict.evidence = found.pool == .images ? .podmanEvents : .atime
            verdict.confidence = found.pool == .images ? .low : trust
        } else if found.pool != .images {
            verdict.confidence = min(known.confidence, trust)
        }
        return verdict
    }

    private func fetchedAnew(_ found: ScannedEntry, _ known: Known) -> Bool {
        if found.inode != known.inode { return true }
        return found.fetched > known.fetched && (found.pool == .images || found.bytes != known.bytes)
    }

    // A watermark that lay in the future when it was set would hide every use until then. An access time
    // below such a one counts if it lies in the interval.
    private func isNewer(_ accessed: Timestamp, than watermark: Timestamp, since before: Before) -> Bool {
        if accessed > watermark { return true }
        return watermark > before.finishedAt && accessed < watermark && isInInterval(accessed, since: before)
    }

    private func isInInterval(_ time: Timestamp, since before: Before) -> Bool {
        time > before.startedAt && time <= startedAt
    }

    private func miss(of found: ScannedEntry, since before: Before, gone: Gone?) -> Access {
        let at = isInInterval(found.fetched, since: before) ? found.fetched : startedAt
        let regret = gone.map { $0.evicted && at - $0.goneAt <= regretWindow } ?? false
        return .miss(at: at, regret: regret)
    }

    /// What is known of an entry when it is first there, or there anew.
    private func fresh(_ found: ScannedEntry, _ access: Access) -> Verdict {
        let isImage = found.pool == .images
        let fallback: Evidence = before == nil ? .mtime : .firstSeen
        var verdict = Verdict(
            access: access, watermark: found.accessed,
            lastUsed: min(max(found.accessed, found.fetched), startedAt), evidence: fallback,
            confidence: before == nil ? min(trust, .medium) : trust)
        if isImage {
            // Containers are the only evidence, and those that were removed again left none.
            if found.accessed.nanoseconds > 0, found.accessed >= found.fetched {
                verdict.evidence = .podmanEvents
            }
            verdict.confidence = .low
        } else if trust == .none {
            (verdict.lastUsed, verdict.evidence) = (min(found.fetched, startedAt), .mtime)
        } else if found.accessed >= found.fetched {
            verdict.evidence = .atime
        } else if fallback == .mtime {
            verdict.confidence = min(trust, .low)
        }
        // A job needed it when it fetched it, however old the times are that it came with.
        if case .miss(let at, _) = access, at > verdict.lastUsed {
            (verdict.lastUsed, verdict.evidence) = (at, .firstSeen)
        }
        return verdict
    }
}
