import CacheModel
import Sizing

extension CapacityReport {
    /// The report for people: the outcomes first, then each volume.
    public func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        for volume in volumes {
            page.paragraph(
                volume.outcome, hanging: 2, tone: volume.sizing.recommendation == nil ? .warning : .good)
        }
        for volume in volumes { write(volume, to: &page, now: now) }
        if let images {
            page.blank()
            page.line("vfs tax", tone: .strong)
            page.paragraph(
                "the layers occupy \(images.stored), their contents \(images.unique): "
                    + "\(Volume.short(images.factor)) times as much. Overlay, or a file system with reflinks, "
                    + "would save up to \(max(.zero, images.stored - images.unique)).", indent: 2)
        }
        writeIdleWarmings(to: &page)
        return page.text
    }

    private func write(_ volume: Volume, to page: inout TextPage, now: Timestamp) {
        page.blank()
        page.line(volume.name, tone: .strong)
        page.paragraph(volume.reason, indent: 2)
        if let forecast = volume.forecast { page.paragraph(forecast, indent: 2) }
        if let week = volume.sizing.weeklySet, let day = volume.sizing.dailySet {
            page.paragraph(
                "Jobs use \(day.p50) a day and \(week.p50) a week (median; 95 of 100: \(day.p95), \(week.p95)).",
                indent: 2)
        }
        if let sampling = volume.sizing.curve?.sampling {
            page.paragraph(
                "The curve rests on a sample of \(Figures.rate(sampling.share)) of the entries; rates may be "
                    + "off by \(Figures.rate(sampling.error)).", indent: 2)
        }
        if volume.inodeLimit > 0 {
            let share = Figures.percent(ByteCount(volume.usedInodes), of: ByteCount(volume.inodeLimit))
            let full = volume.sizing.inodesForecast?.fullAt.map { ", all about \($0.description.prefix(10))" }
            page.paragraph(
                "Inodes: \(Figures.grouped(volume.usedInodes)) of \(Figures.grouped(volume.inodeLimit)) "
                    + "(\(share))\(full ?? "").", indent: 2)
        }
        if volume.regret.misses > 0 {
            page.paragraph(
                "Regret: \(Figures.count(volume.regret.misses, "fetch", "fetches")) of evicted entries, "
                    + "\(volume.regret.missBytes), in \(windowDays) days.", indent: 2, tone: .warning)
        }
        for table in tables(of: volume, now: now) where table.isForText && !table.rows.isEmpty {
            page.blank()
            page.line(table.title, indent: 2, tone: .faint)
            page.table(table.text(rows: 10))
        }
    }
}
