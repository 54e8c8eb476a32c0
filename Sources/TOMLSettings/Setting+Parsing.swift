import TOMLKit

/// Why a document is no TOML.
package struct SyntaxError: Error, Sendable, Hashable {
    /// What was expected, in the library's words.
    package var description: String
    /// The line, from 1.
    package var line: Int
}

extension Setting {
    /// Reads a TOML document.
    ///
    /// - Throws: `SyntaxError` where it is none, or where it is nested more than 128 deep.
    package init(document text: String) throws(SyntaxError) {
        if let harm = SettingLines.harm(in: text) { throw harm }
        let table: TOMLTable
        do { table = try TOMLTable(string: text) } catch let error as TOMLParseError {
            throw SyntaxError(description: error.description, line: max(1, error.source.begin.line))
        } catch {
            throw SyntaxError(description: "\(error)", line: 1)
        }
        let lines = SettingLines(text).lines
        // The values are views into the library's document, which must live until all of them are copied.
        self = withExtendedLifetime(table) { Setting(table, path: "", line: 1, lines: lines) }
    }

    private init(_ node: any TOMLValueConvertible, path: String, line: Int, lines: [String: Int]) {
        self.path = path
        self.line = lines[path] ?? line
        switch node.type {
        case .string: value = node.string.map { .text($0) } ?? .other
        case .int: value = node.int.map { .integer($0) } ?? .other
        case .double: value = node.double.map { .number($0) } ?? .other
        case .bool: value = node.bool.map { .boolean($0) } ?? .other
        case .array:
            var elements: [Setting] = []
            if let array = node.array {
                for place in 0..<array.count {
                    elements.append(
                        Setting(array[place], path: "\(path)[\(place)]", line: self.line, lines: lines))
                }
            }
            value = .list(elements)
        case .table:
            var members: [String: Setting] = [:]
            if let table = node.table {
                for key in table.keys {
                    guard let member = table[key] else { continue }
                    let name = path.isEmpty ? key : "\(path).\(key)"
                    members[key] = Setting(member, path: name, line: self.line, lines: lines)
                }
            }
            value = .table(members)
        default: value = .other
        }
    }
}
