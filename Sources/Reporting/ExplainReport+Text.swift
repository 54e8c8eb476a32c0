import CacheModel

extension ExplainReport {
    /// The entry for people: what would happen to it, what it is, how it was used.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        writeOutcome(to: &page, now: now)
        if let entry { write(entry, to: &page, now: now) }
        if let ghost, entry != nil {
            page.line("went before \(Figures.ago(ghost.goneAt, now: now)), \(cause(of: ghost))", indent: 2)
        }
        writeTraces(to: &page)
        writeAccesses(to: &page, now: now)
        writeProjects(to: &page, now: now)
        return page.text
    }

    private func writeOutcome(to page: inout TextPage, now: Timestamp) {
        let (outcome, sentence, tone) = fate(now: now)
        page.line("\(outcome): \(key)", tone: tone == "within" ? .good : .warning)
        page.paragraph(sentence, indent: 2)
        if let restoreCommand { page.line("To bring it back: \(restoreCommand)", indent: 2, tone: .strong) }
    }

    private func write(_ entry: CacheEntry, to page: inout TextPage, now: Timestamp) {
        page.blank()
        page.line("pool \(entry.pool.rawValue) on volume \(volume)", indent: 2)
        page.line(entry.found.path.description, indent: 2)
        if let download { page.line(download, indent: 2) }
        if let foreignFile {
            page.paragraph("in the way: \(foreignFile), which no tool put there", indent: 2, tone: .warning)
        }
        let files = entry.found.files > 0 ? " in \(Figures.count(entry.found.files, "file", "files"))" : ""
        let inodes = entry.found.directories > 0 ? ", \(Figures.grouped(entry.found.inodes)) inodes" : ""
        page.line("\(entry.bytes)\(files), \(entry.found.apparentBytes) in length\(inodes)", indent: 2)
        page.line("\(entry.lastUse(asOf: now)), confidence \(entry.confidence.rawValue)", indent: 2)
        page.line(
            "\(Figures.count(entry.uses, "use", "uses")) recorded; \(entry.found.isInstalled ? "installed" : "fetched") "
                + "\(Figures.ago(entry.found.fetched, now: now)), first seen "
                + Figures.ago(entry.firstSeen, now: now), indent: 2)
        if entry.found.traits.contains(.failedDownload) {
            page.paragraph(
                "It holds nothing but *.lastUpdated files, by which Maven remembers that the download failed: "
                    + "larder verify --quarantine lets it try again.", indent: 2, tone: .warning)
        }
        if let until = entry.warmedUntil { page.line("warmed, kept until \(until)", indent: 2) }
        guard let image = entry.found.image else { return }
        page.line("image \(image.id)", indent: 2)
        for name in page.first(10, of: image.names) where name != entry.key {
            page.line("also \(name)", indent: 2)
        }
        let containers = Figures.count(Int64(image.containers), "container", "containers")
        page.line(
            "\(Figures.count(Int64(image.layers.count), "layer", "layers")), \(containers); its removal alone "
                + "frees \(image.exclusiveBytes)", indent: 2)
        for shared in page.first(10, of: sharing) {
            page.line(
                "shares \(Figures.count(shared.layers, "layer", "layers")), \(shared.bytes), with \(shared.key)",
                indent: 2)
        }
        page.more(sharing.count - 10, indent: 2)
        if let part = image.part { page.paragraph(part, indent: 2) }
    }

    private func writeTraces(to page: inout TextPage) {
        guard !traces.isEmpty else { return }
        page.blank()
        var table = TextTable(("trace", .left), ("at", .left), ("what it is", .left))
        table.rows = traces.map { [$0.source, $0.at.description, $0.meaning] }
        page.table(table)
        if let trust, !trust.reason.isEmpty {
            page.paragraph("confidence \(trust.confidence.rawValue): \(trust.reason)", indent: 2)
        }
    }

    private func writeAccesses(to page: inout TextPage, now: Timestamp) {
        guard !accesses.isEmpty else { return }
        page.blank()
        var table = TextTable(
            ("access", .left), ("at", .left), ("when", .right), ("size", .right), ("evidence", .left))
        var notes: [Int: String] = [:]
        for (place, access) in page.first(10, of: accesses).enumerated() {
            table.rows.append([
                access.kind.rawValue, access.at.description, Figures.ago(access.at, now: now),
                "\(access.bytes)", access.evidence.rawValue,
            ])
            var note: [String] = []
            if access.regret { note.append("regret: a prune had evicted it") }
            if let whose = access.whose { note.append(whose) }
            if !note.isEmpty { notes[place] = note.joined(separator: "; ") }
        }
        page.table(table, of: accesses.count, notes: notes)
    }

    private func writeProjects(to page: inout TextPage, now: Timestamp) {
        guard !projects.isEmpty else { return }
        page.blank()
        var table = TextTable(("hits", .right), ("misses", .right), ("last", .right), ("project", .left))
        table.rows = page.first(10, of: projects).map {
            [
                Figures.grouped($0.hits), Figures.grouped($0.misses), Figures.ago($0.last, now: now),
                $0.project,
            ]
        }
        page.table(table, of: projects.count)
    }
}

extension ScannedImage {
    /// What else it is than an image that a registry has; nil where it is just that.
    fileprivate var part: String? {
        switch (role, origin) {
        case (.list, _): "a manifest list: its uses are those of the image in it that runs"
        case (.instance, _) where !listNames.isEmpty: "runs as \(listNames.joined(separator: ", "))"
        case (.instance, _): "part of a manifest list, for another architecture than this machine's"
        case (.step, _): "a step of a build: it goes with the last image that was built on it"
        case (.image, .local): "no registry has it: its name is of this machine"
        case (.image, .loaded): "it came from an archive, and no registry is known to have it"
        case (.image, .made): "it was made here; whether it was pushed is not known, so it goes a week later"
        case (.image, .registry): nil
        }
    }
}
