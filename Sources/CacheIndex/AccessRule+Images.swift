import CacheModel

/// What shows the use of an image: the event logs where they are followed, and what the store itself keeps, the
/// newest container and the newest pull.
///
/// The two must not count one use twice. Where events tell of uses since the last scan, they alone are counted;
/// else what the store shows is, once it is old enough that its event would have been written.
extension AccessRule {
    /// How much later than the store's record an event may appear in its log.
    private static let settling = Span.minutes(1)

    /// Whether event logs are read: the grade of a store without any is `low`.
    private var isFollowed: Bool { trust > .low }

    /// Judges an image that was there before and was not extracted anew.
    func judgeImage(_ found: ScannedEntry, _ known: Known, since before: Before, _ verdict: inout Verdict) {
        let accessed = min(found.accessed, startedAt)
        if let last = found.uses.last {
            count(found.uses, in: &verdict, afterMiss: false)
            verdict.watermark = max(known.accessed, last.at, isSettled(found) ? found.accessed : last.at)
            verdict.lastUsed = max(min(known.lastUsed, startedAt), min(last.at, startedAt), accessed)
            (verdict.evidence, verdict.confidence) = (.podmanEvents, max(trust, .low))
        } else if isNewer(found.accessed, than: known.accessed, since: before) {
            verdict.lastUsed = max(accessed, min(known.lastUsed, startedAt))
            (verdict.evidence, verdict.confidence) = (.podmanEvents, .low)
            if isFollowed, !isSettled(found) {
                verdict.watermark = known.accessed
            } else {
                verdict.access = .hit(at: accessed)
            }
        }
    }

    /// What is known of an image when it is first there, or extracted anew.
    ///
    /// Its first container belongs to the
    /// job that pulled it; uses before the pull were another image's of that name.
    func freshImage(_ found: ScannedEntry, _ access: Access) -> Verdict {
        let uses = found.uses.filter { $0.at >= found.fetched }
        let used = max(found.accessed, uses.last?.at ?? found.accessed)
        let grade: Confidence = isFollowed ? (before == nil ? min(trust, .medium) : trust) : .low
        let isUsed = used.nanoseconds > 0 && used >= found.fetched
        var verdict = Verdict(
            access: access, watermark: used, lastUsed: min(max(used, found.fetched), startedAt),
            evidence: isUsed ? .podmanEvents : before == nil ? .mtime : .firstSeen, confidence: grade)
        if case .miss = access { count(uses, in: &verdict, afterMiss: true) }
        return verdict.usedWhenFetched
    }

    private func isSettled(_ found: ScannedEntry) -> Bool { found.accessed + Self.settling <= startedAt }

    private func count(_ uses: [RecordedUse], in verdict: inout Verdict, afterMiss: Bool) {
        // Two uses at one instant of a coarse clock are one row in the index.
        var times = uses.map { min($0.at, startedAt) }
        if afterMiss {
            times = Array(times.dropFirst())
        } else if !times.isEmpty {
            verdict.access = .hit(at: times.removeFirst())
        }
        verdict.laterHits = times
    }
}
