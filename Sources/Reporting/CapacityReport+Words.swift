import CacheModel

extension CapacityReport.Volume {
    /// What people call the volume: `Build cache`, with its name where that is not `build`.
    var title: String {
        switch kind {
        case .buildCache: name == "build" ? "Build cache" : "Build cache \(name)"
        case .imageStore: name == "images" ? "Image store" : "Image store \(name)"
        }
    }

    /// The outcome in one sentence.
    var outcome: String {
        guard let advice = sizing.recommendation else {
            return "\(title): no size can be recommended yet. Missing: \(sizing.missing ?? "accesses")."
        }
        return
            "\(title): \(advice.bytes.whole) is enough for \(Figures.rate(advice.rateAdvised)) of accesses; "
            + "today's \(limit.whole) would serve \(Figures.rate(advice.rateToday))."
    }

    /// Why that size, in one paragraph.
    var reason: String {
        guard let advice = sizing.recommendation else {
            return sizing.missing ?? "nothing is known of its use"
        }
        let points = (advice.terms.distance * 1000).rounded() / 10
        var text =
            "\(advice.enough) keeps \(Figures.rate(advice.rate)) of accesses, within \(Self.short(points)) "
            + "\(points == 1 ? "point" : "points") of the best that any size reaches "
            + "(\(Figures.rate(advice.best)))."
        var parts: [String] = []
        let days = advice.terms.review.seconds / 86_400
        if advice.growth > .zero {
            parts.append("\(advice.growth) of growth in the \(days) days until the review")
        }
        if advice.headroom > .zero {
            let origin = advice.terms.headroom == nil ? "for what a day brings in" : "of headroom, as set"
            parts.append("\(advice.headroom) \(origin)")
        }
        if advice.containers > .zero { parts.append("\(advice.containers) for containers' copies of images") }
        if advice.unmanaged > .zero { parts.append("\(advice.unmanaged) of files that belong to no pool") }
        if !parts.isEmpty { text += " Added: \(Figures.list(parts))." }
        text += " Rounded up: \(advice.quantity)."
        if advice.isBelowLimit {
            text +=
                " That is less than today's \(limit.whole): a PVC cannot shrink, so keep it, or move to a new one "
            text += "of that size."
        }
        if confidence < .high { text += " Confidence is \(confidence.rawValue): \(doubt)." }
        return text
    }

    private var doubt: String {
        let days = sizing.history.seconds / 86_400
        if kind == .imageStore { return "only containers that still exist show which images were used" }
        if !evidence.reason.isEmpty { return evidence.reason }
        return "there are \(days) days of history"
    }

    /// How it grows and when it is full, in one sentence; nil where that cannot be told.
    var forecast: String? {
        guard let forecast = sizing.bytesForecast else { return nil }
        let growth = forecast.growth
        func rate(_ bytes: Double) -> String { (bytes < 0 ? "-" : "") + "\(ByteCount(Int64(abs(bytes))))" }
        let subject = forecast.basis == .demand ? "What jobs use in a week" : "It"
        let slope = "\(ByteCount(Int64(abs(growth.perDay))))"
        var text =
            "\(subject) \(growth.perDay < 0 ? "shrinks" : "grows") by \(slope) a day (9 times in 10 the change is between \(rate(growth.low)) and "
            + "\(rate(growth.high)))"
        if let full = forecast.fullAt {
            let last = forecast.latest.map { String($0.description.prefix(10)) } ?? "never"
            let first = forecast.earliest.map { String($0.description.prefix(10)) } ?? "never"
            text +=
                "; it reaches \(limit.whole) about \(full.description.prefix(10)), between \(first) and \(last)."
        } else {
            text += "; at that pace it does not reach \(limit.whole)."
        }
        return text
    }

    static func short(_ number: Double) -> String {
        number == number.rounded() ? "\(Int64(number))" : "\((number * 10).rounded() / 10)"
    }
}

extension ByteCount {
    /// Whole gibibytes without a decimal: `20 GiB`.
    var whole: String { bytes > 0 && bytes % (1 << 30) == 0 ? "\(bytes >> 30) GiB" : description }
}

extension CachePolicy {
    /// What people call it.
    var title: String {
        switch self {
        case .lru: "LRU (Larder's)"
        case .lfu: "LFU"
        case .gdsf: "GDSF"
        case .sieve: "SIEVE"
        case .belady: "Belady (knows the future)"
        case .bound: "bound (none can pass)"
        }
    }
}
