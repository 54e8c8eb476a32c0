import CacheModel

extension CapacityReport.Volume {
    /// What jobs use and bring in, how good the curve is, how the inodes go: a sentence for each.
    ///
    /// What is not known is left out.
    var sentences: [String] { [firstDaysSentence, protectedSentence].compactMap { $0 } + doubts + basis }

    /// What speaks against the figures: that they are those of two limits, of a copied cache, or have gaps.
    var doubts: [String] {
        [
            inodeDoubt, limitSentence, demandSentence, rareDaySentence, staySentence, wipeSentence,
            removalSentence,
            passingSentence,
            copiedSentence,
            inrushSentence, gapSentence,
        ].compactMap {
            $0
        }
    }

    /// What the figures rest on, and what else is known.
    var explanations: [String] { [protectedSentence].compactMap { $0 } + basis }

    private var basis: [String] {
        [
            calibrationSentence, setSentence, cadenceSentence, churnSentence, orderSentence, samplingSentence,
            inodeSentence,
        ].compactMap { $0 }
    }

    /// How well the replay tells what was measured.
    var calibrationSentence: String? {
        guard let calibration = sizing.calibration, let objects = calibration.objects else {
            return sizing.curve == nil || sizing.limitChange == nil
                ? nil
                : "Calibration: today's limit must have held for \(VolumeSizing.calibrationDays) days in which jobs ran "
                    + "before a replay of it can be compared with what was measured."
        }
        if !sizing.prunes.ran {
            return "Calibration: no prune has run, so a replay without prunes gives what was measured "
                + "(\(Figures.rate(calibration.measured.objects))); how well prunes are predicted is not known."
        }
        let since = sizing.limitChange.map { " since \(Self.date($0.at)), when the limit was changed" } ?? ""
        func points(_ part: Double) -> String { Self.short((abs(part) * 1000).rounded() / 10) }
        let bytes = calibration.bytes.map { ", over bytes \(points($0))" } ?? ""
        return
            "Calibration\(since): at today's size the replay gives \(Figures.rate(calibration.predicted.objects)), and "
            + "\(Figures.rate(calibration.measured.objects)) was measured; it is off by \(points(objects)) points"
            + "\(bytes).\(otherToday)"
    }

    /// Why what is said of today's size is not what the calibration says of it; empty where it is.
    private var otherToday: String {
        guard let advice = sizing.recommendation, let calibration = sizing.calibration,
            let replayed = calibration.predicted.objects, abs(advice.rateToday - replayed) >= 0.01
        else { return "" }
        let further =
            calibration.furtherPrunes == 0
            ? ""
            : ", of which \(calibration.furtherPrunes) went further than to the low watermark (`--to`, `--key`)"
        return
            " That replay takes the prunes that ran\(further); the \(Figures.rate(advice.rateToday)) that today's size would "
            + "serve is for prunes at the times of the schedule, wherever the volume is between two of them."
    }

    /// What no prune takes, and how it grows; nil where it is hardly anything.
    var protectedSentence: String? {
        let growth = sizing.protectedGrowth.flatMap { $0.isCertain ? $0 : nil }
        guard
            sizing.protectedBytes.bytes > limit.bytes / 20
                || (growth?.perDay ?? 0) > Double(limit.bytes) / 10_000
        else { return nil }
        let text =
            "Protected: \(sizing.protectedBytes) (\(Figures.percent(sizing.protectedBytes, of: limit)) of the limit)"
        guard let growth else { return text + "; no prune takes that." }
        func size(_ bytes: Double) -> ByteCount { ByteCount(Int64(max(0, bytes))) }
        return text
            + ", which grows by \(size(growth.perDay)) a day (9 times in 10 between \(size(growth.low)) and "
            + "\(size(growth.high))); no prune takes that, so no limit holds it. `larder plan --volume \(name)` names "
            + "the reasons."
    }

    /// That the window saw two limits; nil where it did not.
    var limitSentence: String? {
        sizing.limitChange.map {
            "The limit was changed from \($0.before.whole) to \(limit.whole) about \(Self.date($0.at)): hit rates, fetches "
                + "and regret of the window are those of both."
        }
    }

