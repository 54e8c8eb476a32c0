import CacheModel
import CacheServices

extension ValueFormat<Watermark> {
    /// A distance between two hit rates.
    static var points: Self {
        Self(
            accepted: "a percentage from 0% to 50%, such as 1% (one point) or 0.5%",
            read: { text in
                guard text.hasSuffix("%"), let level = ValueFormat<Watermark>.watermark.read(text),
                    case .share(0...5000) = level
                else { return nil }
                return level
            }, guess: ValueFormat<Watermark>.share.guess)
    }
}

extension ValueFormat<ReportConfiguration.Review> {
    /// A length of time, or a day.
    static var review: Self {
        Self(
            accepted: "a duration such as 90d, or a date such as 2027-03-31",
            read: { text in
                if let span = Span(text) { return .after(span) }
                guard text.utf8.count == 10 else { return nil }
                return Timestamp(rfc3339: text + "T00:00:00Z").map { .on($0) }
            }, guess: ValueFormat<Span>.span.guess)
    }
}

extension ValueFormat<ByteCount?> {
    /// A room for fetches; nil stands for what was measured.
    static var headroom: Self {
        Self(
            accepted: "`measured`, 0, or a quantity such as 5Gi or 500M",
            read: { text in
                if text == "measured" { return .some(nil) }
                if text == "0" { return .some(.zero) }
                return ValueFormat<ByteCount?>.poolLimit.read(text).flatMap { $0 }.map { .some($0) }
            }, guess: ValueFormat<ByteCount?>.poolLimit.guess)
    }

    /// Bytes a second; nil stands for no knowledge of it.
    static var speed: Self {
        Self(
            accepted: "`none`, or a quantity a second such as 20Mi or 100M",
            read: ValueFormat<ByteCount?>.poolLimit.read, guess: ValueFormat<ByteCount?>.poolLimit.guess)
    }
}

extension ValueFormat<Span> {
    /// How long single accesses are kept.
    static var history: Self {
        Self(
            accepted: "a duration from 30d to 366d, such as 120d",
            read: { text in
                Span(text).flatMap { (Span.days(30)...Span.days(366)).contains($0) ? $0 : nil }
            }, guess: ValueFormat<Span>.span.guess)
    }
}

extension ValueFormat<ReportConfiguration.Price?> {
    /// A price of space.
    static var price: Self {
        Self(
            accepted: "`none`, or what a GiB costs in a month with its currency, such as 0.10 EUR",
            read: { text in
                if text == "none" { return .some(nil) }
                let words = text.split(separator: " ")
                guard words.count == 2, let amount = Double(String(words[0])), amount > 0, amount < 1e6,
                    words[1].utf8.count <= 8
                else { return nil }
                return .some(ReportConfiguration.Price(amount: amount, currency: String(words[1])))
            })
    }
}

extension ValueFormat<Span?> {
    /// A length of time above zero, or `none`.
    static var spanOrNone: Self {
        let format = ValueFormat<Span>.positiveSpan
        return Self(
            accepted: "`none`, or \(format.accepted)",
            read: { $0 == "none" ? .some(nil) : format.read($0).map { .some($0) } }, guess: format.guess)
    }
}
