import CacheModel

extension CapacityReport {
    /// The report as `larder.report/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.report/1", "generated_at": .text(generatedAt.description),
            "idle_warmings": .array(idleWarmings.map(\.namedValue)),
            "window_days": .integer(windowDays),
            "volumes": .array(volumes.map { $0.jsonValue(fetchSpeed, price?.amount) }),
            "images": images?.jsonValue ?? .null,
            "shared_disks": .array(sharedDisks.map(diskValue)),
            "orphans": .array(orphans.map { $0.jsonValue(now: generatedAt) }),
        ]
        return try document.document()
    }
}

extension CapacityReport.Volume {
    func jsonValue(_ speed: ByteCount?, _ price: Double?) -> JSONValue {
        let curve = sizing.curve
        return [
            "name": .text(name), "capacity_bytes": .bytes(capacity), "used_bytes": .bytes(usedBytes),
            "limit_bytes": .bytes(limit),
            "inodes": ["used": .integer(usedInodes), "limit": .integer(inodeLimit)],
            "pools": .array(space.pools.map(poolValue)), "hit_rate": rate.jsonValue(evidence.confidence),
            "curve": .array(
                curveSizes.map { size in
                    let outcome = curve?[size]
                    let days = curve?.days ?? 1
                    let ideal = sizing.ideal?.rate(at: max(.zero, size - sizing.fixed))
                    return [
                        "bytes": .bytes(size), "fits": .bool(sizing.curve?.fits(from: size) ?? false),
                        "object_hit_rate": .optional(outcome?.rate.objects),
                        "byte_hit_rate": .optional(outcome?.rate.bytes),
                        "ideal_object_hit_rate": .optional(ideal?.objects),
                        "ideal_byte_hit_rate": .optional(ideal?.bytes),
                        "avoidable_fetches_per_day": .optional(outcome.map { Double($0.avoidable) / days }),
                        "avoidable_bytes_per_day": .optional(
                            outcome.map { (Double($0.avoidableBytes.bytes) / days).rounded() }),
                    ]
                }),
            "curve_sampling": curve?.sampling.map {
                ["share": .number($0.share), "error": .number($0.error)]
            } ?? .null,
            "demand_change": sizing.demandChange.map {
                [
                    "at": .text($0.at.description), "before_bytes": .bytes($0.before),
                    "after_bytes": .bytes($0.after),
                    "enough_bytes": .optional($0.enough),
                ]
            } ?? .null,
            "rare_day": sizing.rareDay.map {
                [
                    "end": .text($0.end.description), "bytes": .bytes($0.bytes),
                    "enough_bytes": .bytes($0.enough),
                ]
            } ?? .null,
            "unmanaged_most_bytes": .bytes(sizing.mostUnmanaged),
            "removed_by_others": sizing.removals.map {
                [
                    "entries": .integer($0.entries), "fetches": .integer($0.fetches),
                    "is_rule": .bool($0.isRule),
                    "youngest_idle_seconds": $0.youngest.map { .integer($0.seconds) } ?? .null,
                ]
            } ?? .null,
            "wiped_at": .array(wipes.map { .text($0.at.description) }),
            "limit_changed": sizing.limitChange.map {
                ["at": .text($0.at.description), "before_bytes": .bytes($0.before)]
            } ?? .null,
            "copied": copied.map {
                [
                    "entries": .integer($0.entries), "bytes": .bytes($0.bytes),
                    "last": .text($0.last.description),
                ]
            } ?? .null,
            "calibration": calibrationValue, "scans": scansValue, "other_order": otherOrderValue,
            "asked": sizing.asked.map { adviceValue($0, speed, price) } ?? .null,
            "working_set": [
                "p50_bytes": .optional(sizing.weeklySet?.p50), "p95_bytes": .optional(sizing.weeklySet?.p95),
                "daily_p50_bytes": .optional(sizing.dailySet?.p50),
                "daily_p95_bytes": .optional(sizing.dailySet?.p95),
            ],
            "growth": growthValue, "recommendation": recommendationValue,
            "confidence": .text(confidence.rawValue),
            "history_days": .integer(sizing.history.seconds / 86_400), "missing": .optional(sizing.missing),
            "advice": .array(sizing.advice.map { adviceValue($0, speed, price) }),
            "policies": .array(
                sizing.policies.map {
                    [
                        "policy": .text($0.policy.rawValue), "object_hit_rate": .optional($0.rate.objects),
                        "byte_hit_rate": .optional($0.rate.bytes),
                        "ideal_object_hit_rate": .optional($0.ideal.objects),
                    ]
                }),
            "unmanaged_bytes": .bytes(space.unmanaged),
            "unmanaged": .array(space.unmanagedDirectories.map(\.jsonValue)),
            "groups": .array(space.groups.prefix(200).map(\.jsonValue)),
            "ages": .array(space.ages.map(\.jsonValue)),
            "largest": .array(space.largest.map { $0.spaceValue(space) }),
            "stalest": .array(space.stalest.map { $0.spaceValue(space) }),
            "savings": .array(savings.prefix(200).map(\.jsonValue)),
            "savings_passed_over": .integer(passedOver),
            "images": .array(space.images.map { $0.imageValue(space) }),
            "projects": projectsValue, "days": .array(sizing.days.map(\.jsonValue)),
            "sizes": .array(samples.map(\.jsonValue)),
        ]
    }

