import CacheModel

extension CapacityReport {
    /// One plot of a volume, and the table that holds its data.
    struct Figure {
        var title: String
        var note: String
        var svg: String
        var table: String
        /// What colours mean, as HTML; empty where nothing needs it.
        var legend = ""
    }

    /// The plots of a volume beside its curve; those without data are left out.
    func figures(_ volume: Volume) -> [Figure] {
        [
            rateFigure(volume), sizeFigure(volume), inflowFigure(volume),
            ageFigure(volume), groupFigure(volume),
        ].compactMap { $0 }
    }

    /// What each size gives; nil where that is not known.
    func curveFigure(_ volume: Volume) -> Figure? {
        guard let curve = volume.sizing.curve else { return nil }
        let advised = volume.sizing.recommendation?.bytes ?? .zero
        let needed = max(advised, curve.fullSize)
        // Where today's size is many times what is needed, the curve would be a step at the edge.
        let isFar = volume.limit.bytes / 4 > needed.bytes
        let end = Double(max(isFar ? .zero : volume.limit, needed).bytes) * 1.1
        // Below the smallest size into which all fits, there is nothing to serve from.
        let smallest = curve.points.first { curve.fits(from: $0.bytes) }?.bytes ?? needed
        let useful = Double(min(max(volume.sizing.fixed, smallest), needed).bytes)
        // Today's size is on it, where that does not take more than half of the width.
        let today = Double(volume.limit.bytes)
        let begin = today < useful && today > 2 * useful - end ? today : useful
        let points = (0...240).map { step in
            let size = useful + (end - useful) * Double(step) / 240
            return (x: size, y: volume.rate(near: ByteCount(Int64(size)), curve))
        }
        let ideal = points.compactMap { point in
            volume.sizing.ideal?.rate(at: max(.zero, ByteCount(Int64(point.x)) - volume.sizing.fixed)).objects
                .map { (x: point.x, y: $0) }
        }
        var plot = Plot(x: (begin...end, .bytes), y: (Plot.range(of: (points + ideal).map(\.y)), .percent))
        plot.line(ideal, kind: "ideal")
        plot.line(points)
        plot.mark(
            isFar ? end : max(begin, today),
            "\(today < begin ? "← " : "")today \(volume.limit.whole)\(isFar ? " →" : "")",
            kind: "today", row: 0)
        if advised > .zero {
            plot.mark(Double(advised.bytes), "recommended \(advised.whole)", kind: "advised", row: 1)
        }
        plot.values(
            curve.points.filter { Double($0.bytes.bytes) >= useful && Double($0.bytes.bytes) <= end }.map {
                let avoidable = Volume.day(curve.avoidable($0.outcome))
                let rate = $0.outcome.rate.objects
                return (
                    Double($0.bytes.bytes), rate ?? 0,
                    "\($0.bytes): \(Figures.rate(rate)), \(avoidable) avoidable fetches a day"
                )
            })
        return figure(
            "curve", "Hit rate at each size",
            "What a volume of that size would have served; dashed, LRU that evicts one by one and is always full. "
                + "Smaller ones do not hold what is used between two prunes.",
            plot, volume, table: "curve", volume.outcome)
    }

    private func rateFigure(_ volume: Volume) -> Figure? {
        let points = volume.sizing.days.compactMap { day in
            day.rate.objects.map {
                (x: Double(day.end.seconds), y: $0, label: "\(Volume.date(day.end)): \(Figures.rate($0))")
            }
        }
        guard volume.sizing.curve != nil, let range = range(points.map(\.x)) else { return nil }
        var plot = Plot(x: (range, .times), y: (Plot.range(of: points.map(\.y)), .percent))
        plot.line(points.map { ($0.x, $0.y) })
        plot.values(points)
        return figure(
            "rate", "Hit rate over time", "Hits by accesses, day by day.", plot, volume, table: "days",
            "The hit rate of \(points.count) days; over the window it is \(Figures.rate(volume.rate.objects))."
        )
    }

    private func sizeFigure(_ volume: Volume) -> Figure? {
        let points = volume.samples.map { (x: Double($0.at.seconds), y: Double($0.used.bytes)) }
        guard var range = range(points.map(\.x)), let last = points.last else { return nil }
        let highest = points.map(\.y).max() ?? 0
        let showsLimit = Double(volume.limit.bytes) < highest * 6
        let forecast = volume.sizing.bytesForecast
        // As far ahead as a third of what is behind.
        let ahead = forecast == nil ? 0 : (range.upperBound - range.lowerBound) / 3
        range = range.lowerBound...(range.upperBound + ahead)
        let upper = forecast.map { $0.growth.now + max(0, $0.growth.high) * ahead / 86_400 } ?? 0
        let top = max(1, highest, min(upper, highest * 2), showsLimit ? Double(volume.limit.bytes) : 0) * 1.1
        var plot = Plot(x: (range, .times), y: (0...top, .bytes))
        plot.line(points, isFilled: true)
        if let forecast {
            let days = ahead / 86_400
            let growth = forecast.growth
            plot.band(
                from: (last.x, growth.now), to: range.upperBound, low: growth.now + growth.low * days,
                middle: growth.now + growth.perDay * days, high: growth.now + growth.high * days,
                volume.forecast ?? "")
        }
        if showsLimit { plot.level(Double(volume.limit.bytes), "limit \(volume.limit.whole)") }
        plot.marks(
            volume.sizing.days.filter {
                $0.evictedBytes > .zero && Double($0.end.seconds) >= range.lowerBound
            }.map {
                (Double($0.end.seconds), "\(Volume.date($0.end)): \($0.evictedBytes) evicted")
            })
        // A value for each day is enough to rest on.
        let step = max(1, points.count / 60)
        plot.values(
            stride(from: 0, to: points.count, by: step).map {
                let sample = volume.samples[$0]
                return (points[$0].x, points[$0].y, "\(Volume.date(sample.at)): \(sample.used)")
            })
        let basis =
            forecast?.basis == .demand
            ? "; the band is what jobs will use in a week" : "; the band is the forecast"
        return figure(
            "size", "Size over time",
            "What all live files occupied at each scan. Triangles are prunes\(forecast == nil ? "" : basis).",
            plot, volume,
            table: "sizes", volume.forecast ?? "The sizes of \(points.count) scans.")
    }

