import CacheModel

/// What killed pulls and dead pods left in an image store, as reports show it.
package struct OrphanSection: Sendable, Hashable {
    /// The volume's name.
    package var volume: String
    /// The orphans, the largest first.
    package var orphans: [Orphan]

    /// Makes a section; nil where there is nothing to show.
    package init?(volume: String, orphans: [Orphan]) {
        guard !orphans.isEmpty else { return nil }
        self.volume = volume
        self.orphans = orphans
    }

    /// What reclaims them, as it is typed.
    package static let command = "larder prune --orphans"

    /// What they occupy.
    package var bytes: ByteCount { orphans.reduce(.zero) { $0 + $1.bytes } }

    /// The sum and its parts in a sentence or two.
    package func sentence(now: Timestamp) -> String {
        let parts = Orphan.Kind.allCases.compactMap { kind -> String? in
            let some = orphans.filter { $0.kind == kind }
            guard !some.isEmpty else { return nil }
            let bytes = some.reduce(ByteCount.zero) { $0 + $1.bytes }
            let least = some.contains(where: \.isLowerBound) ? "at least " : ""
            return "\(Figures.count(Int64(some.count), kind.one, kind.many)) (\(least)\(bytes))"
        }
        let least = orphans.contains(where: \.isLowerBound) ? "at least " : ""
        return "Killed pulls and dead pods left \(least)\(bytes): \(Figures.list(parts)). \(cure(now: now))"
    }

    private func cure(now: Timestamp) -> String {
        let fit = orphans.filter { $0.kind != .directory && $0.isOld(at: now) }
        let young = orphans.count { $0.kind != .directory && !$0.isOld(at: now) }
        var text = ""
        if !fit.isEmpty {
            let bytes = fit.reduce(ByteCount.zero) { $0 + $1.bytes }
            text = "\(Self.command) reclaims \(bytes) while no job uses the store."
        }
        if young > 0 {
            text += text.isEmpty ? "" : " "
            let them = fit.isEmpty ? "\(Self.command) reclaims what is a day old" : "The rest must wait"
            text += "\(them): \(young) \(young == 1 ? "is" : "are") younger and may be in use."
        }
        if orphans.contains(where: { $0.kind == .directory }) {
            text += text.isEmpty ? "" : " "
            text += "Directories without a record need podman system prune --external of Podman 4.4 or later."
        }
        return text
    }

    func write(to page: inout TextPage, now: Timestamp) {
        page.blank()
        page.line("\(volume): left behind", tone: .strong)
        page.paragraph(sentence(now: now), indent: 2, tone: .warning)
        var table = TextTable(("bytes", .right), ("age", .right), ("kind", .left), ("name", .left))
        table.rows = page.first(10, of: orphans).map { orphan in
            [
                "\(orphan.bytes)", (now - orphan.created).age, orphan.kind.rawValue,
                orphan.name.prefix(12) + (orphan.pins.isEmpty ? "" : " of \(orphan.pins)"),
            ]
        }
        page.table(table, of: orphans.count)
    }

    func html(now: Timestamp) -> String {
        let columns: [(title: String, key: String)] = [
            ("Name", "name"), ("Kind", "kind"), ("Bytes", "bytes"), ("Made", "created"), ("Pins", "pins"),
        ]
        let rows = orphans.map { orphan -> [ReportTable.Cell] in
            [
                .text(orphan.name), .text(orphan.kind.rawValue), .size(orphan.bytes), .time(orphan.created),
                .text(orphan.pins),
            ]
        }
        let table = ReportTable(name: "orphans", title: "Left behind", columns: columns, rows: rows)
        let gist = "\(Figures.count(Int64(orphans.count), "remainder", "remainders")), \(bytes)"
        return "<section><h2>\(HTMLText.escaped(volume)): left behind</h2>"
            + "<p>\(HTMLText.escaped(sentence(now: now)))</p>\n"
            + HTMLText.fold("What was left", gist, HTMLText.table(table, folded: false, id: volume))
            + "</section>\n"
    }

    func jsonValue(now: Timestamp) -> JSONValue {
        [
            "volume": .text(volume), "bytes": .bytes(bytes), "command": .text(Self.command),
            "items": .array(orphans.map { $0.jsonValue(now: now) }),
        ]
    }
}

extension Orphan.Kind {
    fileprivate var one: String {
        switch self {
        case .incompleteLayer: "incomplete layer"
        case .unreferencedLayer: "layer that no image needs"
        case .directory: "directory without a record"
        case .deadContainer: "container of a dead pod"
        case .workingContainer: "working container of a killed build"
        }
    }

    fileprivate var many: String {
        switch self {
        case .incompleteLayer: "incomplete layers"
        case .unreferencedLayer: "layers that no image needs"
        case .directory: "directories without a record"
        case .deadContainer: "containers of dead pods"
        case .workingContainer: "working containers of killed builds"
        }
    }
}

extension Orphan {
    func jsonValue(now: Timestamp) -> JSONValue {
        [
            "kind": .text(kind.rawValue), "name": .text(name), "bytes": .bytes(bytes),
            "lower_bound": .bool(isLowerBound), "created": .text(created.description),
            "age_seconds": .integer((now - created).seconds), "pins": pins.isEmpty ? .null : .text(pins),
        ]
    }
}
