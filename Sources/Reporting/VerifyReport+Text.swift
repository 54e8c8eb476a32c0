import CacheModel

extension VerifyReport {
    /// The verification for people: the outcome, each volume with its findings, and what to do.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let (outcome, tone) = outcome
        page.paragraph(outcome, tone: tone)
        for volume in volumes { volume.write(to: &page, quarantine: quarantine) }
        page.skipped(skipped)
        writeRemedies(to: &page)
        return page.text
    }

    private var outcome: (String, Tone) {
        let checked = sum(\.checked)
        let moved = Set(damaged.filter(\.isQuarantined).map(\.entryID)).count
        let inPlace = damaged.filter { !$0.isQuarantined }.count
        let left = sum(\.entriesLeft)
        let unsettled = sum { Int64($0.unsettled.count) }
        var text =
            damaged.isEmpty
            ? checked == 0
                ? "No file was verified"
                : "No damage\(left > 0 ? " so far" : ""): \(Figures.count(checked, "file is what it", "files are what they")) should be"
            : "Damaged: \(Figures.grouped(Int64(damaged.count))) of "
                + "\(Figures.count(checked, "file", "files"))"
        if moved > 0 { text += "; \(Figures.entries(Int64(moved))) moved into the trash" }
        if inPlace > 0, moved > 0 || quarantine {
            text += "; \(Figures.grouped(Int64(inPlace))) left in place"
        }
        if unsettled > 0 {
            text += "; \(Figures.count(unsettled, "file", "files")) written lately could not be judged"
        }
        let unreadable = sum { Int64($0.unreadable.count) }
        if unreadable > 0 { text += "; \(Figures.count(unreadable, "path", "paths")) not readable" }
        let isWarning = unsettled > 0 || unreadable > 0 || moved > 0 || !skipped.isEmpty
        return ("\(text).", inPlace > 0 ? .bad : isWarning ? .warning : .good)
    }

    private func writeRemedies(to page: inout TextPage) {
        var lines: [String] = []
        let images = damaged.contains { $0.pool == .images }
        let movable = Set(damaged.filter { $0.pool != .images && $0.refusal == nil }.map(\.entryID)).count
        let all = Set(damaged.filter { $0.pool != .images }.map(\.entryID)).count
        if !quarantine, movable > 0 {
            let what = movable == all ? "them" : "\(movable) of the \(all) damaged entries"
            lines.append(
                "To have the next build fetch \(what) again: larder verify --quarantine. It moves whole entries "
                    + "into the trash, from where they can be brought back.")
        }
        if damaged.contains(where: \.isQuarantined) {
            lines.append(
                "The next build fetches them again. To bring them back as they were: larder trash restore \(run)"
            )
        }
        let waits = damaged.contains { $0.refusal == Protection.idleFloor.text }
        if waits || volumes.contains(where: { !$0.unsettled.isEmpty }) {
            lines.append(
                "What was used or written lately may be in use. When no job is running: "
                    + "larder verify\(quarantine || waits ? " --quarantine" : "") --idle-floor 0s")
        }
        if damaged.contains(where: { $0.refusal == Protection.locallyInstalled.text }) {
            lines.append("What was installed locally must be built and installed again.")
        }
        if images {
            lines.append("Remove a damaged image with podman rmi while no job uses it, then pull it again.")
        }
        if !lines.isEmpty { page.blank() }
        for line in lines { page.paragraph(line) }
    }
}

extension VerifiedVolume {
    fileprivate func write(to page: inout TextPage, quarantine: Bool) {
        page.blank()
        page.line(name, tone: .strong)
        var text = "\(Figures.entries(entries)) looked at, \(bytes) read"
        if entriesLeft > 0 { text += "; \(Figures.entries(entriesLeft)) left for the next run" }
        page.paragraph(text, indent: 2)
        for file in page.first(50, of: damaged) { file.write(to: &page, quarantine: quarantine) }
        page.more(damaged.count - 50, indent: 2)
        write(unreadable, "not readable", .bad, to: &page)
        write(unsettled, "still changing, looked at again by the next run", .warning, to: &page)
        guard !reasons.isEmpty else { return }
        page.line("nothing to compare with", indent: 2)
        for (reason, files) in reasons {
            page.paragraph(
                "\(Figures.count(files, "file", "files")): \(reason)", indent: 4, hanging: 2, tone: .faint)
        }
    }

    private func write(
        _ paths: [Undecided], _ title: String, _ tone: Tone, to page: inout TextPage
    ) {
        guard !paths.isEmpty else { return }
        page.line(title, indent: 2, tone: tone)
        for each in page.first(10, of: paths) {
            page.paragraph(each.path, indent: 4)
            page.paragraph(each.reason, indent: 6)
        }
        page.more(paths.count - 10, indent: 4)
    }
}

extension DamagedFile {
    fileprivate func write(to page: inout TextPage, quarantine: Bool) {
        page.line("\(kind.rawValue)  \(key)", indent: 2, tone: isQuarantined ? .warning : .bad)
        if pool != .images { page.paragraph(path, indent: 4) }
        page.paragraph(detail, indent: 4)
        if isQuarantined { page.line("moved into the trash", indent: 4) }
        if let refusal {
            let what = quarantine ? "left in place" : "a quarantine would leave it in place"
            page.paragraph("\(what): \(refusal)", indent: 4, hanging: 2)
        }
    }
}
