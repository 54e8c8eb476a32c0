import CacheModel

extension Dashboard {
    /// The last runs: what they evicted and why, and how to take it back.
    func runList(now: Timestamp) -> String {
        var text = "<section aria-labelledby=\"runs\"><h2 id=\"runs\">Recent runs</h2>\n"
        if runs.isEmpty { return text + "<p>No run is recorded yet.</p>\n</section>\n" }
        text += "<ol class=\"runs\">\n"
        for (run, alike) in Self.grouped(runs).prefix(Self.shownRuns) {
            text += item(run, alike: alike, heading: "h3", now: now)
        }
        return text + "</ol>\n<p><a href=\"/runs\">All runs</a></p>\n</section>\n"
    }

    /// The page of all runs.
    ///
    /// - Parameters:
    ///   - next: where the page of earlier runs begins; nil at the end.
    ///   - previous: where the page of later runs ends; nil at the beginning.
    package func runsPage(
        _ runs: [RunSummary], next: String?, previous: String?, now: Timestamp
    ) -> String {
        var page = Self.head(title: "Runs – Larder", current: "/runs") + "<main>\n<h2>Runs</h2>\n"
        page += runs.isEmpty ? "<p>No run is recorded yet.</p>\n" : "<ol class=\"runs\">\n"
        for (run, alike) in Self.grouped(runs) { page += item(run, alike: alike, heading: "h3", now: now) }
        if !runs.isEmpty { page += "</ol>\n" }
        var links: [String] = []
        if let previous {
            links = [
                "<a href=\"/runs\">Latest runs</a>",
                "<a rel=\"prev\" href=\"/runs?before=\(Self.pathEncoded(previous))\">Later runs</a>",
            ]
        }
        if let next {
            links.append("<a rel=\"next\" href=\"/runs?cursor=\(Self.pathEncoded(next))\">Earlier runs</a>")
        }
        if !links.isEmpty { page += "<p>\(links.joined(separator: " · "))</p>\n" }
        return page + "</main>\n" + foot(now: now)
    }

    /// How many entries of one volume the page of a run shows.
    package static let mostLines = 2000

    /// The page of one run, with its entries.
    package func runPage(_ run: RunSummary, now: Timestamp) -> String {
        var page = Self.head(title: "\(run.id) – Larder", current: "/runs/…") + "<main>\n"
        page += "<h2>Run \(HTMLText.escaped(run.id))</h2>\n<ol class=\"runs\">"
        page += item(run, alike: [], heading: "h3", isWhole: true, now: now) + "</ol>\n"
        return page + "<p><a href=\"/runs\">All runs</a></p>\n</main>\n" + foot(now: now)
    }

    private func item(
        _ run: RunSummary, alike: [RunSummary], heading: String, isWhole: Bool = false, now: Timestamp
    ) -> String {
        var text = "<li><\(heading)>\(HTMLText.escaped(run.kind)), "
        text += "<time datetime=\"\(run.startedAt)\">\(Figures.ago(run.startedAt, now: now))</time>: "
        text +=
            "<span class=\"\(run.exitCode == 0 ? "within" : "over")\">\(Self.result(run.exitCode))</span></\(heading)>\n"
        text += "<p class=\"soft\">\(HTMLText.escaped(run.id)), took "
        text += "\(Figures.duration(run.finishedAt - run.startedAt))"
        if let first = alike.last {
            text += "; \(Figures.count(Int64(alike.count), "run", "runs")) before it, since "
            text += "\(Figures.ago(first.startedAt, now: now)), did nothing either"
        }
        text += "</p>\n"
        for volume in run.volumes { text += entry(volume, of: run, isWhole: isWhole, now: now) }
        if !run.warmed.isEmpty {
            let counts = WarmedImage.Result.allCases.compactMap { result in
                run.warmed[result.rawValue].map { "\($0) \(result.rawValue)" }
            }
            text += "<p>Images: \(Figures.list(counts)).</p>\n"
        }
        let hasEntries = run.volumes.contains { $0.evicted + $0.refused > 0 }
        if hasEntries, !isWhole {
            text += "<p><a href=\"/runs/\(Self.pathEncoded(run.id))\">Which entries, and why"
            text += "<span class=\"hidden\"> in run \(HTMLText.escaped(run.id))</span></a></p>\n"
        }
        return text + "</li>\n"
    }

