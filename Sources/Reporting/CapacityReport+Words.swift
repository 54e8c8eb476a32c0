import CacheModel
import Glibc

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
        let (there, today) = (
            Self.avoidable(advice.avoidablePerDay), Self.day(advice.avoidableTodayPerDay)
        )
        if let inodes = advice.inodes, let have = self.inodes {
            let bytes = advice.sum - advice.forInodes
            return
                "Its inodes run out before its bytes do: about \(Figures.grouped(inodes)) are needed, and a prune starts "
                + "above \(Figures.grouped(have.quota.high)). For bytes alone, \(bytes) would be enough for "
                + "\(Figures.rate(advice.rateAdvised)) of accesses."
        }
        let served =
            "today's \(limit.whole) would serve \(Figures.rate(advice.rateToday))"
        if let cure {
            let fetches = advice.avoidableTodayPerDay
            return
                "\(served.capitalizedFirst) of accesses, with \(Self.avoidable(fetches)) a day, and "
                + "no larger volume would serve more: \(cure)."
        }
        return
            "\(advice.bytes.whole) is enough for \(Figures.rate(advice.rateAdvised)) of "
            + "accesses, with \(there) a day; \(served), with "
            + "\(today == "no" ? "none" : today == "almost no" ? "almost none" : today) a day"
            + (isUnpruned ? " if it were pruned, which it never was." : ".")
    }

    /// Whether the volume is above its limit, and no prune ran in its history.
    private var isUnpruned: Bool { usedBytes > limit && !sizing.prunes.ran }

    /// That the volume is above its limit; nil where it is not.
    var overSentence: String? {
        guard usedBytes > limit else { return nil }
        let share = Figures.percent(usedBytes, of: limit)
        let days = Figures.count(sizing.history.seconds / 86_400, "day", "days")
        return "It is above its limit: \(usedBytes) of \(limit.whole) (\(share)). "
            + (sizing.prunes.ran
                ? "See `larder plan --volume \(name)` for what keeps prunes from bringing it down."
                : "No prune has run in the \(days) of its history: see that `larder prune` runs on a schedule.")
    }

    /// What would end that a pool's own quota or `max_idle` costs fetches at any size; nil where none does.
    private var cure: String? {
        if let quota = sizing.bottlenecks.first {
            return
                "the quota of pool \(quota.pool.rawValue), \(quota.limit.whole), costs them. With a quota of "
                + "\(quota.needed.quantity) that would be over; without one, a volume that is large enough would serve "
                + "\(Figures.rate(quota.without.rate.objects))"
        }
        return sizing.idleBottlenecks.first.map { idle in
            "`max_idle: \(idle.limit)` of pool \(idle.pool.rawValue) costs them. With `max_idle: \(idle.needed)` that "
                + "would be over; without any, a volume that is large enough would serve "
                + "\(Figures.rate(idle.without.rate.objects))"
        }
    }

    /// Whether it is a pool's own setting that costs fetches, so that today's size is to be kept until that is changed.
    var isHeldBack: Bool {
        guard let advice = sizing.recommendation else { return false }
        return !costlyPools.isEmpty && advice.isBelowLimit
    }

    /// The pools of which a setting of their own costs fetches at any size.
    private var costlyPools: [String] {
        sizing.bottlenecks.map(\.pool.rawValue) + sizing.idleBottlenecks.map(\.pool.rawValue)
    }

    /// What is to be done, as a word: `keep`, `grow`; nil without a recommendation.
    package var action: String? {
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
    package var advised: String {
        guard let advice = sizing.recommendation else { return "nothing can be advised yet" }
        return switch advice.action {
        case .keep: "keep \(limit.claim ?? "today's \(limit)")"
        case .growNow: "grow to \(advice.quantity)"
        case .grow(let day): "grow to \(advice.quantity) by \(day.description.prefix(10))"
        }
    }

    /// What the recommended size consists of; parts of nothing are left out.
    var parts: [(name: String, bytes: ByteCount)] {
        guard let advice = sizing.recommendation else { return [] }
        let sum = advice.sum
        return [
            ("needed", advice.enough - advice.protected), ("protected", advice.protected),
            ("growth", advice.growth), ("trash", advice.trash), ("headroom", advice.headroom),
            ("containers", advice.containers),
            ("in no pool", advice.unmanaged),
            ("for inodes", advice.forInodes),
            (advice.bytes == limit ? "not needed" : "rounded up", max(.zero, advice.bytes - sum)),
        ].filter { $0.1 > .zero }
    }

    /// What today's size and the recommended one cost in a month; nil without a price.
    package func cost(at price: (amount: Double, currency: String)?) -> String? {
        guard let price, let advice = sizing.recommendation else { return nil }
        let today = "\(Self.cost(limit, price)) at today's \(limit.whole)"
        // A size for quotas that cost fetches is none to be advised.
        return advice.bytes == limit || isHeldBack
            ? today : "\(today), \(Self.cost(advice.bytes, price)) at \(advice.quantity)"
    }

    /// What a size costs in a month.
    static func cost(_ size: ByteCount, _ price: (amount: Double, currency: String)) -> String {
        "\(money(size.monthlyCost(at: price.amount))) \(price.currency)"
    }

    /// An amount of money without its currency: `4.80`, and two digits that count of what is less than ten cents, so that
    /// the costs of two sizes can be told apart: `0.0059`.
    static func money(_ amount: Double) -> String {
        if amount > 0, amount < 0.1 {
            if amount < 0.0001 { return "<0.0001" }
            let places = Int((-log10(amount)).rounded(.up)) + 1
            let text = String(Int64((amount * pow(10, Double(places))).rounded()))
            return "0." + String(repeating: "0", count: max(0, places - text.count)) + text
        }
        let cents = (amount * 100).rounded()
        let whole = Int64(min(cents, 9e18))
        return "\(whole / 100).\(whole % 100 < 10 ? "0" : "")\(whole % 100)"
    }

    /// A number a day: `0`, `0.4`, `12`.
    static func day(_ number: Double) -> String {
        if number < 0.05 { return number > 0 ? "almost no" : "no" }
        return number < 10 ? short((number * 10).rounded() / 10) : Figures.grouped(Int64(number.rounded()))
    }

    /// A number of fetches a day: `1 avoidable fetch`, `0.4 avoidable fetches`.
    static func avoidable(_ number: Double) -> String { fetches(number, "avoidable ") }

    /// The same with another word before them: `1 more fetch`.
    static func fetches(_ number: Double, _ word: String) -> String {
        let text = day(number)
        return "\(text) \(word)\(text == "1" ? "fetch" : "fetches")"
    }

    /// Why that size, in one paragraph.
    var reason: String {
        guard let advice = sizing.recommendation else {
            return sizing.missing ?? "nothing is known of its use"
        }
        // A target is no "almost no".
        let allowed =
            advice.allowed > 0 && advice.allowed < 0.05
            ? "0.0\(Int((advice.allowed * 100).rounded(.up)))" : Self.day(advice.allowed)
        var text =
            "What jobs did in \(Self.short((advice.days * 10).rounded() / 10)) days, replayed with the prunes of "
            + "this volume, needs \(advice.enough) for entries\(burst) "
            + (advice.isForBusiestDay
                ? "as less would be full on the busiest day, though avoidable fetches would stay at \(allowed) a day "
                : "to keep avoidable fetches at \(allowed) a day ")
            + "or fewer (\(Self.short((advice.terms.distance * 1000).rounded() / 10)) % of what jobs want in a day)"
        if costlyPools.isEmpty {
            text += "; a volume without any limit would serve \(Figures.rate(advice.best)) of accesses."
        } else {
            let name = sizing.bottlenecks.isEmpty ? "max_idle" : "quota"
            text +=
                ", beside those that a pool's own \(name) costs (\(Figures.list(costlyPools))); with it, a volume of any size would serve "
                + "\(Figures.rate(advice.best)) of accesses at most."
        }
        if advice.protected > .zero {
            text += " Of the entries, \(advice.protected) are protected: no prune takes them."
        }
        var parts: [String] = []
        let days = advice.terms.review.seconds / 86_400
        if advice.growth > .zero {
            let protected =
                advice.protectedGrowth > .zero
                ? ", \(advice.protectedGrowth) of it of protected entries," : ""
            parts.append("\(advice.growth) of growth\(protected) in the \(days) days until the review")
        }
        if advice.trash > .zero {
            parts.append("\(advice.trash) that waits in the trash when it is fullest")
        }
        if advice.headroom > .zero {
            parts.append("\(advice.headroom) that the watermarks keep free")
        }
        if advice.containers > .zero { parts.append("\(advice.containers) for containers' copies of images") }
        if advice.unmanaged > .zero { parts.append("\(advice.unmanaged) of files that belong to no pool") }
        if advice.forInodes > .zero, let inodes = advice.inodes {
            parts.append("\(advice.forInodes) for the \(Figures.grouped(inodes)) inodes of all that")
        }
        if !parts.isEmpty { text += " Added: \(Figures.list(parts))." }
        let sum = advice.sum
        text +=
            advice.bytes == limit
            ? " Together \(sum): today's \(limit.whole) is enough."
            : " Together \(sum), rounded up: \(advice.quantity)."
        if doubtfulContainers > .zero {
            text +=
                " Not in it, as logs tell too little: up to \(doubtfulContainers) for containers' copies of images."
        }
        if !costlyPools.isEmpty {
            let name =
                sizing.bottlenecks.isEmpty ? "max_idle: a longer one needs" : "quotas: larger ones need"
            text += " That is a size for today's \(name) more of the volume."
        } else if advice.isBelowLimit {
            text +=
                " That is less than today's \(limit.whole): a PVC cannot shrink, so keep it"
            // Fewer bytes mean fewer inodes, which run out first.
            text += inodesDecide ? "." : ", or move to a new one of \(advice.quantity)."
        }
        if confidence < .high { text += " Confidence is \(confidence.rawValue): \(doubt)." }
        return text
    }

    /// What of the need comes in between two prunes; empty where nothing did.
    private var burst: String {
        let most = sizing.days.map(\.rate.missBytes).max() ?? .zero
        return most > .zero ? ", with what is fetched between two prunes (up to \(most) a day)," : ""
    }

    private var doubt: String {
        let days = sizing.history.seconds / 86_400
        if inodesDecide { return "inodes run out before bytes do" }
        if kind == .imageStore { return "only containers that still exist show which images were used" }
        if !evidence.reason.isEmpty { return evidence.reason }
        if !gaps.isEmpty, days >= 30 { return "scans are missing in the window" }
        if let calibration = sizing.calibration, calibration.confidence < .high, days >= 30 {
            return "the replay at today's size is off what was measured"
        }
        if let change = sizing.demandChange, days >= 30 {
            return "what jobs use changed about \(Self.date(change.at))"
        }
        if sizing.rareDay != nil, days >= 30 { return "one day asks for much of it" }
        if sizing.longStay != nil, days >= 30 { return "the history is short for that size" }
        if let change = sizing.limitChange, sizing.calibration == nil {
            return "the limit was changed on \(Self.date(change.at)), too recently for a calibration"
        }
        return "there are \(days) days of history"
    }

    /// How it grows and when it is full, in one sentence; nil where that cannot be told.
    var forecast: String? {
        guard let forecast = sizing.bytesForecast else { return nil }
        let growth = forecast.growth
        func rate(_ bytes: Double) -> String {
            let size = ByteCount(Int64(abs(bytes)))
            return (bytes < 0 && size > .zero ? "-" : "") + "\(size)"
        }
        let subject =
            switch forecast.basis {
            case .used: "It"
            case .demand where forecast.protected != nil: "What jobs use in a week, with what is protected,"
            case .demand: "What jobs use in a week"
            }
        // What comes to less than a thousandth of the limit in a hundred days is the noise of blocks.
        let noise = max(1, Double(limit.bytes) / 100_000)
        let isStill = abs(growth.low) < noise && abs(growth.high) < noise
        var text =
            isStill
            ? "\(subject) does not grow"
            : "\(subject) \(growth.perDay < 0 ? "shrinks" : "grows") by \(ByteCount(Int64(abs(growth.perDay)))) a day"
        if !isStill, rate(growth.low) != rate(growth.high) {
            text +=
                " (9 times in 10 the change is between \(rate(growth.low)) and \(rate(growth.high))"
                + (growth.isCertain || growth.high < 0 ? ")" : ", so it may be none)")
        }
        if let jump = forecast.jumpAt.map(Self.date) {
            text +=
                forecast.excludesJump
                ? ", a jump about \(jump) aside" : ", of which one day, \(jump), brought more than a third"
        }
        if let passed = forecast.passedAt {
            return text
                + (forecast.basis == .used
                    ? "; it has been above \(limit.whole) since \(Self.date(passed))."
                    : "; in the last week that was more than \(limit.whole).")
        }
        if let full = forecast.fullAt {
            return text + "; it reaches \(limit.whole) about \(Self.date(full)), between "
                + "\(Self.date(forecast.earliest)) and \(Self.date(forecast.latest))."
        }
        return text
            + (isStill
                ? ", so that it does not reach \(limit.whole)."
                : growth.isCertain || growth.perDay < 1
                    ? "; at that pace it does not reach \(limit.whole)." : ".")
    }

    static func short(_ number: Double) -> String {
        number == number.rounded() ? "\(Int64(number))" : "\((number * 10).rounded() / 10)"
    }
}

extension String {
    /// The same with a capital first letter.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}

extension ByteCount {
    /// What it costs in a month where a gibibyte costs that much.
    func monthlyCost(at price: Double) -> Double { Double(bytes) / 1_073_741_824 * price }

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