    /// That jobs use more or less since some day of the window, and what size that asks for; nil where they do not.
    var demandSentence: String? {
        guard let change = sizing.demandChange, let advice = sizing.recommendation else { return nil }
        let text =
            "What jobs use in a week \(change.isMore ? "rose" : "fell") from \(change.before) to \(change.after) about "
            + "\(Self.date(change.at))"
        guard let enough = change.enough else {
            return text + ": ask again when that has lasted \(change.isMore ? "a week" : "two weeks")."
        }
        if change.isMore { return text + ": \(advice.bytes.whole) is enough for what they did since." }
        guard enough < advice.bytes else { return text + "." }
        return text + ". The size is enough for what they did before as well; for what they do since, "
            + "\(enough.quantity) would be."
    }

    /// That one day asks for much of the size, and what would do without it; nil where none does.
    var rareDaySentence: String? {
        guard let rare = sizing.rareDay else { return nil }
        return
            "Much of that size is for one day: in the 24 hours before \(Self.minute(rare.end)) UTC came \(rare.bytes) that "
            + "no other day of the window used. Without it, \(rare.enough.quantity) would be enough; but on such a day that would be full, "
            + "and fetches fail."
    }

    /// That the history is short for the size; nil where it is not.
    var staySentence: String? {
        guard let stay = sizing.longStay, let advice = sizing.recommendation else { return nil }
        let days = Figures.count(sizing.history.seconds / 86_400, "day", "days")
        return
            "At \(advice.quantity) an entry that nobody uses stays for about \(stay.age), and the history has \(days): how "
            + "often jobs come back after so long is hardly known yet."
    }

    /// That somebody else removed nearly all that was there; nil where nobody did.
    var wipeSentence: String? {
        wipes.last.map {
            "Nearly all that was there was removed by another hand "
                + (wipes.count == 1 ? "once" : "\(wipes.count) times")
                + " in the window, last after the scan of \(Self.minute($0.at)) UTC: "
                + "what is fetched after that is spared by no size."
        }
    }

    /// That what belongs to no pool comes and goes; nil where it does not.
    var passingSentence: String? {
        guard sizing.mostUnmanaged > space.unmanaged else { return nil }
        return
            "What belongs to no pool comes and goes: it was up to \(sizing.mostUnmanaged) in the window, and is \(space.unmanaged) "
            + "now. Sizes are told with it."
    }

    /// That others remove entries, and what that costs; nil where it is hardly anything.
    var removalSentence: String? {
        guard let removals = sizing.removals else { return nil }
        let days = max(1, Double(sizing.days.count))
        let misses = sizing.days.reduce(0) { $0 + $1.rate.misses }
        guard removals.fetches * 20 > misses || Double(removals.entries) >= days else { return nil }
        let perDay = Self.short((Double(removals.entries) / days * 10).rounded() / 10)
        let fetches = "\(Figures.count(removals.fetches, "fetch", "fetches")) in the window brought some back"
        if removals.isRule, let age = removals.youngest?.age {
            return
                "Another hand removes what was not used for \(age), \(perDay) entries a day: \(fetches), which no size spares. "
                + "All sizes are told for that."
        }
        let youngest = removals.youngest.map { ", of which none had been used for \($0.age)" } ?? ""
        return "Another hand removes \(perDay) entries a day\(youngest): \(fetches), which no size spares."
    }

    /// That much of what is there was copied in; nil where hardly anything was.
    var copiedSentence: String? {
        copied.map {
            "\(Figures.entries($0.entries)), \($0.bytes), arrived by copy in the window, the last of them before "
                + "\(Self.date($0.last)): they count as neither hit nor miss, as no job fetched them."
        }
    }

    /// That one day brought most of what was fetched, and what the hit rate is without it; nil where none did.
    var inrushSentence: String? {
        let fetched = sizing.days.reduce(ByteCount.zero) { $0 + $1.rate.missBytes }
        guard let most = sizing.days.max(by: { $0.rate.missBytes < $1.rate.missBytes }),
            sizing.days.count >= VolumeSizing.daysNeeded, most.rate.missBytes > fetched - most.rate.missBytes,
            most.rate.missBytes.bytes > limit.bytes / 20
        else { return nil }
        let others = sizing.days.reduce(HitRate()) { $1.end == most.end ? $0 : $0 + $1.rate }
        return
            "Of the \(fetched) that came in the window, \(most.rate.missBytes) came in the 24 hours before "
            + "\(Self.minute(most.end)) UTC. If a cache was copied in, no job fetched that, and hit rates are too low: without that "
            + "day \(Figures.rate(others.objects))."
    }

    /// Which days no scan saw; nil where none is missing.
    var gapSentence: String? {
        guard let first = gaps.first else { return nil }
        let more = gaps.count > 1 ? ", and \(gaps.count - 1) times more" : ""
        return
            "Scans are missing: none was made between \(first.from) and \(first.to)\(more). What several jobs used in "
            + "that time counts once, and what came and went in it is not known."
    }

