/// A pool's own quota that costs fetches at any size of the volume.
package struct QuotaBottleneck: Sendable, Hashable {
    /// The pool.
    package var pool: Pool
    /// Its quota's limit.
    package var limit: ByteCount
    /// The limit that would keep the fetches it costs within the target: whole gibibytes, or mebibytes below 8 GiB.
    package var needed: ByteCount
    /// The avoidable fetches in the window that the quota costs on a volume without any limit.
    package var fetches: Int64
    /// What a volume without any limit would give without this quota.
    package var without: ReplayOutcome
}

/// A pool's own `max_idle` that costs fetches at any size of the volume.
package struct IdleBottleneck: Sendable, Hashable {
    /// The pool.
    package var pool: Pool
    /// After what time unused its entries go.
    package var limit: Span
    /// The time in whole days that would keep the fetches it costs within the target.
    package var needed: Span
    /// The avoidable fetches in the window that it costs on a volume without any limit.
    package var fetches: Int64
    /// What a volume without any limit would give without it.
    package var without: ReplayOutcome
}

extension SizeCurve {
    /// The pools whose own quotas cost more fetches than the target allows, in the order of pools.
    ///
    /// Such a quota holds at any size of the volume, so that no point of the curve tells of it.
    ///
    /// - Parameter allowed: the avoidable fetches a day that are within the target.
    package func bottlenecks(allowed: Double) -> [QuotaBottleneck] {
        poolQuotas.sorted { $0.key < $1.key }.compactMap { pool, quota in
            let without = unlimited(with: nil, for: pool)
            let fetches = best.avoidable - without.avoidable
            guard quota.limit > .zero, Double(fetches) / days > allowed + 1e-9 else { return nil }
            func isEnough(_ limit: ByteCount) -> Bool {
                func level(_ part: ByteCount) -> ByteCount {
                    ByteCount(Int64(Double(part.bytes) / Double(quota.limit.bytes) * Double(limit.bytes)))
                }
                let larger = Quota(limit: limit, high: level(quota.high), low: level(quota.low))
                let outcome = unlimited(with: larger, for: pool)
                return Double(outcome.avoidable - without.avoidable) / days <= allowed + 1e-9
            }
            var (low, high) = (quota.limit, quota.limit + quota.limit)
            while !isEnough(high), high.bytes < 1 << 60 { (low, high) = (high, high + high) }
            while high.bytes - low.bytes > max(high.bytes / 128, 1 << 20) {
                let middle = ByteCount(low.bytes + (high.bytes - low.bytes) / 2)
                if isEnough(middle) { high = middle } else { low = middle }
            }
            let unit: Int64 = high.bytes >= 8 << 30 ? 1 << 30 : 1 << 20
            return QuotaBottleneck(
                pool: pool, limit: quota.limit,
                needed: ByteCount((high.bytes + unit - 1) / unit * unit), fetches: fetches, without: without)
        }
    }

    /// The pools whose `max_idle` costs more fetches than the target allows, in the order of pools.
    ///
    /// What is not used for that long goes from a volume of any size.
    ///
    /// - Parameter allowed: the avoidable fetches a day that are within the target.
    package func idleBottlenecks(allowed: Double) -> [IdleBottleneck] {
        maxIdle.sorted { $0.key < $1.key }.compactMap { pool, limit in
            let without = unlimited(maxIdle: nil, for: pool)
            let fetches = best.avoidable - without.avoidable
            guard Double(fetches) / days > allowed + 1e-9 else { return nil }
            func isEnough(_ limit: Int64) -> Bool {
                let outcome = unlimited(maxIdle: .days(limit), for: pool)
                return Double(outcome.avoidable - without.avoidable) / days <= allowed + 1e-9
            }
            var (low, high) = (limit.seconds / 86_400, limit.seconds / 86_400 + 1)
            while !isEnough(high), high < 1 << 16 { (low, high) = (high, high * 2) }
            while high - low > 1 {
                let middle = low + (high - low) / 2
                if isEnough(middle) { high = middle } else { low = middle }
            }
            return IdleBottleneck(
                pool: pool, limit: limit, needed: .days(high), fetches: fetches, without: without)
        }
    }
}