    private func inflowFigure(_ volume: Volume) -> Figure? {
        let points = volume.sizing.days.map {
            (
                x: Double($0.end.seconds), y: Double($0.rate.missBytes.bytes),
                label: "\(Volume.date($0.end)): \($0.rate.missBytes)"
            )
        }
        guard let range = range(points.map(\.x)) else { return nil }
        let wide = (range.lowerBound - 43_200)...(range.upperBound + 43_200)
        var plot = Plot(x: (wide, .times), y: (0...max(1, (points.map(\.y).max() ?? 0) * 1.1), .bytes))
        plot.bars(points, width: 86_400)
        return figure(
            "inflow", "Inflow over time", "What jobs fetched each day.", plot, volume, table: "days",
            "What jobs fetched on each of \(points.count) days.")
    }

    private func ageFigure(_ volume: Volume) -> Figure? {
        let ages = volume.space.ages
        let highest = ages.map { Double($0.bytes.bytes) }.max() ?? 0
        guard highest > 0 else { return nil }
        var body = ""
        for (row, age) in ages.enumerated() {
            let top = 8 + Double(row) * 37
            let length = Double(age.bytes.bytes) / highest * 205
            body += "<text x=\"0\" y=\"\(Plot.text(top + 17))\">\(HTMLText.escaped(age.name))</text>"
            body +=
                "<rect class=\"bar\" x=\"112\" y=\"\(Plot.text(top))\" width=\"\(Plot.text(length))\" height=\"26\"><title>"
                + "\(HTMLText.escaped(age.name)): \(age.bytes), \(Figures.entries(age.entries))</title></rect>"
            body += "<text x=\"\(Plot.text(118 + length))\" y=\"\(Plot.text(top + 17))\">\(age.bytes)</text>"
        }
        let largest = ages.max { $0.bytes < $1.bytes }?.name ?? ""
        let title = "By age of last use"
        return Figure(
            title: title, note: "What has not been used for how long.",
            svg: Plot.svg(
                id: "\(volume.name)-ages", title: "\(volume.title): \(title)",
                description: "Most bytes were last used \(largest) ago.", body), table: "ages")
    }

    private func groupFigure(_ volume: Volume) -> Figure? {
        guard volume.space.groups.contains(where: { $0.bytes > .zero }) else { return nil }
        let most = volume.space.groups.prefix(3).map { "\($0.name) (\($0.bytes))" }
        return Figure(
            title: "Where the space goes",
            note: "By size; the colour says how long half of it has not been used.",
            svg: Plot.svg(
                id: "\(volume.name)-groups", title: "\(volume.title): where the space goes",
                description: "The largest: \(Figures.list(most)).", Treemap.body(volume.space.groups)),
            table: "groups", legend: Treemap.legend(volume.space.groups))
    }

    private func figure(
        _ id: String, _ title: String, _ note: String, _ plot: Plot, _ volume: Volume, table: String,
        _ description: String
    ) -> Figure {
        Figure(
            title: title, note: note,
            svg: plot.svg(
                id: "\(volume.name)-\(id)", title: "\(volume.title): \(title)", description: description),
            table: table)
    }

    private func range(_ values: [Double]) -> ClosedRange<Double>? {
        guard let low = values.min(), let high = values.max() else { return nil }
        return low < high ? low...high : (low - 43_200)...(high + 43_200)
    }
}

extension CapacityReport.Volume {
    /// The hit rate at a size, on a line between the nearest that were replayed.
    func rate(near size: ByteCount, _ curve: SizeCurve) -> Double {
        if let known = curve[size] { return known.rate.objects ?? 0 }
        let after = curve.points.first { $0.bytes > size }
        guard let before = curve.points.last(where: { $0.bytes < size }) else {
            return after?.outcome.rate.objects ?? 0
        }
        let low = before.outcome.rate.objects ?? 0
        guard let after else { return low }
        let part = Double((size - before.bytes).bytes) / Double((after.bytes - before.bytes).bytes)
        return low + ((after.outcome.rate.objects ?? 0) - low) * part
    }
}
