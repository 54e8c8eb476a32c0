/// A value of a TOML document (TOML 1.0.0) with its place in it.
package struct Setting: Sendable {
    /// What a setting holds.
    package indirect enum Value: Sendable {
        case text(String)
        case integer(Int)
        case number(Double)
        case boolean(Bool)
        case list([Setting])
        case table([String: Setting])
        /// A date or a time, which no key that Larder reads takes.
        case other
    }

    /// The keys down to it: `runners[0].kubernetes.image`; empty for the document.
    package var path: String
    /// Its line, from 1.
    ///
    /// Values within an inline table have the line on which that table begins.
    package var line: Int
    /// What it holds.
    package var value: Value

    /// Makes a setting from all it consists of.
    package init(path: String, line: Int, value: Value) {
        self.path = path
        self.line = line
        self.value = value
    }

    /// The setting below that key; nil where there is none, or where this is no table.
    ///
    /// The library that the runner and Podman read TOML with takes `Privileged` for `privileged` where the latter is
    /// missing, and so does this.
    package subscript(key: String) -> Setting? {
        guard case .table(let members) = value else { return nil }
        return members[key] ?? members.first { $0.key.lowercased() == key }?.value
    }

    /// Its own key: the last part of its path.
    package var name: String { path.split(separator: ".").last.map(String.init) ?? "" }

    /// The setting at the end of a path of keys.
    package func at(_ keys: String...) -> Setting? {
        keys.reduce(self as Setting?) { $0?[$1] }
    }

    /// Whether it is one.
    package var isTable: Bool {
        if case .table = value { true } else { false }
    }

    /// The members of a table, in the order of their lines.
    package var members: [(key: String, setting: Setting)] {
        guard case .table(let members) = value else { return [] }
        return members.sorted { ($0.value.line, $0.key) < ($1.value.line, $1.key) }
            .map { (key: $0.key, setting: $0.value) }
    }

    /// The elements of a list.
    package var elements: [Setting] {
        if case .list(let elements) = value { elements } else { [] }
    }

    /// The text, if it is one.
    package var text: String? {
        if case .text(let text) = value { text } else { nil }
    }

    /// The texts of a list, or the one text that may stand in a list's place.
    package var texts: [String] { text.map { [$0] } ?? elements.compactMap(\.text) }

    /// The whole number, if it is one.
    package var integer: Int? {
        if case .integer(let number) = value { number } else { nil }
    }

    /// The boolean, if it is one.
    package var boolean: Bool? {
        if case .boolean(let boolean) = value { boolean } else { nil }
    }

    /// The kind of the value, in TOML's words.
    package var kind: String {
        switch value {
        case .text: "a string"
        case .integer: "an integer"
        case .number: "a float"
        case .boolean: "a boolean"
        case .list: "an array"
        case .table: "a table"
        case .other: "a date or time"
        }
    }
}
