/// What shows the use of an image: the event logs where they are followed, and what the store itself keeps, the
/// newest container and the newest pull.
///
/// The two must not count one use twice. Where events tell of uses since the last scan, they alone are counted;
/// else what the store shows is, once it is old enough that its event would have been written.
///
/// The first container after a pull belongs to the job that pulled, whichever side of a scan it fell on: it is
/// part of that pull's miss and no hit. That holds for an hour, as long as a GitLab job may run unless it is told
/// otherwise; who comes later found the image there. It does not hold for what Larder pulled to have it ready: the
/// first container is what that was done for.
extension AccessRule {
    /// How long after a pull its first container belongs to it.
    package static let pullersTime = Span.hours(1)

    /// How much later than the store's record an event may appear in its log.
    private static let settling = Span.minutes(1)

    /// Whether event logs are read: the grade of a store without any is `low`.
    private var isFollowed: Bool { trust > .low }

    /// Judges an image that was there before and was not extracted anew.
    package func judgeImage(
        _ found: ScannedEntry, _ known: Known, since before: Before, _ verdict: inout Verdict
    ) {
        let accessed = min(found.accessed, startedAt)
        // No container was seen since the pull was.
        let isUnused = known.accessed < found.fetched && !known.warmed
        if let last = found.uses.last {
            let isPullers = isUnused && isInPullersTime(found.uses.first?.at, of: found)
            count(found.uses, in: &verdict, withoutFirst: isPullers)
            verdict.watermark = max(known.accessed, last.at, isSettled(found) ? found.accessed : last.at)
            verdict.lastUsed = max(min(known.lastUsed, startedAt), min(last.at, startedAt), accessed)
            (verdict.evidence, verdict.confidence) = (.podmanEvents, max(trust, .low))
        } else if isNewer(found.accessed, than: known.accessed, since: before) {
            verdict.lastUsed = max(accessed, min(known.lastUsed, startedAt))
            (verdict.evidence, verdict.confidence) = (.podmanEvents, .low)
            if isFollowed, !isSettled(found) {
                verdict.watermark = known.accessed
            } else if !(isUnused && isInPullersTime(found.accessed, of: found)) {
                verdict.access = .hit(at: accessed)
            }
        }
    }

    /// What is known of an image when it is first there, or extracted anew.
    ///
    /// Uses before the pull were another image's of that name.
    package func freshImage(_ found: ScannedEntry, _ access: Access) -> Verdict {
        let uses = found.uses.filter { $0.at >= found.fetched }
        let used = max(found.accessed, uses.last?.at ?? found.accessed)
        let grade: Confidence = isFollowed ? (before == nil ? min(trust, .medium) : trust) : .low
        let isUsed = used.nanoseconds > 0 && used >= found.fetched
        // Its event may come yet, and must not be taken for the second use then.
        let isAwaited = before != nil && isFollowed && !isSettled(found)
        let watermark = isAwaited ? uses.last?.at ?? Timestamp(nanoseconds: 0) : used
        var verdict = Verdict(
            access: access, watermark: watermark, lastUsed: min(max(used, found.fetched), startedAt),
            evidence: isUsed ? .podmanEvents : before == nil ? .mtime : .firstSeen, confidence: grade)
        if case .miss = access {
            countLater(uses, in: &verdict, withoutFirst: isInPullersTime(uses.first?.at, of: found))
        }
        return verdict.usedWhenFetched
    }

    private func isSettled(_ found: ScannedEntry) -> Bool { found.accessed + Self.settling <= startedAt }

    private func isInPullersTime(_ use: Timestamp?, of found: ScannedEntry) -> Bool {
        guard let use else { return false }
        return use >= found.fetched && use <= found.fetched + Self.pullersTime
    }

    private func count(_ uses: [RecordedUse], in verdict: inout Verdict, withoutFirst: Bool) {
        countLater(uses, in: &verdict, withoutFirst: withoutFirst)
        if !verdict.laterHits.isEmpty { verdict.access = .hit(at: verdict.laterHits.removeFirst()) }
    }

    private func countLater(_ uses: [RecordedUse], in verdict: inout Verdict, withoutFirst: Bool) {
        // Two uses at one instant of a coarse clock are one row in the index.
        verdict.laterHits = uses.dropFirst(withoutFirst ? 1 : 0).map { min($0.at, startedAt) }
    }
}