    private func poolValue(_ pool: Pool, _ entries: Int64, _ bytes: ByteCount) -> JSONValue {
        let regret = sizing.regret[pool] ?? HitRate()
        return [
            "name": .text(pool.rawValue), "entries": .integer(entries), "bytes": .bytes(bytes),
            "hit_rate": (sizing.rates[pool] ?? HitRate()).jsonValue(evidence.confidence),
            "regret": ["entries": .integer(regret.misses), "bytes": .bytes(regret.missBytes)],
            "confidence": .text(evidence.confidence.rawValue),
        ]
    }

    private var growthValue: JSONValue {
        let forecast = sizing.bytesForecast
        func whole(_ value: Double?) -> JSONValue { value.map { .number($0.rounded()) } ?? .null }
        return [
            "bytes_per_day": [
                "low": whole(forecast?.growth.low), "median": whole(forecast?.growth.perDay),
                "high": whole(forecast?.growth.high),
            ],
            "full_at": .optional(forecast?.fullAt),
            "full_between": [.optional(forecast?.earliest), .optional(forecast?.latest)],
            "limit_passed_at": .optional(forecast?.passedAt), "jump_at": .optional(forecast?.jumpAt),
            "protected_bytes_per_day": whole(sizing.protectedGrowth?.perDay),
            "basis": .optional(forecast?.basis.rawValue),
            "demand_bytes_per_day": whole(sizing.demandForecast?.growth.perDay),
            "inodes_per_day": whole(sizing.inodesForecast?.growth.perDay),
            "inodes_full_at": .optional(sizing.inodesForecast?.fullAt),
            "inodes_full_between": [
                .optional(sizing.inodesForecast?.earliest), .optional(sizing.inodesForecast?.latest),
            ],
        ]
    }

