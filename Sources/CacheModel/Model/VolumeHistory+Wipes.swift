extension VolumeHistory {
    /// The fewest entries whose going at once is looked into.
    private static let fewest = 20

    /// When somebody else removed nearly all that was there, as a job that clears the cache does: at most one in ten
    /// entries that one scan saw was there still at the next.
    ///
    /// What Larder had evicted before would have gone from a larger volume then.
    package func foundWipes() -> [Wipe] {
        var removed: [Timestamp: Int] = [:]
        for departure in departures where departure.reason == .removed {
            removed[departure.at, default: 0] += 1
        }
        let suspects = removed.filter { $0.value >= Self.fewest }.keys.sorted()
        guard !suspects.isEmpty else { return [] }
        var present = Set(contents.map(\.entry))
        var changes = ReplayChanges(self)
        var (wipes, next): ([Wipe], Int) = ([], 0)
        func go(to time: Timestamp) {
            while next < accesses.count, accesses[next].at <= time {
                apply(until: accesses[next].at)
                present.insert(accesses[next].entry)
                next += 1
            }
            apply(until: time)
        }
        func apply(until time: Timestamp) {
            while let change = changes.next(until: time) {
                switch change {
                case .arrival(let arrival): present.insert(arrival.entry)
                case .departure(let departure): present.remove(departure.entry)
                case .wipe: break
                }
            }
        }
        for suspect in suspects {
            guard let before = samples.last(where: { $0.at < suspect })?.at else { continue }
            go(to: before)
            // What was fetched anew meanwhile, though it had been there, went as well.
            let fetched = accesses[next...].prefix { $0.at <= suspect }.filter { !$0.isHit }
            // Most scans that see some go see no wipe, and all that was there need not be copied for that.
            let most = fetched.count + (removed[suspect] ?? 0)
            guard (present.count - most) * 10 <= present.count else { continue }
            var left = present
            for access in fetched { left.remove(access.entry) }
            for departure in departures where departure.at == suspect { left.remove(departure.entry) }
            if left.count * 10 <= present.count {
                wipes.append(Wipe(at: before + Span(nanoseconds: 1), kept: left))
            }
        }
        return wipes
    }
}
