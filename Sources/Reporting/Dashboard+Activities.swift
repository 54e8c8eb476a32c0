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
        let isRunning = activities.contains { $0.runningSince != nil }
        let table = ReportTable(
            name: "activities", title: "What the daemon does and when",
            columns: [("activity", "a"), ("next", "d"), ("now", "n"), ("last success", "s")],
            rows: activities.map { activity in
                let progress = activity.progress.map { ": \($0)" } ?? ""
                let running = activity.runningSince.map { "running for \((now - $0).age)\(progress)" }
                return [
                    .text(activity.title),
                    .text(coming(activity, now: now)),
                    .text(running ?? (activity.failed ? "failed" : "idle")),
                    .text(Figures.ago(activity.lastSuccess, now: now)),
                ]
            })
        return "<section aria-labelledby=\"schedule\" id=\"activities\""
            + " data-running=\"\(isRunning ? "yes" : "no")\"><h2 id=\"schedule\">Schedule</h2>\n"
            + HTMLText.table(table, folded: false, id: "daemon")
            + "<p id=\"ended\" hidden>Something has ended since this page was made."
            + " <a href=\"/\">Load it again</a> to see what it did.</p>\n</section>\n"
    }

    /// When an activity comes: a prune of what is above its critical level does not wait for its schedule.
    func coming(_ activity: Activity, now: Timestamp) -> String {
        let volume = status.volumes.first { $0.name == activity.volume }
        if activity.name == "prune", volume?.critical != nil {
            return "at the next look"
        }
        return activity.nextDue.map { $0 <= now ? "now" : "in \(($0 - now).age)" } ?? "on request"
    }

    /// The page of the schedule alone, for whoever follows what runs: it loads itself again while something does.
    package func schedulePage(now: Timestamp) -> String {
        let isRunning = activities.contains { $0.runningSince != nil }
        return Self.head(
            title: "Schedule – Larder", refresh: isRunning ? 5 : nil, current: "/schedule")
            + "<main>\n\(schedule(now: now))</main>\n" + foot(now: now)
    }

    /// What lets the schedule on a page follow what runs: every two seconds while something does.
    ///
    /// It changes nothing else of the page, and not while somebody is in it (WCAG 2.2, 2.2.2).
    package static let script = """
        "use strict";
        (function () {
            const place = "activities";
            let hasEnded = false;
            async function look() {
                const old = document.getElementById(place);
                if (!old) return;
                if (!document.hidden && !old.contains(document.activeElement)) {
                    try {
                        const answer = await fetch("schedule", { cache: "no-store" });
                        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
                        const fresh = answer.ok ? page.getElementById(place) : null;
                        if (fresh) {
                            if (old.dataset.running === "yes" && fresh.dataset.running === "no") hasEnded = true;
                            const told = fresh.querySelector("#ended");
                            if (told) told.hidden = !hasEnded;
                            old.replaceWith(document.importNode(fresh, true));
                        }
                    } catch (error) {
                        // The daemon is away: the page stays as it is, and asks again.
                    }
                }
                const now = document.getElementById(place);
                setTimeout(look, now && now.dataset.running === "yes" ? 2000 : 15000);
            }
            setTimeout(look, 2000);
        })();

        """
}