    private static let shownRuns = 6
    /// How many runs are looked at for those that are shown.
    package static let readRuns = 60

    /// Runs, each with those right before it that did as little: a prune an hour that finds nothing to do must not
    /// push the one that evicted out of sight.
    static func grouped(_ runs: [RunSummary]) -> [(run: RunSummary, alike: [RunSummary])] {
        var groups: [(run: RunSummary, alike: [RunSummary])] = []
        for run in runs {
            if let last = groups.last?.run, last.didNothing, run.didNothing, run.kind == last.kind,
                run.exitCode == last.exitCode, run.volumes.map(\.volume) == last.volumes.map(\.volume)
            {
                groups[groups.count - 1].alike.append(run)
            } else {
                groups.append((run, []))
            }
        }
        return groups
    }

    private func entry(
        _ volume: RunSummary.OnVolume, of run: RunSummary, isWhole: Bool, now: Timestamp
    ) -> String {
        let name = HTMLText.escaped(volume.volume)
        var text = "<p><strong>\(name)</strong>: \(Self.result(volume, of: run))"
        if volume.refused > 0 { text += "; \(Figures.entries(volume.refused)) refused" }
        text += volume.overQuota ? "; <span class=\"over\">still over quota</span>.</p>\n" : ".</p>\n"
        if let undo = undo(volume, of: run, now: now) { text += "<p>\(undo)</p>\n" }
        if isWhole, !volume.firstEvicted.isEmpty || !volume.firstRefused.isEmpty {
            text += "<ul class=\"keys\">\n"
            for line in volume.firstEvicted {
                text += "<li>\(line.bytes) \(Self.key(line, of: run))"
                if volume.keysInTrash.contains(line.key) { text += " (still in the trash)" }
                text += line.reason.isEmpty ? "</li>\n" : ": \(HTMLText.escaped(line.reason))</li>\n"
            }
            let more = volume.evicted - Int64(volume.firstEvicted.count)
            if more > 0 { text += "<li>… and \(Figures.grouped(more)) more</li>\n" }
            for line in volume.firstRefused {
                text += "<li>refused: \(Self.key(line, of: run)): \(HTMLText.escaped(line.reason))</li>\n"
            }
            let unnamed = volume.refused - Int64(volume.firstRefused.count)
            if unnamed > 0 { text += "<li>… and \(Figures.grouped(unnamed)) more refused</li>\n" }
            text += "</ul>\n"
        }
        return text
    }

    /// What a run did to a volume, in the words of its kind.
    private static func result(_ volume: RunSummary.OnVolume, of run: RunSummary) -> String {
        var text = ""
        if let checks = volume.checks {
            text = "\(Figures.grouped(checks.checked)) checked, \(Figures.grouped(checks.damaged)) damaged"
            if checks.unverifiable > 0 {
                text += ", \(Figures.grouped(checks.unverifiable)) without anything to check them by"
            }
            if volume.evicted == 0 { return text + (checks.damaged > 0 ? "; left in place" : "") }
            text += "; "
        }
        guard volume.evicted > 0 else {
            switch run.kind {
            case "warm": return "\(volume.usedBefore) used before, \(volume.usedAfter) after"
            case "orphans": return "nothing reclaimed"
            default: return "nothing evicted, \(volume.usedBefore) used"
            }
        }
        let verb =
            switch run.kind {
            case "verify": "quarantined"
            case "orphans": "reclaimed"
            default: "evicted"
            }
        text +=
            run.kind == "orphans"
            ? Figures.count(volume.evicted, "orphan", "orphans") : Figures.entries(volume.evicted)
        text += " of \(volume.evictedBytes) \(verb), "
        text += "from \(volume.usedBefore) down to \(volume.usedAfter); "
        text += "\(max(.zero, volume.freedBytes)) freed"
        if volume.trashedBytes > .zero { text += ", \(volume.trashedBytes) to the trash" }
        return text
    }

