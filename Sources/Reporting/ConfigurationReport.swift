import CacheModel

/// The configuration in force, each value with where it came from.
package struct ConfigurationReport: Report {
    /// One value.
    package struct Value: Sendable, Hashable {
        /// Its key's path: `volumes[0].limit`.
        package var key: String
        /// The value as a file would have it.
        package var value: String
        /// Where it came from: `default`, `line 12`, a flag, or a variable of the environment.
        package var source: String
        /// The line of the file; nil where it is from elsewhere.
        package var line: Int?

        /// Makes a value from all it consists of.
        package init(key: String, value: String, source: String, line: Int? = nil) {
            self.key = key
            self.value = value
            self.source = source
            self.line = line
        }
    }

    /// The file; nil without one.
    package var file: String?
    /// The values, in the order of the example file.
    package var values: [Value]
    /// What looks like a mistake and stops nothing, a sentence each.
    package var warnings: [String]
    /// Whether only to tell that it is right.
    package var isCheck = false

    /// Makes a report from all it consists of.
    package init(file: String?, values: [Value], warnings: [String] = []) {
        self.file = file
        self.values = values
        self.warnings = warnings
    }

    /// The values as a table: key, source and value.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let source = file ?? "no file: the defaults of the deployment"
        if isCheck {
            let volumes = Set(
                values.compactMap { $0.key.hasPrefix("volumes[") ? $0.key.prefix { $0 != "." } : nil })
            page.paragraph(
                "The configuration is valid (\(source)): "
                    + "\(Figures.count(Int64(volumes.count), "volume", "volumes")).", tone: .good)
        } else {
            page.paragraph("Configuration in force (\(source)).", tone: .strong)
            page.blank()
            var table = TextTable(("key", .left), ("source", .left), ("value", .left))
            table.rows = values.map { [$0.key, $0.source, $0.value] }
            page.table(table, indent: 0)
        }
        if !warnings.isEmpty { page.blank() }
        for warning in warnings { page.paragraph("warning: \(warning)", hanging: 2, tone: .warning) }
        return page.text
    }

    /// The values as `larder.config/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.config/1", "valid": .bool(true), "file": .optional(file),
            "values": .array(
                values.map {
                    [
                        "key": .text($0.key), "value": .text($0.value), "source": .text($0.source),
                        "line": $0.line.map { .integer(Int64($0)) } ?? .null,
                    ]
                }),
            "warnings": .array(warnings.map { .text($0) }),
        ]
        return try document.document()
    }
}