    /// That the recommended size gives less at first; nil where it does not.
    var firstDaysSentence: String? {
        guard let advice = sizing.recommendation, let first = advice.first, let rate = first.rate.objects,
            advice.rateAdvised - rate >= 0.005
        else { return nil }
        let days = Int64((advice.days).rounded())
        if advice.bytes <= limit, let change = sizing.limitChange {
            return
                "In the next \(Figures.count(days, "day", "days")), \(limit.whole) will serve \(Figures.rate(rate)): not "
                + "all that was evicted while the limit was \(change.before.whole) has been fetched again."
        }
        return
            "In the first \(Figures.count(days, "day", "days")) after it has grown, \(advice.quantity) will serve "
            + "\(Figures.rate(rate)): what was evicted before is fetched once more, and then it stays."
    }

    /// What the size brings that was asked for, and what it costs.
    func askedSentence(_ price: (amount: Double, currency: String)?) -> String? {
        guard let asked = sizing.asked, let curve = sizing.curve else {
            return askedSize.map { "What \($0.whole) would serve cannot be told for the same reason." }
        }
        let costs = price.map { " It costs \(Self.cost(asked.bytes, $0)) a month." } ?? ""
        guard asked.fits else {
            return "\(asked.bytes.whole) is too small: "
                + (asked.lacksInodes ? lack(asked) : Self.overflow(of: asked, in: curve))
                + ", and what does not fit then fails.\(costs)"
        }
        let trash =
            asked.outcome.peakTrash > .zero ? ", \(asked.outcome.peakTrash) of it in the trash" : ""
        return "\(asked.bytes.whole) would serve \(Figures.rate(asked.rate.objects)) of accesses, with "
            + "\(Self.avoidable(Double(asked.outcome.avoidable) / curve.days)) a day; at most "
            + "\(asked.outcome.peak) would be used between two prunes\(trash)."
            + costs
    }

    /// That a size runs out of inodes.
    private func lack(_ asked: SizeAdvice) -> String {
        let needed = sizing.recommendation?.inodes ?? 0
        let there = Int64(Double(asked.bytes.bytes) * (inodeNeed?.perVolumeByte ?? 0))
        return
            "about \(Figures.grouped(needed)) inodes are needed, and it would have \(Figures.grouped(there)) if it has "
            + "as many for its size as today's volume"
    }

    /// What is used between two prunes where a size is too small.
    ///
    /// Prunes come at other times at each size, so that it may be a larger one into which not all fits.
    private static func overflow(of asked: SizeAdvice, in curve: SizeCurve) -> String {
        let larger =
            asked.outcome.peak > asked.bytes ? nil : curve.points.first { $0.bytes > asked.bytes && !$0.fits }
        let peak = larger?.outcome.peak ?? asked.outcome.peak
        return "up to \(peak) would be used between two prunes"
            + (larger.map { " of a volume of \($0.bytes)" } ?? "")
    }

    /// That the rules of eviction cannot be compared; nil where they can, or where nobody asked.
    var policySentence: String? {
        simulates && sizing.policies.isEmpty
            ? "The rules of eviction cannot be compared for the same reason." : nil
    }

    private var cadenceSentence: String? {
        guard let interval = scanInterval, let each = sizing.accessesPerUse, rate.objects != nil else {
            return nil
        }
        let accesses = Self.short((each * 10).rounded() / 10)
        let recorded = accesses == "1" ? "1 access was" : "\(accesses) accesses were"
        return
            "Scans came every \(interval.age) (median). What several jobs use between two scans counts as one "
            + "access: \(recorded) recorded for each entry and day of use. More scans record more hits and no more fetches, so compare fetches a day, not hit rates."
    }

    private var orderSentence: String? {
        guard let other = sizing.otherOrder, let advice = sizing.recommendation else { return nil }
        let isLRU = regime.order == .lru
        let name =
            isLRU
            ? "With `order: probation` (what was never used again counts as 21 d older)" : "With `order: lru`"
        guard let smallest = other.smallest else { return nil }
        let saved = advice.smallest - smallest
        if abs(saved.bytes) < advice.smallest.bytes / 50, abs(other.fetchesSaved) < 0.05 {
            return "\(name) nothing would change."
        }
        let space =
            saved.bytes == 0
            ? "as much would be needed"
            : saved.bytes > 0
                ? "\(saved) less would be enough" : "\(ByteCount(-saved.bytes)) more would be needed"
        let fetches = Self.fetches(abs(other.fetchesSaved), other.fetchesSaved >= 0 ? "fewer " : "more ")
        return "\(name) \(space); at today's size there would be \(fetches) a day."
    }

