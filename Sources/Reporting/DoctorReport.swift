import CacheModel

/// What is wrong with the place that Larder runs in, and what puts it right.
package struct DoctorReport: Report {
    /// What was found.
    package var diagnosis: Diagnosis
    /// When.
    package var at: Timestamp

    /// Makes a report of a diagnosis.
    package init(_ diagnosis: Diagnosis, at: Timestamp) {
        self.diagnosis = diagnosis
        self.at = at
    }

    /// The outcome, the tier and its obstacle, then each area: what is wrong with its reason and cure, what is
    /// well in a line.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let (problems, warnings) = (diagnosis.count(.problem), diagnosis.count(.warning))
        page.paragraph(
            problems + warnings == 0
                ? "All is well."
                : "\(Figures.count(Int64(problems), "problem", "problems")), "
                    + "\(Figures.count(Int64(warnings), "warning", "warnings")).",
            tone: problems > 0 ? .bad : warnings > 0 ? .warning : .good)
        page.paragraph("Tier \(diagnosis.tier.rawValue): \(diagnosis.tier.runs).")
        if diagnosis.tier != .full {
            page.paragraph(
                "A tier says what Podman can do here: O only look, R pull and run as one user, B' run any image with "
                    + "the pod's /proc, B run any image.", tone: .faint)
        }
        if let obstacle = diagnosis.obstacle {
            page.paragraph("In the way of tier \(obstacle.tier.rawValue): \(obstacle.seen).")
            page.paragraph("→ \(obstacle.cure)", indent: 2, hanging: 2)
        }
        for area in Diagnosis.Area.allCases {
            let findings = diagnosis.findings.filter { $0.area == area }
            guard !findings.isEmpty else { continue }
            page.blank()
            page.line(area.rawValue, tone: .strong)
            for finding in findings { write(finding, to: &page) }
        }
        return page.text
    }

    private func write(_ finding: Diagnosis.Finding, to page: inout TextPage) {
        let mark = finding.state.rawValue
        let padded = mark + String(repeating: " ", count: max(1, 9 - mark.count))
        let tone: Tone =
            switch finding.state {
            case .ok: .plain
            case .warning: .warning
            case .problem: .bad
            case .unknown: .faint
            }
        // A paragraph joins words by one space: the mark's column is written by hanging lines below it.
        var lines = TextPage(width: page.width - 11, color: false)
        lines.paragraph(finding.seen)
        if !finding.why.isEmpty { lines.paragraph(finding.why) }
        if !finding.cure.isEmpty { lines.paragraph("→ \(finding.cure)", hanging: 2) }
        for (number, line) in lines.text.split(separator: "\n").enumerated() {
            page.line((number == 0 ? padded : String(repeating: " ", count: 9)) + line, indent: 2, tone: tone)
        }
    }

    /// The diagnosis as `larder.doctor/1`.
    package func json() throws -> String {
        let obstacle: JSONValue =
            diagnosis.obstacle.map {
                ["tier": .text($0.tier.rawValue), "seen": .text($0.seen), "cure": .text($0.cure)]
            } ?? .null
        let document: JSONValue = [
            "schema": "larder.doctor/1", "generated_at": .text(at.description),
            "tier": .text(diagnosis.tier.rawValue), "runs": .text(diagnosis.tier.runs), "obstacle": obstacle,
            "problems": .integer(Int64(diagnosis.count(.problem))),
            "warnings": .integer(Int64(diagnosis.count(.warning))),
            "findings": .array(
                diagnosis.findings.map {
                    [
                        "area": .text($0.area.rawValue), "check": .text($0.check),
                        "state": .text($0.state.rawValue), "seen": .text($0.seen), "why": .text($0.why),
                        "cure": .text($0.cure),
                    ]
                }),
        ]
        return try document.document()
    }
}