    private func undo(_ volume: RunSummary.OnVolume, of run: RunSummary, now: Timestamp) -> String? {
        guard volume.evicted > 0, run.kind != "orphans" else { return nil }
        guard let retention = trashRetention[volume.volume] else { return undo(images: volume) }
        guard volume.inTrash > 0, volume.present != volume.evicted else {
            return "<span class=\"soft\">\(HTMLText.escaped(fate(of: volume)))</span>"
        }
        let isShort = status.volumes.contains { $0.name == volume.volume && $0.critical != nil }
        let effect =
            volume.inTrash < volume.evicted
            ? "brings back the \(Figures.entries(volume.inTrash)), \(volume.inTrashBytes), that the trash still has"
            : run.kind == "verify" ? "brings them back as they were, damage and all" : "undoes this"
        let end = run.finishedAt + retention
        let until =
            end <= now
            ? "until the next prune, as the time in the trash is over. "
            : "until \(end), "
                + (isShort
                    ? "but space is short: the next prune deletes the oldest of the trash. "
                    : "unless space is short. ")
        return "\(code("larder trash restore \(run.id)")) \(effect), \(until)"
            + "With a key behind the run, only that entry."
    }

    /// What became of entries of which the trash has none.
    private func fate(of volume: RunSummary.OnVolume) -> String {
        let all = Figures.entries(volume.evicted)
        if volume.present == volume.evicted {
            return "\(all) on the volume again: brought back, or fetched anew."
        }
        let some = volume.present.flatMap {
            $0 > 0 ? "\(Figures.grouped($0)) of \(all) on the volume again. " : nil
        }
        let cause =
            volume.purge.map { "What was not brought back was \($0.text): the next build fetches it again." }
            ?? (volume.present == nil
                ? "No longer in the trash: brought back, or gone."
                : "\(some == nil ? "Not" : "The others are not") in the trash, as far as the last scan saw: the next "
                    + "build fetches them again.")
        return (some ?? "") + cause
    }

    /// How to pull evicted images again.
    ///
    /// What a shell could take for more than a name is left out.
    private func undo(images volume: RunSummary.OnVolume) -> String {
        let names = volume.firstEvicted.map(\.key).filter { key in
            !key.hasPrefix("-") && !key.hasPrefix("<")
                && key.utf8.allSatisfy { byte in
                    UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
                        || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || ".:/@_-".utf8.contains(byte)
                }
        }
        let rest = volume.evicted > Int64(names.count) ? " The others come back when a job pulls them." : ""
        if names.isEmpty { return "Images come back when a job pulls them." }
        return "\(code("larder warm " + names.joined(separator: " "))) pulls them again." + rest
    }

    private func code(_ command: String) -> String { Self.code(command, commandOptions) }

    /// A command as it works when it is pasted into a terminal.
    static func code(_ command: String, _ options: String) -> String {
        let words = options.isEmpty ? command : "\(command) \(options)"
        return "<code>\(HTMLText.escaped(words))</code>"
    }

    /// The name of what a run concerned; an orphan has no page.
    private static func key(_ line: EvictionOutcome.Line, of run: RunSummary) -> String {
        run.kind == "orphans" ? HTMLText.escaped(line.key) : link(line.key)
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
}

extension RunSummary {
    /// Whether it looked, and left everything as it was.
    fileprivate var didNothing: Bool {
        warmed.isEmpty
            && volumes.allSatisfy { $0.evicted == 0 && $0.refused == 0 && ($0.checks?.damaged ?? 0) == 0 }
    }
}
