import CacheModel

/// What became of the images that were to be ready.
package struct WarmReport: Report {
    /// The run's ID.
    package var run: String
    /// The volume of the store.
    package var volume: String
    /// Whether nothing was pulled.
    package var dryRun: Bool
    /// The images in the order of the list.
    package var images: [WarmedImage]
    /// What was evicted to make room, by key.
    package var evicted: [EvictionOutcome.Line]
    /// What warming the same images brought in the last runs, this one included, by reference.
    package var history: [String: WarmHistory]

    /// Makes a report from all it consists of.
    package init(
        run: String, volume: String, dryRun: Bool, images: [WarmedImage],
        evicted: [EvictionOutcome.Line] = [],
        history: [String: WarmHistory] = [:]
    ) {
        self.run = run
        self.volume = volume
        self.dryRun = dryRun
        self.images = images
        self.evicted = evicted
        self.history = history
    }

    /// The images for people: the outcome, a table, why some are not ready, and which nobody needs.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let (outcome, tone) = outcome
        page.paragraph(outcome, tone: tone)
        guard !images.isEmpty else { return page.text }
        page.blank()
        var table = TextTable(("result", .left), ("size", .right), ("time", .right), ("image", .left))
        var notes: [Int: String] = [:]
        for (place, image) in images.enumerated() {
            let size = image.bytes > .zero ? "\(image.bytes)" : "–"
            let time = image.attempts > 0 ? Figures.duration(image.duration) : "–"
            table.rows.append([image.result.rawValue, size, time, image.reference])
            var note = image.why
            if image.attempts > 1 { note += "; \(image.attempts) attempts" }
            if let reason = image.reason { note += "; \(reason)" }
            notes[place] = note
        }
        page.table(table, notes: notes)
        if !evicted.isEmpty {
            page.blank()
            page.line(dryRun ? "Would be evicted to make room:" : "Evicted to make room:", tone: .strong)
            for line in page.first(20, of: evicted) { page.line("\(line.bytes)  \(line.key)", indent: 2) }
            page.more(evicted.count - 20, indent: 2)
        }
        for idle in idle {
            page.blank()
            page.paragraph(
                "\(idle.reference): \(idle.sentence). Take it off the list.", hanging: 2, tone: .warning)
        }
        return page.text
    }

    /// The images that were warmed again and again, and never used.
    package var idle: [WarmHistory] {
        images.compactMap { history[$0.reference] }.filter(\.isIdle)
    }

    private var outcome: (String, Tone) {
        if images.isEmpty { return ("Nothing to warm.", .good) }
        let ready = images.filter(\.isReady)
        let all = Figures.count(Int64(images.count), "image", "images")
        let counts = WarmedImage.Result.allCases.compactMap { result -> String? in
            let count = images.count { $0.result == result }
            return count > 0 ? "\(count) \(result.rawValue)" : nil
        }
        let text = "\(all): \(Figures.list(counts))."
        if dryRun { return ("Dry run, nothing was pulled. \(text)", .good) }
        if ready.count == images.count { return ("Ready: \(text)", .good) }
        return ready.isEmpty ? ("Nothing is ready: \(text)", .bad) : ("Ready in part: \(text)", .warning)
    }

    /// The images as `larder.warm/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.warm/1", "run": .text(run), "volume": .text(volume), "dry_run": .bool(dryRun),
            "images": .array(
                images.map { image in
                    [
                        "reference": .text(image.reference), "result": .text(image.result.rawValue),
                        "attempts": .integer(Int64(image.attempts)),
                        "duration_seconds": .number(Figures.seconds(image.duration)),
                        "bytes": .bytes(image.bytes), "reason": .optional(image.reason),
                        "why": .text(image.why), "image": .optional(image.image),
                        "history": history[image.reference].map(\.jsonValue) ?? .null,
                    ]
                }),
            "evicted": .array(
                evicted.map {
                    ["pool": .text($0.pool.rawValue), "key": .text($0.key), "bytes": .bytes($0.bytes)]
                }),
        ]
        return try document.document()
    }
}

extension WarmHistory {
    fileprivate var jsonValue: JSONValue {
        [
            "warmed": .integer(Int64(warmed)), "pulled": .integer(Int64(pulled)),
            "used": .integer(Int64(used)),
        ]
    }

    /// With the image's name.
    var namedValue: JSONValue {
        [
            "reference": .text(reference), "warmed": .integer(Int64(warmed)),
            "pulled": .integer(Int64(pulled)), "used": .integer(Int64(used)),
        ]
    }
}
