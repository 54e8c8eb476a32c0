import CacheModel

/// Which names stand for other images at their registries by now.
package struct DriftReport: Report {
    /// The volume of the store.
    package var volume: String
    /// The names in the order in which they were asked for.
    package var images: [CheckedImage]

    /// Makes a report from its two parts.
    package init(volume: String, images: [CheckedImage]) {
        self.volume = volume
        self.images = images
    }

    /// The names for people: the outcome, and a table with both digests where they differ.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let (outcome, tone) = outcome
        page.paragraph(outcome, tone: tone)
        guard !images.isEmpty else { return page.text }
        page.blank()
        var table = TextTable(
            ("result", .left), ("here", .left), ("registry", .left), ("pulled", .right), ("image", .left))
        var notes: [Int: String] = [:]
        for (place, image) in images.enumerated() {
            table.rows.append([
                image.result.rawValue, Self.short(image.localDigest), Self.short(image.remoteDigest),
                image.pulledAt.map { (now - $0).age } ?? "–", image.reference,
            ])
            notes[place] = image.reason
        }
        page.table(table, notes: notes)
        let moved = images.filter { $0.result == .moved }
        if !moved.isEmpty {
            page.blank()
            page.paragraph(
                "Jobs go on using what is here. To bring it up to date set pull_policy: newer in warm.images and "
                    + "run larder warm.")
        }
        return page.text
    }

    private static func short(_ digest: String?) -> String {
        digest.map { String($0.dropFirst("sha256:".count).prefix(12)) } ?? "–"
    }

    private var outcome: (String, Tone) {
        if images.isEmpty { return ("No name to check.", .good) }
        func count(_ result: CheckedImage.Result) -> Int { images.count { $0.result == result } }
        let counts = CheckedImage.Result.allCases.compactMap { result in
            count(result) > 0 ? "\(count(result)) \(result.rawValue)" : nil
        }
        let text = "\(Figures.count(Int64(images.count), "name", "names")): \(Figures.list(counts))."
        if count(.moved) > 0 { return ("Moved since they were pulled: \(text)", .warning) }
        if count(.unknown) > 0 { return ("Not all registries told: \(text)", .warning) }
        return ("Nothing moved: \(text)", .good)
    }

    /// The names as `larder.warm-check/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.warm-check/1", "volume": .text(volume),
            "images": .array(
                images.map { image in
                    [
                        "reference": .text(image.reference), "result": .text(image.result.rawValue),
                        "local_digest": .optional(image.localDigest),
                        "remote_digest": .optional(image.remoteDigest),
                        "pulled_at": .optional(image.pulledAt), "reason": .optional(image.reason),
                        "why": .text(image.why),
                    ]
                }),
        ]
        return try document.document()
    }
}
