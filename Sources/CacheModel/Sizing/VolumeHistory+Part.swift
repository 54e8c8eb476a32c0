extension VolumeHistory {
    /// The same history where those of some entries that came without a fetch were there from its beginning.
    func withArrivals(ofAll entries: Set<Int64>) -> VolumeHistory {
        var history = self
        func isLasting(_ arrival: Arrival) -> Bool { !arrival.isReturn && entries.contains(arrival.entry) }
        history.arrivals.removeAll(where: isLasting)
        guard history.arrivals.count < arrivals.count else { return self }
        history.contents += arrivals.lazy.filter(isLasting).map {
            Content(entry: $0.entry, bytes: $0.bytes, lastUsed: $0.at)
        }
        return history
    }

    /// The same history where others remove what was not used for that long; where they do not, nil.
    func with(removedAfter: Span?) -> VolumeHistory {
        var history = self
        history.removedAfter = removedAfter
        return history
    }

    /// The same history where what belongs to no pool was more or less at other times.
    func with(unmanagedMore: [(at: Timestamp, bytes: Int64)]) -> VolumeHistory {
        var history = self
        history.unmanagedMore = unmanagedMore
        return history
    }

    /// What belonged to no pool at each scan, less what does now; empty where no scan noted it, and for images, whose
    /// containers' copies come and go in no pool.
    func unmanaged(beyond now: ByteCount) -> [(at: Timestamp, bytes: Int64)] {
        guard layers.ofImage.isEmpty else { return [] }
        return samples.compactMap { sample in sample.unmanaged.map { (sample.at, ($0 - now).bytes) } }
    }

    /// The same history where some entries were never used, and did not come without a fetch.
    func without(_ entries: Set<Int64>) -> VolumeHistory {
        var history = self
        history.accesses.removeAll { entries.contains($0.entry) }
        history.arrivals.removeAll { entries.contains($0.entry) }
        history.departures.removeAll { entries.contains($0.entry) }
        return history
    }

    /// The entries that were used, but not after that time.
    func unused(since time: Timestamp) -> Set<Int64> {
        var unused = Set(accesses.lazy.filter { $0.at <= time }.map(\.entry))
        for access in accesses where access.at > time { unused.remove(access.entry) }
        return unused
    }

    /// The history from one instant to another, beginning with what was there then.
    ///
    /// What lies before and after is left out, but for what it tells of the accesses: what comes back after an eviction
    /// is regret, however long ago that was.
    func part(from begin: Timestamp, to end: Timestamp) -> VolumeHistory {
        var present: [Int64: Content] = [:]
        for content in contents { present[content.entry] = content }
        var changes = ReplayChanges(self)
        func apply(until time: Timestamp) {
            while let change = changes.next(until: time) {
                switch change {
                case .arrival(let arrival):
                    present[arrival.entry] = Content(
                        entry: arrival.entry, bytes: arrival.bytes, lastUsed: arrival.at)
                case .departure(let departure): present[departure.entry] = nil
                case .wipe(let wipe): present = present.filter { wipe.kept.contains($0.key) }
                }
            }
        }
        for access in accesses where access.at <= begin {
            apply(until: access.at)
            present[access.entry] = Content(entry: access.entry, bytes: access.size, lastUsed: access.at)
        }
        apply(until: begin)
        var part = self
        part.lastScanAt = min(end, lastScanAt)
        part.beganAt = max(begin, beganAt)
        part.knownSince = max(begin, knownSince)
        part.contents = present.values.sorted { ($0.lastUsed, $0.entry) < ($1.lastUsed, $1.entry) }
        for (place, event) in ReplayTrace.events(of: self).enumerated() where event == .refetch {
            part.accesses[place].isRegret = true
        }
        part.accesses.removeAll { $0.at <= begin || $0.at > end }
        part.samples.removeAll { $0.at < begin || $0.at > end }
        let more = unmanagedMore.last { $0.at <= begin }.map { [(at: begin, bytes: $0.bytes)] } ?? []
        part.unmanagedMore = more + unmanagedMore.filter { $0.at > begin && $0.at <= end }
        part.evictions.removeAll { $0.at <= begin || $0.at > end }
        part.wipes.removeAll { $0.at <= begin || $0.at > end }
        part.arrivals.removeAll { $0.at <= begin || $0.at > end }
        part.departures.removeAll { $0.at <= begin || $0.at > end }
        return part
    }
}