    private var setSentence: String? {
        guard let week = sizing.weeklySet, let day = sizing.dailySet else { return nil }
        if sizing.activeDays * 2 <= sizing.days.count, let active = sizing.activeDailySet {
            return
                "Jobs used anything on \(sizing.activeDays) of \(sizing.days.count) days, and on those \(active.p50) a day "
                + "(median; 95 of 100: \(active.p95)); at most \(week.p95) a week."
        }
        return
            "Jobs use \(day.p50) a day and \(week.p50) a week (median; 95 of 100: \(day.p95), \(week.p95))."
    }

    private var churnSentence: String? {
        guard sizing.curve != nil, !sizing.days.isEmpty else { return nil }
        let days = Int64(sizing.days.count)
        let fetched = sizing.days.reduce(ByteCount.zero) { $0 + $1.rate.missBytes }
        let evicted = sizing.days.reduce(ByteCount.zero) { $0 + $1.evictedBytes }
        return "Jobs fetch \(ByteCount(fetched.bytes / days)) a day, and Larder evicts "
            + "\(ByteCount(evicted.bytes / days)) (mean of \(Figures.count(days, "day", "days")))."
    }

    private var samplingSentence: String? {
        guard let sampling = sizing.curve?.sampling else { return nil }
        return "The curve rests on a sample of \(Figures.rate(sampling.share)) of the entries; rates may be "
            + "off by \(Figures.rate(sampling.error))."
    }

    /// That no size in bytes tells what the volume will serve; nil where bytes decide.
    var inodeDoubt: String? {
        guard inodesDecide, let inodes else { return nil }
        return
            "Inodes run out before bytes do: \(Figures.grouped(inodes.used)) are used, and a prune starts above "
            + "\(Figures.grouped(inodes.quota.high)). No replay counts them: rates are those of bytes alone. ext4 makes them "
            + "by size, one for each 16 KiB unless told otherwise: a larger claim of the same kind has more of them, and a "
            + "claim on XFS as many as it needs."
    }

    private var inodeSentence: String? {
        guard inodeLimit > 0 else { return nil }
        // What prunes have freed since the last scan is known of a volume's own inodes.
        let used = inodes?.used ?? usedInodes
        let share = Figures.percent(ByteCount(used), of: ByteCount(inodeLimit))
        let text = "Inodes: \(Figures.grouped(used)) of \(Figures.grouped(inodeLimit)) (\(share))"
        guard let forecast = sizing.inodesForecast else { return text + "." }
        guard let full = forecast.fullAt else { return text + "; at today's pace they do not run out." }
        let (first, last) = (Self.date(forecast.earliest), Self.date(forecast.latest))
        return text + "; all are used about \(Self.date(full)), between \(first) and \(last)."
    }

    /// `2026-11-26 01:30`.
    private static func minute(_ time: Timestamp) -> String {
        String(time.description.prefix(16).replacing("T", with: " "))
    }

    static func date(_ time: Timestamp?) -> String {
        time.map { String($0.description.prefix(10)) } ?? "never"
    }

    /// What was evicted and fetched again, in a sentence; nil where nothing was.
    func regretSentence(days: Int64) -> String? {
        guard regret.misses > 0 else { return nil }
        return "Regret: \(Figures.count(regret.misses, "fetch", "fetches")) of evicted entries, "
            + "\(regret.missBytes), in \(days) days."
    }

    /// What each kind of saving comes to: a sentence, and its largest ones.
    var savingKinds: [(sentence: String, examples: [SpaceSaving])] {
        SpaceSaving.Kind.allCases.compactMap { kind in
            let all = savings.filter { $0.kind == kind }
            guard !all.isEmpty else { return nil }
            let bytes = all.reduce(ByteCount.zero) { $0 + $1.bytes }
            let entries = all.reduce(0) { $0 + $1.entries }
            return ("\(bytes) \(kind.title): \(Figures.entries(entries)).", Array(all.prefix(3)))
        }
    }

    /// That not all was looked at, in a sentence; nil where it was.
    var lookSentence: String? {
        guard passedOver > 0 else { return nil }
        return
            "\(Figures.entries(passedOver)) of the build cache \(passedOver == 1 ? "was" : "were") not looked "
            + "into: duplicates and replaced SNAPSHOT builds are sought in the largest that can be read."
    }
}
