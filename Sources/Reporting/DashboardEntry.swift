import CacheModel

/// What is known of one entry, as a part of a page.
struct EntrySection {
    let report: ExplainReport
    /// Its place among several, for the ids of its headings.
    let number: Int
    /// What commands need in a terminal.
    let commandOptions: String

    func html(now: Timestamp) -> String {
        let (outcome, sentence, tone) = report.fate(now: now)
        var text = "<article class=\"card entry\" aria-labelledby=\"entry\(number)\">\n"
        text += "<h2 id=\"entry\(number)\" class=\"\(tone)\">\(outcome): "
        text += "\(HTMLText.escaped(report.key))</h2>\n<p>\(HTMLText.escaped(sentence))</p>\n"
        if let entry = report.entry { text += facts(entry, now: now) }
        if let ghost = report.ghost { text += history(ghost, now: now) }
        if !report.traces.isEmpty { text += timeline }
        if !report.accesses.isEmpty { text += uses(now: now) }
        if !report.projects.isEmpty { text += projects(now: now) }
        return text + "</article>\n"
    }

    private func facts(_ entry: CacheEntry, now: Timestamp) -> String {
        var rows = [
            ("Volume", report.volume), ("Pool", entry.pool.rawValue), ("Size", "\(entry.bytes)"),
            ("Files", entry.found.files > 0 ? Figures.grouped(entry.found.files) : "–"),
            ("Last used", entry.useInWords(now: now)),
            ("Evidence", "\(entry.evidence.rawValue), confidence \(entry.confidence.rawValue)"),
            ("Uses recorded", Figures.grouped(entry.uses)),
            ("Fetched", Figures.ago(entry.found.fetched, now: now)),
            ("First seen", Figures.ago(entry.firstSeen, now: now)),
        ]
        if let until = entry.warmedUntil { rows.append(("Warmed, kept until", "\(until)")) }
        if let image = entry.found.image {
            rows += [
                ("Removal frees", "\(image.exclusiveBytes)"), ("Containers", "\(image.containers)"),
                ("Layers", "\(image.layers.count)"),
            ]
        }
        var text =
            "<p class=\"soft\">pool \(entry.pool.rawValue) on volume \(HTMLText.escaped(report.volume))</p>\n"
        text +=
            "<dl>"
            + rows.map { "<div><dt>\($0.0)</dt><dd>\(HTMLText.escaped($0.1))</dd></div>" }.joined()
            + "</dl>\n"
        text += "<p>Path: <code>\(HTMLText.escaped(entry.found.path.description))</code></p>\n"
        guard let image = entry.found.image else { return text }
        text += "<p>Image: <code>\(HTMLText.escaped(image.id))</code></p>\n"
        if image.names.count > 1 {
            text += "<p>Names:</p><ul class=\"keys\">"
            text += image.names.map { "<li>\(HTMLText.escaped($0))</li>" }.joined() + "</ul>\n"
        }
        if !report.sharing.isEmpty {
            text += "<p>Shares layers with:</p><ul class=\"keys\">"
            text +=
                report.sharing.prefix(50).map {
                    "<li>\(Dashboard.link($0.key)): \(Figures.count($0.layers, "layer", "layers")), \($0.bytes)</li>"
                }.joined()
                + (report.sharing.count > 50 ? "<li>… and \(report.sharing.count - 50) more</li>" : "")
                + "</ul>\n"
        }
        text += "<details><summary>Layers, from the top down</summary><ol class=\"keys\">"
        return text + image.layers.map { "<li><code>\(HTMLText.escaped($0))</code></li>" }.joined()
            + "</ol></details>\n"
    }

    private func history(_ ghost: ExplainReport.Ghost, now: Timestamp) -> String {
        let when = "\(ghost.reason) \(Figures.ago(ghost.goneAt, now: now)), \(ghost.bytes)"
        guard let run = ghost.run else {
            return "<p>It went before: \(HTMLText.escaped(when)), not by Larder.</p>\n"
        }
        var text = "<p>It went before: \(HTMLText.escaped(when)), by "
        text += "<a href=\"/runs/\(Dashboard.pathEncoded(run))\">\(HTMLText.escaped(run))</a>.</p>\n"
        if let command = report.restoreCommand {
            text += "<p>To bring it back: \(Dashboard.code(command, commandOptions))</p>\n"
        }
        return text
    }

