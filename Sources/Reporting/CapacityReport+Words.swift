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
        return "\(title): \(advised). \(promise(advice))"
    }

    /// What the recommended size gives and today's, in one sentence.
    func promise(_ advice: Recommendation) -> String {
        let (there, today) = (Self.day(advice.avoidablePerDay), Self.day(advice.avoidableTodayPerDay))
        return
            "\(advice.bytes.whole) is enough for \(Figures.rate(advice.rateAdvised)) of "
            + "accesses, with \(there) avoidable fetches a day; today's \(limit.whole) would serve "
            + "\(Figures.rate(advice.rateToday)), with \(today) a day."
    }

    /// What is to be done, as a word: `keep`, `grow`; nil without a recommendation.
    var action: String? {
        switch sizing.recommendation?.action {
        case .keep?: "keep"
        case .growNow?, .grow?: "grow"
        case nil: nil
        }
    }

    /// Until when; nil where nothing is to be done, or at once.
    var actionBy: Timestamp? {
        if case .grow(let day)? = sizing.recommendation?.action { day } else { nil }
    }

    /// What is to be done in a few words: `keep 60Gi`, `grow to 80Gi by 2027-03-03`.
    var advised: String {
        guard let advice = sizing.recommendation else { return "nothing can be advised yet" }
        return switch advice.action {
        case .keep: "keep \(limit.quantity)"
        case .growNow: "grow to \(advice.quantity)"
        case .grow(let day): "grow to \(advice.quantity) by \(day.description.prefix(10))"
        }
    }

    /// What the recommended size consists of; parts of nothing are left out.
    var parts: [(name: String, bytes: ByteCount)] {
        guard let advice = sizing.recommendation else { return [] }
        let sum = advice.enough + advice.growth + advice.headroom + advice.containers + advice.unmanaged
        return [
            ("needed", advice.enough), ("growth", advice.growth), ("headroom", advice.headroom),
            ("containers", advice.containers),
            ("in no pool and rounding", advice.unmanaged + max(.zero, advice.bytes - sum)),
        ].filter { $0.1 > .zero }
    }

    /// What today's size and the recommended one cost in a month; nil without a price.
    func cost(at price: (amount: Double, currency: String)?) -> String? {
        guard let price, let advice = sizing.recommendation else { return nil }
        func cost(_ size: ByteCount) -> String {
            let cents = (Double(size.bytes) / 1_073_741_824 * price.amount * 100).rounded()
            return
                "\(Int64(cents) / 100).\(Int64(cents) % 100 < 10 ? "0" : "")\(Int64(cents) % 100) \(price.currency)"
        }
        return advice.bytes == limit
            ? cost(limit) : "\(cost(limit)) today, \(cost(advice.bytes)) at \(advice.quantity)"
    }

    /// A number a day: `0`, `0.4`, `12`.
    static func day(_ number: Double) -> String {
        if number < 0.05 { return number > 0 ? "almost no" : "no" }
        return number < 10 ? short((number * 10).rounded() / 10) : Figures.grouped(Int64(number.rounded()))
    }

    /// Why that size, in one paragraph.
    var reason: String {
        guard let advice = sizing.recommendation else {
            return sizing.missing ?? "nothing is known of its use"
        }
        let allowed = Self.day(advice.allowed)
        var text =
            "What jobs did in \(Self.short((advice.days * 10).rounded() / 10)) days, replayed with the prunes of "
            + "this volume, needs \(advice.enough) for entries to keep avoidable fetches at \(allowed) a day or "
            + "fewer (\(Self.short((advice.terms.distance * 1000).rounded() / 10)) % of what jobs want in a day); a "
            + "volume without any limit would serve \(Figures.rate(advice.best)) of accesses."
        var parts: [String] = []
        let days = advice.terms.review.seconds / 86_400
        if advice.growth > .zero {
            parts.append("\(advice.growth) of growth in the \(days) days until the review")
        }
        if advice.headroom > .zero {
            parts.append(
                "\(advice.headroom) that the watermarks and the fetches between two prunes keep free")
        }
        if advice.containers > .zero { parts.append("\(advice.containers) for containers' copies of images") }
        if advice.unmanaged > .zero { parts.append("\(advice.unmanaged) of files that belong to no pool") }
        if !parts.isEmpty { text += " Added: \(Figures.list(parts))." }
        text += " Together: \(advice.quantity)."
        if doubtfulContainers > .zero {
            text +=
                " Not in it, as logs tell too little: up to \(doubtfulContainers) for containers' copies of images."
        }
        if advice.isBelowLimit {
            text +=
                " That is less than today's \(limit.whole): a PVC cannot shrink, so keep it, or move to a new one "
            text += "of \(advice.quantity)."
        }
        if confidence < .high { text += " Confidence is \(confidence.rawValue): \(doubt)." }
        return text
    }

    private var doubt: String {
        let days = sizing.history.seconds / 86_400
        if kind == .imageStore { return "only containers that still exist show which images were used" }
        if !evidence.reason.isEmpty { return evidence.reason }
        if !gaps.isEmpty, days >= 30 { return "scans are missing in the window" }
        if let calibration = sizing.calibration, calibration.confidence < .high, days >= 30 {
            return "the replay at today's size is off what was measured"
        }
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
            "\(subject) \(growth.perDay < 0 ? "shrinks" : "grows") by \(slope) a day (9 times in 10 the change is between "
            + "\(rate(growth.low)) and \(rate(growth.high))"
            + (growth.isCertain || growth.high < 0 ? ")" : ", so it may be none)")
        if let jump = forecast.jumpAt {
            text += ", of which one day, \(jump.description.prefix(10)), brought more than a third"
        }
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
        case .probation: "LRU with probation"
        case .lfu: "LFU"
        case .gdsf: "GDSF"
        case .sieve: "SIEVE"
        case .belady: "Belady (knows the future)"
        case .bound: "bound (none can pass)"
        }
    }
}
