import CacheModel

extension Dashboard {
    /// The last runs: what they evicted and why, and how to take it back.
    func runList(now: Timestamp) -> String {
        var text = "<section aria-labelledby=\"runs\"><h2 id=\"runs\">Recent runs</h2>\n"
        if runs.isEmpty { return text + "<p>No run is recorded yet.</p>\n</section>\n" }
        text += "<ol class=\"runs\">\n"
        for run in runs {
            text += "<li><h3>\(HTMLText.escaped(run.kind)), "
            text += "<time datetime=\"\(run.startedAt)\">\(Figures.ago(run.startedAt, now: now))</time>: "
            text +=
                "<span class=\"\(run.exitCode == 0 ? "within" : "over")\">\(Self.result(run.exitCode))</span></h3>\n"
            text += "<p class=\"soft\">\(HTMLText.escaped(run.id)), took "
            text += "\(Figures.duration(run.finishedAt - run.startedAt))</p>\n"
            for volume in run.volumes { text += entry(volume, of: run, now: now) }
            if !run.warmed.isEmpty {
                let counts = WarmedImage.Result.allCases.compactMap { result in
                    run.warmed[result.rawValue].map { "\($0) \(result.rawValue)" }
                }
                text += "<p>Images: \(Figures.list(counts)).</p>\n"
            }
            text += "</li>\n"
        }
        return text + "</ol>\n</section>\n"
    }

    private func entry(_ volume: RunSummary.OnVolume, of run: RunSummary, now: Timestamp) -> String {
        let name = HTMLText.escaped(volume.volume)
        var text = "<p><strong>\(name)</strong>: "
        if volume.evicted == 0 {
            text += "nothing evicted, \(volume.usedBefore) used"
        } else {
            text +=
                "\(Figures.entries(volume.evicted)) of \(volume.evictedBytes) evicted, least recently used first, "
            text += "from \(volume.usedBefore) down to \(volume.usedAfter); "
            text += "\(max(.zero, volume.freedBytes)) freed"
            if volume.trashedBytes > .zero { text += ", \(volume.trashedBytes) to the trash" }
        }
        if volume.refused > 0 { text += "; \(Figures.entries(volume.refused)) refused" }
        text += volume.overQuota ? "; <span class=\"over\">still over quota</span>.</p>\n" : ".</p>\n"
        if let undo = undo(volume, of: run, now: now) { text += "<p>\(undo)</p>\n" }
        if !volume.firstEvicted.isEmpty || !volume.firstRefused.isEmpty {
            text += "<details><summary>Which entries, on \(name)</summary><ul class=\"keys\">\n"
            for line in volume.firstEvicted { text += "<li>\(line.bytes) \(Self.link(line.key))</li>\n" }
            let more = volume.evicted - Int64(volume.firstEvicted.count)
            if more > 0 { text += "<li>… and \(Figures.grouped(more)) more</li>\n" }
            for line in volume.firstRefused {
                text += "<li>refused: \(Self.link(line.key)): \(HTMLText.escaped(line.reason))</li>\n"
            }
            text += "</ul></details>\n"
        }
        return text
    }

    private func undo(_ volume: RunSummary.OnVolume, of run: RunSummary, now: Timestamp) -> String? {
        guard volume.evicted > 0 else { return nil }
        guard let retention = trashRetention[volume.volume] else {
            return "Images come back when a job pulls them, or with <code>larder warm</code>."
        }
        guard volume.trashedBytes > .zero, now - run.finishedAt < retention else { return nil }
        let until = run.finishedAt + retention
        return "Undo until \(until), unless space is short: "
            + "<code>larder trash restore \(HTMLText.escaped(run.id))</code>"
    }

    /// What an exit code of the contract means.
    private static func result(_ code: Int32) -> String {
        switch code {
        case 0: "done"
        case 3: "over quota still, nothing more could be evicted safely"
        case 4: "done in part"
        case 75: "another Larder held the volume"
        default: "failed"
        }
    }

    /// A link to what is known of an entry.
    static func link(_ key: String) -> String {
        "<a href=\"/entries/\(pathEncoded(key))\">\(HTMLText.escaped(key))</a>"
    }

    /// A key as one component of a URL's path (RFC 3986, 2.3: what is not unreserved is encoded).
    static func pathEncoded(_ key: String) -> String {
        let digits = Array("0123456789ABCDEF")
        var text = ""
        for byte in key.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            // A path of dots alone would be taken for a step up.
            case UInt8(ascii: ".") where key.utf8.contains { $0 != UInt8(ascii: ".") }:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return text
    }

    /// The warm lists, and what they were worth.
    func warmList() -> String {
        let lists = warm.filter { !$0.images.isEmpty }
        guard !lists.isEmpty else { return "" }
        var text = "<section aria-labelledby=\"warm\"><h2 id=\"warm\">Warm list</h2>\n"
        for list in lists {
            let table = ReportTable(
                name: "warm", title: "What warming brought on \(list.volume), in the last runs",
                columns: [
                    ("image", "reference"), ("warmed", "warmed"), ("pulled", "pulled"), ("used", "used"),
                    ("worth", "worth"),
                ],
                rows: list.images.map {
                    [
                        .text($0.reference), .count(Int64($0.warmed)), .count(Int64($0.pulled)),
                        .count(Int64($0.used)),
                        .rate($0.warmed > 0 ? Double($0.used) / Double($0.warmed) : nil),
                    ]
                })
            text += HTMLText.table(table, folded: false, id: list.volume) + "\n"
        }
        return text
            + "<p class=\"soft\">Worth: how often a job used the image before the next warm-up.</p>\n</section>\n"
    }

    /// The daemon's activities.
    func schedule(now: Timestamp) -> String {
        guard !activities.isEmpty else { return "" }
        let table = ReportTable(
            name: "activities", title: "What the daemon does and when",
            columns: [("activity", "a"), ("now", "n"), ("last success", "s"), ("next", "d")],
            rows: activities.map { activity in
                let running = activity.runningSince.map { "running for \((now - $0).age)" }
                return [
                    .text(activity.title), .text(running ?? (activity.failed ? "failed" : "idle")),
                    .text(Figures.ago(activity.lastSuccess, now: now)),
                    .text(
                        activity.nextDue.map { $0 <= now ? "now" : "in \(($0 - now).age)" } ?? "on request"),
                ]
            })
        return "<section aria-labelledby=\"schedule\"><h2 id=\"schedule\">Schedule</h2>\n"
            + HTMLText.table(table, folded: false, id: "daemon") + "</section>\n"
    }
}
