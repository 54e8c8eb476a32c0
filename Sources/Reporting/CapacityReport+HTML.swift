import CacheModel

extension CapacityReport {
    /// The report as one HTML file that needs no network and no script.
    package func html() -> String {
        let policy = "default-src 'none'; style-src 'unsafe-inline'"
        let day = generatedAt.description.prefix(10)
        var page = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Capacity report of \(day)</title>
            <style>
            \(HTMLText.style)
            </style>
            </head>
            <body>
            <header>
            <h1>How large the caches should be</h1>
            <p class="soft">Made by Larder on \(generatedAt), from the accesses of \(windowDays) days.</p>

            """
        for volume in volumes {
            let kind = volume.sizing.recommendation == nil ? "outcome missing" : "outcome"
            page += "<p class=\"\(kind)\">\(HTMLText.escaped(volume.outcome))</p>\n"
        }
        page += "</header>\n<main>\n"
        for volume in volumes { page += section(volume) }
        if let images {
            page += "<section>\n<h2>The price of vfs</h2>\n"
            for sentence in images.sentences { page += "<p>\(HTMLText.escaped(sentence))</p>\n" }
            page += "</section>\n"
        }
        page += orphans.map { $0.html(now: generatedAt) }.joined()
        return page + "</main>\n</body>\n</html>\n"
    }

    private func section(_ volume: Volume) -> String {
        let tables = tables(of: volume, now: generatedAt)
        var shown: Set<String> = []
        func table(_ name: String, folded: Bool) -> String {
            guard let table = tables.first(where: { $0.name == name }), !table.rows.isEmpty else { return "" }
            let isFirst = shown.insert(name).inserted
            return HTMLText.table(table, folded: folded, id: volume.name, isNamed: isFirst) + "\n"
        }
        var text =
            "<section id=\"\(HTMLText.escaped(volume.name))\">\n<h2>\(HTMLText.escaped(volume.title))</h2>\n"
        text += partsBar(volume)
        text += "<p>\(HTMLText.escaped(volume.reason))</p>\n"
        if let forecast = volume.forecast { text += "<p>\(HTMLText.escaped(forecast))</p>\n" }
        for sentence in volume.sentences + [volume.regretSentence(days: windowDays)].compactMap({ $0 }) {
            text += "<p>\(HTMLText.escaped(sentence))</p>\n"
        }
        text +=
            "<dl>"
            + facts(volume).map {
                "<div><dt>\($0.0)</dt><dd>\(HTMLText.escaped($0.1))</dd></div>"
            }.joined() + "</dl>\n"
        text += table("advice", folded: false) + table("policies", folded: false)
        text += "<h3>What happened, and where the space goes</h3>\n<div class=\"plots\">\n"
        for figure in figures(volume) {
            text +=
                "<figure><figcaption>\(figure.title)<span>\(HTMLText.escaped(figure.note))</span></figcaption>\n"
            text += figure.svg + "\n" + table(figure.table, folded: true) + "</figure>\n"
        }
        text += "</div>\n<h3>Entries</h3>\n"
        return text + table("pools", folded: false) + table("largest", folded: false)
            + table("stalest", folded: false) + table("images", folded: false)
            + table("savings", folded: false)
            + (volume.lookSentence.map { "<p class=\"soft\">\(HTMLText.escaped($0))</p>\n" } ?? "")
            + "</section>\n"
    }

    /// What the recommended size consists of, as a bar.
    private func partsBar(_ volume: Volume) -> String {
        let parts = volume.parts
        guard !parts.isEmpty else { return "" }
        var text =
            "<p class=\"advised\">\(HTMLText.escaped(volume.advised))</p>\n<div class=\"parts\" aria-hidden=\"true\">"
        for (place, part) in parts.enumerated() {
            text +=
                "<span class=\"t\(place)\" style=\"flex-grow:\(max(1, part.bytes.bytes >> 20))\" "
                + "title=\"\(part.name): \(part.bytes)\"></span>"
        }
        text += "</div>\n<ul class=\"legend\">"
        for (place, part) in parts.enumerated() {
            text += "<li><span class=\"key t\(place)\"></span>\(part.name) \(part.bytes)</li>"
        }
        return text + "</ul>\n"
    }

    /// What the recommended size costs a month, and today's.
    private func cost(_ volume: Volume) -> String? { volume.cost(at: price) }

    private func facts(_ volume: Volume) -> [(String, String)] {
        let hasRate = volume.kind == .imageStore || volume.evidence.confidence != .none
        return [
            ("Recommended", volume.sizing.recommendation?.quantity ?? "unknown"),
            ("Today's limit", volume.limit.whole), ("Used", "\(volume.usedBytes)"),
            ("Hit rate", hasRate ? Figures.rate(volume.rate.objects) : "unknown"),
            ("Used in a week", volume.sizing.weeklySet.map { "\($0.p50)" } ?? "unknown"),
            ("Regret", "\(volume.regret.missBytes)"), ("Confidence", volume.confidence.rawValue),
            (
                "Calibration",
                volume.sizing.calibration?.objects.map {
                    "± \(Volume.short((abs($0) * 1000).rounded() / 10)) points"
                }
                    ?? "unknown"
            ),
        ] + (cost(volume).map { [("Cost a month", $0)] } ?? [])
    }
}