    private var timeline: String {
        var text = "<h3>Evidence</h3>\n<ol class=\"keys\">"
        for trace in report.traces {
            text +=
                "<li><time datetime=\"\(trace.at)\">\(trace.at)</time> \(HTMLText.escaped(trace.source)): "
            text += "\(HTMLText.escaped(trace.meaning))</li>\n"
        }
        text += "</ol>\n"
        if let trust = report.trust, !trust.reason.isEmpty {
            text +=
                "<p class=\"soft\">Confidence \(trust.confidence.rawValue): \(HTMLText.escaped(trust.reason))</p>\n"
        }
        return text
    }

    private func projects(now: Timestamp) -> String {
        let most = 50
        let more = report.projects.count - most
        let lines = report.projects.prefix(most).map { use in
            let counts = Figures.uses(use.hits, use.misses)
            return
                "<li>\(HTMLText.escaped(use.project)): \(counts), last \(Figures.ago(use.last, now: now))</li>"
        }
        return "<h3>By project</h3>\n<ul class=\"keys\">" + lines.joined(separator: "\n")
            + (more > 0 ? "<li>… and \(more) more</li>" : "") + "</ul>\n"
    }

    private func uses(now: Timestamp) -> String {
        var text = "<h3>Uses and fetches</h3>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
        text += "aria-label=\"Uses and fetches of \(HTMLText.escaped(report.key)), \(number + 1)\"><table>"
        text += "<thead><tr><th scope=\"col\">what</th><th scope=\"col\">when</th>"
        text += "<th scope=\"col\" class=\"n\">size</th><th scope=\"col\">evidence</th>"
        text += "<th scope=\"col\">note</th></tr></thead><tbody>\n"
        for access in report.accesses {
            var notes = access.regret ? ["a prune had evicted it"] : []
            if let whose = access.whose { notes.append(whose) }
            text += "<tr><td>\(access.kind == .hit ? "used" : "fetched")</td>"
            text += "<td><time datetime=\"\(access.at)\">\(Figures.ago(access.at, now: now))</time></td>"
            text += "<td class=\"n\">\(access.bytes)</td><td>\(access.evidence.rawValue)</td>"
            text += "<td>\(HTMLText.escaped(notes.joined(separator: "; ")))</td></tr>\n"
        }
        return text + "</tbody></table></div>\n"
    }
}

extension ExplainReport {
    /// What becomes of the entry: in a word, in a sentence, and how that is coloured.
    func fate(now: Timestamp) -> (outcome: String, sentence: String, tone: String) {
        switch verdict {
        case .evicted(let position, let eviction):
            return (
                "Next to go",
                "The next prune evicts it as number \(Figures.grouped(Int64(position))) of "
                    + "\(Figures.grouped(evictions)), which frees \(eviction.freedBytes): \(eviction.reason).",
                "over"
            )
        case .kept(let protection):
            return (
                "Kept",
                "No prune evicts it: \(protection.text). " + wayOut(of: protection), "within"
            )
        case .notNeeded:
            return ("Stays", "The next prune leaves it: the goal is reached without it.", "within")
        case nil where entry != nil:
            return (
                "There",
                "What the next prune does with it is not known yet: that is worked out after a start, after each "
                    + "scan, and for the volumes of the configuration only. Ask again in a minute.", "within"
            )
        case nil:
            guard let ghost else { return ("Gone", "It is not on volume \(volume).", "over") }
            return (
                "Gone",
                "It left volume \(volume) \(Figures.ago(ghost.goneAt, now: now)), \(cause(of: ghost)). It occupied "
                    + "\(ghost.bytes) and was last used \(Figures.ago(ghost.lastUsed, now: now))."
                    + whereabouts(of: ghost), "over"
            )
        }
    }

    /// What lets the entry go after all.
    ///
    /// What a full volume needs is told by its plan: this one may be all but empty.
    private func wayOut(of protection: Protection) -> String {
        protection == .idleFloor
            ? "It can go once it was neither used nor fetched for that long."
            : protection.remedy(areImages: entry?.pool == .images)
    }

    /// Whether the trash has it, and what took it from there.
    private func whereabouts(of ghost: Ghost) -> String {
        if let until = ghost.keptUntil { return " It is in the trash until \(until), unless space is short." }
        return ghost.purge.map { " It was \($0.text)." } ?? ""
    }

    /// What took an entry away.
    func cause(of ghost: Ghost) -> String {
        ghost.run.map { "\(ghost.reason) by \($0)" } ?? "not by Larder"
    }
}
