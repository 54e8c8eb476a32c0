import CacheModel

extension CapacityReport {
    /// The report for people: the outcomes first, then each volume.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        for volume in volumes {
            page.paragraph(
                volume.outcome, hanging: 2, tone: volume.sizing.recommendation == nil ? .warning : .good)
        }
        for sentence in diskSentences { page.paragraph(sentence, hanging: 2) }
        for volume in volumes { write(volume, to: &page, now: now) }
        if let images {
            page.blank()
            page.line("vfs tax", tone: .strong)
            for sentence in images.sentences { page.paragraph(sentence, indent: 2) }
        }
        for section in orphans { section.write(to: &page, now: now) }
        writeIdleWarmings(to: &page)
        return page.text
    }

    private func write(_ volume: Volume, to page: inout TextPage, now: Timestamp) {
        page.blank()
        page.line(volume.name, tone: .strong)
        page.paragraph(volume.reason, indent: 2)
        if let cost = volume.cost(at: price) {
            page.paragraph("Cost a month: \(cost).", indent: 2)
        } else if volume.sizing.recommendation != nil {
            page.paragraph("Cost a month: not known, as report.price is not set.", indent: 2, tone: .faint)
        }
        if let over = volume.overSentence { page.paragraph(over, indent: 2, tone: .warning) }
        for asked in [volume.askedSentence(price), volume.policySentence].compactMap({ $0 }) {
            page.paragraph(asked, indent: 2)
        }
        if let forecast = volume.forecast { page.paragraph(forecast, indent: 2) }
        for sentence in volume.sentences { page.paragraph(sentence, indent: 2) }
        if let regret = volume.regretSentence(days: windowDays) {
            page.paragraph(regret, indent: 2, tone: .warning)
        }
        for table in tables(of: volume) where table.isForText && !table.rows.isEmpty {
            page.blank()
            page.line(table.title, indent: 2, tone: .faint)
            let isOfProjects = table.name == "projects"
            page.table(
                table.text(rows: isOfProjects && !page.isBounded ? .max : 10),
                of: isOfProjects ? table.rows.count : nil)
            if let command = table.reclaim {
                page.paragraph("To evict, for example: \(command)", indent: 2, hanging: 2, tone: .faint)
            }
        }
        if !volume.space.unmanagedDirectories.isEmpty {
            page.blank()
            page.unmanaged(volume.space.unmanagedDirectories)
        }
        writeSavings(of: volume, to: &page)
    }

    private func writeSavings(of volume: Volume, to page: inout TextPage) {
        let kinds = volume.savingKinds
        guard !kinds.isEmpty || volume.lookSentence != nil else { return }
        page.blank()
        page.line("What takes space without much need", indent: 2, tone: .faint)
        for (sentence, examples) in kinds {
            page.paragraph(sentence, indent: 2, hanging: 2)
            for saving in examples {
                page.line("\(saving.bytes)  \(saving.name)", indent: 4)
                page.paragraph(saving.reason, indent: 6, tone: .faint)
                if let command = saving.command { page.paragraph(command, indent: 6, hanging: 2) }
            }
        }
        if let sentence = volume.lookSentence { page.paragraph(sentence, indent: 2, tone: .faint) }
    }
}
