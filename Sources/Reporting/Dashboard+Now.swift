import CacheModel

extension Dashboard {
    /// Something to look at.
    private struct Notice {
        var isBad: Bool
        var text: String
        var hint: String
    }

    /// What needs attention, the most urgent first.
    func attention(now: Timestamp) -> String {
        let notices = self.notices(now: now)
        var text = "<section aria-labelledby=\"now\"><h2 id=\"now\">What needs attention</h2>\n"
        if notices.isEmpty {
            return text + "<p class=\"outcome\">Nothing: every volume is within its quota.</p>\n</section>\n"
        }
        text += "<ul class=\"notices\">\n"
        for notice in notices {
            text +=
                "<li class=\"\(notice.isBad ? "bad" : "warn")\"><strong>\(notice.isBad ? "Now" : "Soon"): "
            text += "\(HTMLText.escaped(notice.text)).</strong> \(HTMLText.escaped(notice.hint))</li>\n"
        }
        return text + "</ul>\n</section>\n"
    }

    private func notices(now: Timestamp) -> [Notice] {
        var notices = waitingFor.map {
            Notice(isBad: false, text: "not ready yet", hint: "Waiting for \($0).")
        }
        for warning in status.warnings {
            let isBad = ["over-quota", "inodes", "incomplete-scan"].contains(warning.code)
            notices.append(
                Notice(isBad: isBad, text: warning.text, hint: Self.sentence(hint(of: warning, now: now))))
        }
        for activity in activities where activity.failed {
            notices.append(
                Notice(
                    isBad: true,
                    text: "\(activity.title) failed \(Figures.ago(activity.lastEnd, now: now))",
                    hint: "The daemon's log says why; it last succeeded "
                        + "\(Figures.ago(activity.lastSuccess, now: now))."))
        }
        for volume in report?.volumes ?? [] {
            guard let full = volume.sizing.bytesForecast?.fullAt, full - now < .days(14) else { continue }
            notices.append(
                Notice(
                    isBad: false, text: "\(volume.name) is full about \(full.description.prefix(10))",
                    hint: volume.sizing.recommendation.map { "The report recommends \($0.quantity)." }
                        ?? "Prune earlier, or let the volume grow."))
        }
        for list in warm {
            for image in list.images where image.isIdle {
                notices.append(
                    Notice(
                        isBad: false,
                        text: "\(image.reference) was warmed \(image.warmed) times and never used",
                        hint: "Take it off the list."))
            }
        }
        return notices.filter(\.isBad) + notices.filter { !$0.isBad }
    }

    /// What to do about a warning: where the daemon prunes the volume, nobody else need.
    private func hint(of warning: StatusReport.Warning, now: Timestamp) -> String {
        guard warning.code == "over-quota",
            let prune = activities.first(where: {
                $0.name == "prune" && $0.volume.map { "larder prune --volume \($0)" } == warning.hint
            })
        else { return hint(of: warning) }
        if prune.runningSince != nil { return "a prune is running" }
        let next = coming(prune, now: now)
        return next == "on request" ? warning.hint : "the daemon prunes it \(next)"
    }

    /// The same where nobody else prunes the volume, as `larder status` has it.
    private func hint(of warning: StatusReport.Warning) -> String {
        guard warning.code == "over-quota",
            let volume = status.volumes.first(where: { "larder prune --volume \($0.name)" == warning.hint })
        else { return warning.hint }
        if let relief = volume.relief, relief.entries == 0 {
            return "nothing may be evicted; what stands in the way: larder plan --volume \(volume.name)"
        }
        return warning.hint + StatusReport.loss(volume.purgedFirst)
    }

    /// A hint as a sentence: what is a command stays as it is.
    private static func sentence(_ hint: String) -> String {
        hint.hasPrefix("larder ") ? "Run: \(hint)" : hint.prefix(1).uppercased() + hint.dropFirst() + "."
    }

    /// Each volume's bar against its watermarks, with its figures.
    func volumes(now: Timestamp) -> String {
        var text =
            "<section aria-labelledby=\"volumes\"><h2 id=\"volumes\">Volumes</h2>\n<div class=\"cards\">\n"
        if status.volumes.isEmpty {
            text += "<p>No volume was scanned yet. Run: larder scan</p>\n"
        }
        for volume in status.volumes { text += card(volume, now: now) }
        return text + "</div>\n</section>\n"
    }