    private var recommendationValue: JSONValue {
        let advice = sizing.recommendation
        return [
            "quantity": .optional(advice?.quantity), "bytes": .optional(advice?.bytes),
            "object_hit_rate": .optional(advice?.rateAdvised),
            "reason": .text(reason), "enough_bytes": .optional(advice?.enough),
            "best_object_hit_rate": .optional(advice?.best), "growth_bytes": .optional(advice?.growth),
            "protected_bytes": .optional(advice?.protected),
            "protected_growth_bytes": .optional(advice?.protectedGrowth),
            "pool_quotas": .array(
                sizing.bottlenecks.map {
                    [
                        "pool": .text($0.pool.rawValue), "limit_bytes": .bytes($0.limit),
                        "enough_bytes": .bytes($0.needed),
                        "avoidable_fetches_per_day": .number(Double($0.fetches) / (sizing.curve?.days ?? 1)),
                        "object_hit_rate_without": .optional($0.without.rate.objects),
                    ]
                }),
            "pool_idle_limits": .array(
                sizing.idleBottlenecks.map {
                    [
                        "pool": .text($0.pool.rawValue), "max_idle_seconds": .integer($0.limit.seconds),
                        "enough_seconds": .integer($0.needed.seconds),
                        "avoidable_fetches_per_day": .number(Double($0.fetches) / (sizing.curve?.days ?? 1)),
                        "object_hit_rate_without": .optional($0.without.rate.objects),
                    ]
                }),
            "headroom_bytes": .optional(advice?.headroom), "trash_bytes": .optional(advice?.trash),
            "container_bytes": .optional(advice?.containers),
            "review_days": .optional(advice.map { Double($0.terms.review.seconds) / 86_400 }),
            "distance": .optional(advice?.terms.distance), "confidence": .text(confidence.rawValue),
            "unmanaged_bytes": .optional(advice?.unmanaged),
            "inode_bytes": .optional(advice?.forInodes),
            "inodes_needed": advice?.inodes.map { .integer($0) } ?? .null,
            "doubtful_container_bytes": .bytes(doubtfulContainers),
            "action": .optional(action), "action_by": .optional(actionBy),
            "avoidable_fetches_per_day": .optional(advice?.avoidablePerDay),
            "avoidable_bytes_per_day": .optional(advice?.avoidableBytesPerDay.rounded()),
            "allowed_fetches_per_day": .optional(advice?.allowed),
            "first_days": [
                "days": .optional(advice.flatMap { $0.first == nil ? nil : $0.days }),
                "object_hit_rate": .optional(advice?.first?.rate.objects),
                "byte_hit_rate": .optional(advice?.first?.rate.bytes),
            ],
            "today": [
                "object_hit_rate": .optional(advice?.rateToday),
                "avoidable_fetches_per_day": .optional(advice?.avoidableTodayPerDay),
                "avoidable_bytes_per_day": .optional(advice?.avoidableBytesTodayPerDay.rounded()),
            ],
        ]
    }

    private func adviceValue(_ advice: SizeAdvice, _ speed: ByteCount?, _ price: Double?) -> JSONValue {
        let days = sizing.curve?.days ?? 1
        return [
            "bytes": .bytes(advice.bytes), "fits": .bool(advice.fits),
            "object_hit_rate": .optional(advice.rate.objects),
            "byte_hit_rate": .optional(advice.rate.bytes),
            "fetches_saved_per_day": .number(advice.fetchesSaved),
            "bytes_saved_per_day": .number(advice.bytesSaved.rounded()),
            "minutes_saved_per_day": .optional(speed.map(advice.minutesSaved)),
            "avoidable_fetches_per_day": .number(Double(advice.outcome.avoidable) / days),
            "avoidable_bytes_per_day": .number(
                (Double(advice.outcome.avoidableBytes.bytes) / days).rounded()),
            "cost_per_month": .optional(price.map(advice.bytes.monthlyCost)),
        ]
    }

    /// The replay at today's size beside what was measured.
    private var calibrationValue: JSONValue {
        guard let calibration = sizing.calibration else { return .null }
        return [
            "since": .optional(sizing.limitChange?.at),
            "predicted": calibration.predicted.jsonValue(evidence.confidence),
            "measured": calibration.measured.jsonValue(evidence.confidence),
            "object_hit_rate_difference": .optional(calibration.objects),
            "byte_hit_rate_difference": .optional(calibration.bytes),
            "confidence": .text(calibration.confidence.rawValue),
        ]
    }

    private var scansValue: JSONValue {
        [
            "interval_seconds": .optional(scanInterval.map { Double($0.seconds) }),
            "accesses_per_use": .optional(sizing.accessesPerUse),
        ]
    }

    private var otherOrderValue: JSONValue {
        guard let other = sizing.otherOrder else { return .null }
        return [
            "order": .text(regime.order == .lru ? "probation" : "lru"),
            "object_hit_rate": .optional(other.outcome.rate.objects),
            "fetches_saved_per_day": .number(other.fetchesSaved),
            "enough_volume_bytes": .optional(other.smallest),
            "enough_volume_bytes_now": .optional(sizing.recommendation?.smallest),
        ]
    }
}

extension JSONValue {
    static func optional(_ size: ByteCount?) -> JSONValue { size.map { .bytes($0) } ?? .null }
}
