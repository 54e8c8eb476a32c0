import CacheModel

extension Dashboard {
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
            columns: [("activity", "a"), ("next", "d"), ("now", "n"), ("last success", "s")],
            rows: activities.map { activity in
                let running = activity.runningSince.map { "running for \((now - $0).age)" }
                return [
                    .text(activity.title),
                    .text(
                        activity.nextDue.map { $0 <= now ? "now" : "in \(($0 - now).age)" } ?? "on request"),
                    .text(running ?? (activity.failed ? "failed" : "idle")),
                    .text(Figures.ago(activity.lastSuccess, now: now)),
                ]
            })
        return "<section aria-labelledby=\"schedule\"><h2 id=\"schedule\">Schedule</h2>\n"
            + HTMLText.table(table, folded: false, id: "daemon") + "</section>\n"
    }
}
