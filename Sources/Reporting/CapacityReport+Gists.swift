import CacheModel

/// What the folded parts of the page hold: a number and a sum for each, so that nobody has to open one to know whether
/// it matters.
extension CapacityReport.Volume {
    /// How many sizes are compared, and what they give.
    var sizesGist: String {
        let fitting = sizing.advice.filter { $0.fits || $0.bytes == limit }
        let tooSmall = sizing.advice.count - fitting.count
        guard let first = fitting.first, let last = fitting.last else {
            return "\(tooSmall) sizes, all of them too small"
        }
        return
            "\(first.bytes.whole) to \(last.bytes.whole) in \(Figures.count(Int64(fitting.count), "step", "steps")): "
            + "\(Figures.rate(first.rate.objects)) to \(Figures.rate(last.rate.objects))"
            + (tooSmall > 0 ? "; \(Figures.count(Int64(tooSmall), "size is", "sizes are")) too small" : "")
    }

    /// How many rules are compared, and what the best that knows no future gives.
    var policiesGist: String {
        let rates = sizing.policies.compactMap(\.rate.objects)
        return "\(Figures.count(Int64(sizing.policies.count), "rule", "rules")) at today's size: "
            + "\(Figures.rate(rates.min())) to \(Figures.rate(rates.max()))"
    }

    /// What the pools hold and served together.
    var poolsGist: String {
        let entries = space.pools.reduce(0) { $0 + $1.entries }
        let bytes = space.pools.reduce(ByteCount.zero) { $0 + $1.bytes }
        return
            "\(Figures.count(Int64(space.pools.count), "pool", "pools")) with \(Figures.entries(entries)), \(bytes); "
            + Figures.uses(rate.hits, rate.misses)
    }

    /// How many projects logs name, and what jobs fetched that no log names.
    var projectsGist: String {
        let unknown = projects?.unknown.missBytes ?? .zero
        return
            "\(Figures.count(Int64(projectShares.count), "project", "projects")); \(unknown) fetched by jobs that no "
            + "log names"
    }

    /// What came and went in the days of the window.
    var daysGist: String {
        let total = sizing.days.reduce(HitRate()) { $0 + $1.rate }
        let evicted = sizing.days.reduce(ByteCount.zero) { $0 + $1.evictedBytes }
        return
            "\(Figures.count(Int64(sizing.days.count), "day", "days")): \(Figures.uses(total.hits, total.misses)); \(total.missBytes) fetched, "
            + "\(evicted) evicted"
    }

    /// How many groups there are, and what of it has not been used for a month.
    var spaceGist: String {
        let bytes = space.ages.reduce(ByteCount.zero) { $0 + $1.bytes }
        let old = space.ages.dropFirst(3).reduce(ByteCount.zero) { $0 + $1.bytes }
        return
            "\(Figures.count(Int64(space.groups.count), "group", "groups")), \(bytes); \(old) of it not used for 30 days"
    }

    /// What the largest entries occupy, and those unused for longest.
    var entriesGist: String {
        func sum(_ entries: [CacheEntry], _ name: String) -> String {
            // Images share layers: their sizes do not add up.
            let bytes = entries.reduce(ByteCount.zero) { $0 + $1.bytes }
            return "the \(entries.count) \(name)\(kind == .imageStore ? "" : ", \(bytes)")"
        }
        return sum(space.largest, "largest") + "; " + sum(space.stalest, "unused for longest")
    }

    /// How many images are listed, and what all images occupy.
    var imagesGist: String {
        let bytes = space.pools.first { $0.pool == .images }?.bytes ?? .zero
        let containers = space.images.reduce(0) { $0 + ($1.found.image?.containers ?? 0) }
        return
            "\(Figures.count(Int64(space.images.count), "image", "images")), \(bytes) with what they share; "
            + "\(Figures.count(Int64(containers), "container", "containers"))"
    }

    /// How many findings there are, and what they come to.
    var savingsGist: String {
        let bytes = savings.reduce(ByteCount.zero) { $0 + $1.bytes }
        return savings.isEmpty
            ? "nothing was found" : "\(Figures.count(Int64(savings.count), "finding", "findings")), \(bytes)"
    }
}