    private func card(_ volume: StatusReport.Volume, now: Timestamp) -> String {
        let name = HTMLText.escaped(volume.name)
        let isOver = volume.isOver
        var text = "<article class=\"card\"><h3>\(name) <span class=\"soft\">"
        text += "\(HTMLText.escaped(volume.path))</span></h3>\n"
        text += "<p><strong class=\"\(isOver ? "over" : "within")\">\(volume.usedBytes)</strong> of "
        text += "\(volume.quota.limit) (\(Figures.percent(volume.usedBytes, of: volume.quota.limit)))</p>\n"
        text += QuotaBar(used: volume.usedBytes, quota: volume.quota).svg(name: volume.name)
        text +=
            "<p class=\"soft\">A prune starts above \(volume.quota.high) and stops at \(volume.quota.low). "
        text += "The file system holds \(volume.capacity).</p>\n"
        if let inodes = volume.inodes {
            text +=
                "<p class=\"soft\">\(HTMLText.escaped(inodes.sentence.prefix(1).uppercased() + inodes.sentence.dropFirst())).</p>\n"
        }
        let prune = activities.first { $0.name == "prune" && $0.volume == volume.name }
        let next =
            prune.map { "next prune \(coming($0, now: now))" } ?? volume.prunes?.sentence(now: now)
        for sentence in [volume.criticalSentence, next].compactMap(\.self) {
            text += "<p>\(HTMLText.escaped(sentence.capitalizedFirst)).</p>\n"
        }
        if let expectation = volume.expectation {
            text += "<p>\(HTMLText.escaped(expectation.text.capitalizedFirst)): <a href=\"/plan\">"
            text += "\(expectation.isBad ? "what stands in the way" : "what goes, and what stays")</a>.</p>\n"
        }
        if isWorkingOut {
            text += "<p class=\"soft\">What the next prune does is being worked out anew: "
            text += "<a href=\"/plan\">the plan</a> tells it now.</p>\n"
        }
        if let groups = largest[volume.name].flatMap({ SpaceUse.sentence($0) }) {
            text += "<p>\(HTMLText.escaped(groups.capitalizedFirst)).</p>\n"
        }
        let hasEvidence = volume.evidence.confidence != .none
        func rate(_ rate: HitRate) -> String { hasEvidence ? Figures.rate(rate.objects) : "unknown" }
        let facts = [
            ("Hit rate, 24 h", rate(volume.hitRates.day)), ("7 d", rate(volume.hitRates.week)),
            ("30 d", rate(volume.hitRates.month)),
            ("Of bytes, 30 d", hasEvidence ? Figures.rate(volume.hitRates.month.bytes) : "unknown"),
            ("Entries", Figures.grouped(volume.entries)), ("Trash", "\(volume.trashBytes)"),
            ("Scanned", Figures.ago(volume.lastScan, now: now)),
            ("Pruned", Figures.ago(volume.lastPrune, now: now)),
        ]
        text += "<dl>" + facts.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" }.joined() + "</dl>\n"
        text += HTMLText.unmanaged(volume.unmanaged, most: 3)
        if !volume.evidence.reason.isEmpty {
            text += "<p class=\"soft\">Evidence \(volume.evidence.confidence.rawValue): "
            text += "\(HTMLText.escaped(volume.evidence.reason))</p>\n"
        }
        return text + "</article>\n"
    }
}

extension QuotaBar {
    /// The bar as a drawing; both watermarks are marked.
    func svg(name: String) -> String {
        let limit = Double(max(quota.limit.bytes, 1))
        func place(_ size: ByteCount) -> Double { min(max(Double(size.bytes) / limit, 0), 1) * 400 }
        let label =
            "\(name): \(used) used of \(quota.limit); a prune starts above \(quota.high) and stops at \(quota.low)"
        var text = "<svg class=\"quota\" viewBox=\"0 0 400 37\" role=\"img\" "
        text += "aria-label=\"\(HTMLText.escaped(label))\">"
        text += "<rect class=\"track\" x=\"0\" y=\"2\" width=\"400\" height=\"16\" rx=\"3\"/>"
        text += "<rect class=\"\(tone == .bad ? "over" : "within")\" x=\"0\" y=\"2\" "
        text += "width=\"\(Plot.text(place(used)))\" height=\"16\" rx=\"3\"/>"
        for (size, word) in [(quota.low, "low"), (quota.high, "high")] {
            let x = Plot.text(place(size))
            text += "<line class=\"mark\" x1=\"\(x)\" x2=\"\(x)\" y1=\"0\" y2=\"21\"/>"
            let anchor = place(size) > 360 ? "end" : place(size) < 40 ? "start" : "middle"
            text += "<text class=\"tick\" x=\"\(x)\" y=\"32\" text-anchor=\"\(anchor)\">\(word)</text>"
        }
        return text + "</svg>\n"
    }
}
