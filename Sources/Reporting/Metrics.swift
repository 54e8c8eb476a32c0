/// Metric families, and their two texts.
///
/// OpenMetrics 1.0 (prometheus/OpenMetrics, `specification/OpenMetrics.md`) and the older text format of
/// Prometheus 0.0.4 (prometheus/docs, `exposition_formats.md`) differ in the names of counters, in units and in
/// the end of the text.
package struct Metrics: Sendable {
    /// How the text is written.
    package enum Format: String, Sendable, Hashable, CaseIterable {
        /// OpenMetrics 1.0.
        case openMetrics = "openmetrics"
        /// Prometheus' text format 0.0.4, which a node exporter's textfile collector reads.
        case prometheus

        /// The media type of the text.
        package var contentType: String {
            switch self {
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            }
        }
    }

    /// What a family counts.
    enum Kind: String {
        case gauge, counter, info
    }

    /// One value with its labels.
    struct Sample {
        var labels: [(name: String, value: String)]
        var value: Double
    }

    /// Values of one name.
    struct Family {
        /// The name without `_total` or `_info`.
        var name: String
        var kind: Kind
        var unit: String
        var help: String
        var samples: [Sample]
    }

    /// The labels that every sample has: `cluster`, `node`.
    var common: [(name: String, value: String)]
    private(set) var families: [Family] = []

    init(common: [(name: String, value: String)] = []) {
        self.common = common.filter { !$0.value.isEmpty }
    }

    /// Adds a family; one without samples is left out, as what is not known is not exported.
    ///
    /// A unit is a suffix of the name.
    mutating func add(
        _ name: String, kind: Kind = .gauge, unit: String = "", _ help: String, _ samples: [Sample]
    ) {
        guard !samples.isEmpty else { return }
        families.append(Family(name: name, kind: kind, unit: unit, help: help, samples: samples))
    }

    /// Adds the families of another set.
    mutating func add(_ other: Metrics) { families += other.families }

    /// The text.
    package func text(_ format: Format) -> String {
        var text = ""
        let shared = common.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
        for family in families {
            let suffix =
                switch family.kind {
                case .gauge: ""
                case .counter: "_total"
                case .info: "_info"
                }
            let sampleName = family.name + suffix
            switch format {
            case .openMetrics:
                text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
                if !family.unit.isEmpty { text += "# UNIT \(family.name) \(family.unit)\n" }
                text += "# HELP \(family.name) \(Self.escaped(family.help))\n"
            case .prometheus:
                let kind = family.kind == .info ? .gauge : family.kind
                text += "# HELP \(sampleName) \(Self.escaped(family.help))\n"
                text += "# TYPE \(sampleName) \(kind.rawValue)\n"
            }
            for sample in family.samples {
                text += sampleName + Self.text(sample.labels, after: shared)
                text += " \(Self.text(sample.value))\n"
            }
        }
        return format == .openMetrics ? text + "# EOF\n" : text
    }

    private static func text(_ labels: [(name: String, value: String)], after shared: [String]) -> String {
        let all = shared + labels.map { "\($0.name)=\"\(escaped($0.value))\"" }
        return all.isEmpty ? "" : "{" + all.joined(separator: ",") + "}"
    }

    // Quotes need no escape in the help of the older format, which has none of them.
    private static func escaped(_ text: String) -> String {
        // Names of volumes and pools have none of these, and a scrape has a thousand of them.
        if !text.utf8.contains(where: { $0 == 0x22 || $0 == 0x5c || $0 == 0x0a }) { return text }
        return text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\"", with: "\\\"")
    }

    private static func text(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}
