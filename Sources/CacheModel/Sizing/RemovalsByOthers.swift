/// What others removed from a volume in a window, entry by entry, and what that cost.
///
/// No size spares what comes of it. Where nearly all went at once, that is a wipe, and not in here.
package struct RemovalsByOthers: Sendable, Hashable {
    /// How many times an entry was found to be gone.
    package var entries: Int64 = 0
    /// How many fetches brought one back.
    package var fetches: Int64 = 0
    /// How long the entry had not been used that was used last of all; nil where that is not known.
    package var youngest: Span?
    /// Whether whatever is not used for that long goes, again and again, such as by a nightly `find -atime +14 -delete`:
    /// it would go from a volume of any size.
    package var isRule = false

    /// Looks for them; nil where there were none.
    ///
    /// - Parameters:
    ///   - history: every recorded access.
    ///   - since: when the window began.
    init?(_ history: VolumeHistory, since: Timestamp) {
        let removed = Set(history.departures.lazy.filter { $0.reason == .removed }.map(\.entry))
        guard !removed.isEmpty else { return nil }
        var lastUsed: [Int64: Timestamp] = [:]
        for content in history.contents where removed.contains(content.entry) {
            lastUsed[content.entry] = content.lastUsed
        }
        var gone: Set<Int64> = []
        var changes = ReplayChanges(history)
        func pass(until time: Timestamp) {
            while let change = changes.next(until: time) {
                guard case .departure(let departure) = change else { continue }
                guard departure.reason == .removed else {
                    gone.remove(departure.entry)
                    continue
                }
                gone.insert(departure.entry)
                guard departure.at > since else { continue }
                entries += 1
                if let used = lastUsed[departure.entry], used <= departure.at {
                    youngest = min(youngest ?? (departure.at - used), departure.at - used)
                }
            }
        }
        for access in history.accesses {
            pass(until: access.at)
            guard removed.contains(access.entry) else { continue }
            lastUsed[access.entry] = access.at
            if gone.remove(access.entry) != nil, !access.isHit, access.at > since { fetches += 1 }
        }
        pass(until: history.lastScanAt)
        if entries == 0 { return nil }
        if let youngest { isRule = Self.isRule(history, since: since, entries, youngest) }
    }

    /// Whether enough went on several days over two weeks, nothing of it young, and hardly anything older is left.
    private static func isRule(
        _ history: VolumeHistory, since: Timestamp, _ entries: Int64, _ youngest: Span
    ) -> Bool {
        guard entries >= 20, youngest >= .days(2) else { return false }
        let times = Set(history.departures.lazy.filter { $0.reason == .removed && $0.at > since }.map(\.at))
            .sorted()
        guard let first = times.first, let last = times.last, times.count >= 3, last - first >= .days(14)
        else { return false }
        // From one removal to the next, what is due waits.
        let wait = (last - first).seconds / Int64(times.count - 1) * 2 + 86_400
        guard (history.lastScanAt - last).seconds <= wait + youngest.seconds else { return false }
        var lastUsed: [Int64: Timestamp] = [:]
        for content in history.contents { lastUsed[content.entry] = content.lastUsed }
        var changes = ReplayChanges(history)
        func pass(until time: Timestamp) {
            while let change = changes.next(until: time) {
                if case .departure(let departure) = change { lastUsed[departure.entry] = nil }
            }
        }
        for access in history.accesses {
            pass(until: access.at)
            lastUsed[access.entry] = access.at
        }
        pass(until: history.lastScanAt)
        let old = lastUsed.values.count { (history.lastScanAt - $0).seconds > youngest.seconds + wait }
        return old * 20 <= lastUsed.count
    }
}
