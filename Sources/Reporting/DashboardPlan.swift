import CacheModel
import Foundation

/// The page of what the next prune of each volume does: what, why and when, and what stays and why.
package struct PlanPage: Sendable {
    /// What would be evicted now; the value of `larder plan`.
    package var report: PlanReport
    /// How the prunes of the daemon stand, by volume.
    package var next: [String: Dashboard.Activity]

    /// When the prunes of the volumes come that no daemon keeps, a sentence each.
    package var rhythms: [String: String]

    /// By which clock on the wall times are told.
    package var zone: TimeZone

    /// How many evictions are shown; the API has all of them.
    private static let shown = 200

    /// Makes a page from what would be evicted and how the prunes stand.
    ///
    /// - Parameter zone: the daemon's.
    package init(
        _ report: PlanReport, next: [String: Dashboard.Activity] = [:], rhythms: [String: String] = [:],
        zone: TimeZone = .gmt
    ) {
        self.report = report
        self.zone = zone
        self.next = next
        self.rhythms = rhythms
    }

    /// The page; it does not load itself anew.
    package func html(now: Timestamp) -> String {
        var page = Dashboard.head(title: "Next prune – Larder", current: "/plan")
        let (outcome, tone) = report.plans.outcome()
        page += "<main>\n<h2>Next prune</h2>\n"
        page += "<p class=\"outcome\(tone == .bad ? " missing" : "")\">\(HTMLText.escaped(outcome))</p>\n"
        page += "<p class=\"soft\">This is what would happen now: uses until then change it.</p>\n"
        for plan in report.plans { page += section(plan, now: now) }
        return page + "</main>\n</body>\n</html>\n"
    }

    private func section(_ plan: EvictionPlan, now: Timestamp) -> String {
        let name = HTMLText.escaped(plan.volume)
        var text = "<section aria-labelledby=\"plan-\(name)\"><h3 id=\"plan-\(name)\">\(name)</h3>\n"
        text += QuotaBar(used: plan.usedBytes, quota: plan.quota).svg(name: plan.volume)
        text += "<p>\(HTMLText.escaped(when(plan, now: now)))</p>\n"
        if plan.needed, !plan.evict.isEmpty {
            let change = Figures.change(from: plan.usedBytes, to: plan.usedAfter)
            text +=
                "<p>It would evict \(Figures.entries(Int64(plan.evict.count))), freeing \(change.difference): "
            text += "\(change.before) → \(change.after), goal at most \(plan.goal).</p>\n"
            for note in plan.whatBecomes {
                text += "<p>\(HTMLText.escaped(note.capitalizedFirst)).</p>\n"
            }
            text += table(plan, now: now)
        } else if !plan.needed {
            text += "<p>There is nothing to evict: a prune starts above \(plan.quota.high).</p>\n"
            for note in plan.whatBecomes {
                text += "<p>\(HTMLText.escaped(note.capitalizedFirst)).</p>\n"
            }
        }
        if !plan.reachesGoal { text += blockers(plan) }
        return text + kept(plan) + HTMLText.unmanaged(plan.unmanaged, most: 8) + "</section>\n"
    }

    private func when(_ plan: EvictionPlan, now: Timestamp) -> String {
        guard let activity = next[plan.volume] else {
            return rhythms[plan.volume]?.capitalizedFirst ?? "No schedule prunes this volume."
        }
        if let since = activity.runningSince { return "A prune has been running for \((now - since).age)." }
        if plan.isCritical {
            let fill = plan.trashBytes > .zero ? "With its trash it" : "It"
            return "\(fill) is above its critical level: a prune begins at the next look."
        }
        return activity.nextDue.map {
            "The next prune comes \(Figures.ahead($0, now: now)), at \(Figures.time($0, in: zone))."
        }
            ?? "No schedule prunes this volume; it is pruned on request."
    }

    private func table(_ plan: EvictionPlan, now: Timestamp) -> String {
        let label = "What goes from \(HTMLText.escaped(plan.volume)), in order"
        var text = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"\(label)\"><table>"
        text += "<caption class=\"hidden\">\(label)</caption><thead><tr>"
        text += "<th scope=\"col\">entry</th><th scope=\"col\" class=\"n\">frees</th>"
        text += "<th scope=\"col\" class=\"n\">last used</th><th scope=\"col\">why</th></tr></thead><tbody>\n"
        for eviction in plan.evict.prefix(Self.shown) {
            text +=
                "<tr><td>\(Dashboard.link(eviction.entry.key))</td><td class=\"n\">\(eviction.freedBytes)</td>"
            text += "<td class=\"n\">\(Figures.ago(eviction.entry.lastUsed, now: now))</td>"
            text += "<td>\(HTMLText.escaped(eviction.reason))</td></tr>\n"
        }
        text += "</tbody></table></div>\n"
        let more = plan.evict.count - Self.shown
        if more > 0 {
            text += "<p>… and \(Figures.grouped(Int64(more))) more: "
            text +=
                "<a href=\"/api/v1/plan?volume=\(Dashboard.pathEncoded(plan.volume))\">all as JSON</a></p>\n"
        }
        return text
    }

    private func blockers(_ plan: EvictionPlan) -> String {
        var text = "<h4>What stands in the way of the goal</h4>\n<ul class=\"keys\">"
        for line in GoalBlockers(plan: plan, usedAfter: plan.usedAfter).lines {
            text += "<li><strong>\(line.bytes)</strong> \(HTMLText.escaped(line.what)). "
            text += "\(HTMLText.escaped(line.remedy))</li>\n"
        }
        return text + "</ul>\n"
    }

    private func kept(_ plan: EvictionPlan) -> String {
        guard !plan.kept.isEmpty, plan.reachesGoal else { return "" }
        var text = "<h4>What stays whatever the quota says</h4>\n<ul class=\"keys\">"
        for kept in plan.kept {
            text += "<li><strong>\(kept.bytes)</strong> \(Figures.entries(kept.entries)): "
            text +=
                "\(HTMLText.escaped(kept.reason.text)). \(HTMLText.escaped(kept.reason.remedy(areImages: plan.areImages)))</li>\n"
        }
        return text + "</ul>\n"
    }
}
