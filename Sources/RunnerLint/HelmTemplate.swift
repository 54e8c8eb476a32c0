import TOMLSettings

/// A template of Helm, run as far as runner configurations use it: values, release, `if`, and a few functions.
///
/// Lines stay where they are, so that what is found in the result has its place in the template: what an `if` leaves
/// out becomes empty lines, and so does what a `range` would repeat. What is not understood is named, and stands as a word
/// of its own in the result, unless it has its line to itself.
struct HelmTemplate {
    /// What could not be run, with its line from 1.
    struct Unknown: Hashable {
        var action: String
        var line: Int
    }

    private let values: Setting
    /// The result.
    private(set) var text = ""
    /// What could not be run.
    private(set) var unknown: [Unknown] = []

    /// The line at which the template refuses its values, and the words that it has for that.
    private(set) var refusal: Unknown?

    /// What stands, with a number, where something could not be run: two keys of one name would be a fault.
    static let placeholder = "helm-value"

    /// A longer action is not run, nor one with more parentheses and words `not`: what they enclose is run by recursion.
    private static let longest = 1000
    private static let deepest = 16

    /// Runs a template on values.
    init(_ template: String, values: Setting) {
        self.values = values
        run(template)
        text = text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { Self.isPlaceholder($0) ? "" : String($0) }.joined(separator: "\n")
    }

    /// Whether a line is what could not be run, and nothing else.
    private static func isPlaceholder(_ line: Substring) -> Bool {
        let words = line.split(whereSeparator: \.isWhitespace)
        return words.count == 1 && words[0].hasPrefix(placeholder + "-")
            && words[0].dropFirst(placeholder.count + 1).allSatisfy(\.isNumber)
    }

    /// An `if` that is open: whether its branch is taken, and whether one was taken before.
    private struct Branch {
        /// Whether those around it are taken.
        var isReached: Bool
        var isTaken: Bool
        var wasTaken: Bool
        /// `with`, whose body is kept as it stands, and what has none here: `range` repeats it, `define` keeps it.
        var isKnown = true
    }

    private static func isTaken(_ branches: [Branch]) -> Bool {
        branches.last.map { $0.isReached && $0.isTaken } ?? true
    }

    private mutating func run(_ template: String) {
        var branches: [Branch] = []
        var rest = template[...]
        var line = 1
        while let start = rest.range(of: "{{") {
            emit(rest[..<start.lowerBound], branches, &line)
            guard let end = rest[start.upperBound...].range(of: "}}") else {
                unknown.append(Unknown(action: "{{ without }}", line: line))
                return
            }
            let source = rest[start.upperBound..<end.lowerBound]
            let lines = source.count { $0 == "\n" }
            act(on: Self.trimmed(source), line: line, &branches)
            // An action may go over several lines: they stay.
            text += String(repeating: "\n", count: lines)
            line += lines
            rest = rest[end.upperBound...]
        }
        emit(rest, branches, &line)
        if !branches.isEmpty { unknown.append(Unknown(action: "an `if` without `end`", line: line)) }
    }

    /// Text outside of actions: as it is, or as its line breaks.
    private mutating func emit(_ part: Substring, _ branches: [Branch], _ line: inout Int) {
        let breaks = part.count { $0 == "\n" }
        if Self.isTaken(branches) {
            text += part
        } else {
            text += String(repeating: "\n", count: breaks)
        }
        line += breaks
    }

    private static func trimmed(_ source: Substring) -> String {
        var source = source
        if source.hasPrefix("-") { source = source.dropFirst() }
        if source.hasSuffix("-") { source = source.dropLast() }
        return source.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private mutating func act(on action: String, line: Int, _ branches: inout [Branch]) {
        if action.hasPrefix("/*") { return }
        let word = action.prefix { $0 != " " }
        let argument = String(action.dropFirst(word.count).drop { $0 == " " })
        switch word {
        case "if":
            // What lies in a branch that is not taken is not run, and so not asked.
            let isReached = Self.isTaken(branches)
            let truth = isReached && condition(argument, line)
            branches.append(Branch(isReached: isReached, isTaken: truth, wasTaken: truth))
        case "with" where argument.hasPrefix("omit "):
            // What is left of a table without the members of these names: whoever asks wants none.
            guard let rest = omitted(argument) else { fallthrough }
            branches.append(
                Branch(isReached: Self.isTaken(branches), isTaken: !rest.isEmpty, wasTaken: !rest.isEmpty))
        case "with", "range", "define", "block":
            if Self.isTaken(branches) { unknown.append(Unknown(action: action, line: line)) }
            branches.append(
                Branch(
                    isReached: Self.isTaken(branches), isTaken: word == "with", wasTaken: true,
                    isKnown: false))
        case "else":
            guard let last = branches.indices.last else { return }
            let isOpen =
                branches[last].isReached && branches[last].isKnown && !branches[last].wasTaken
            let isTaken =
                isOpen && (!argument.hasPrefix("if ") || condition(String(argument.dropFirst(3)), line))
            branches[last].isTaken = isTaken
            branches[last].wasTaken = branches[last].wasTaken || isTaken
        case "end":
            _ = branches.popLast()
        default:
            guard Self.isTaken(branches) else { return }
            if word == "fail" {
                let text = Self.isPlain(argument) ? pipeline(argument) : nil
                refusal = refusal ?? Unknown(action: text ?? argument, line: line)
                return
            }
            if Self.isPlain(action), let value = pipeline(action) {
                text += value
            } else {
                unknown.append(Unknown(action: action, line: line))
                text += "\(Self.placeholder)-\(unknown.count)"
            }
        }
    }

    /// Whether an action is short and flat enough to be run.
    private static func isPlain(_ action: String) -> Bool {
        let words = action.split { " ()".contains($0) }
        return action.utf8.count <= longest
            && action.utf8.count { $0 == UInt8(ascii: "(") } + words.count { $0 == "not" } <= deepest
    }

    private mutating func condition(_ source: String, _ line: Int) -> Bool {
        guard Self.isPlain(source) else {
            unknown.append(Unknown(action: "if \(source)", line: line))
            return true
        }
        let terms = Self.terms(source)
        switch terms.first {
        case "not": return !condition(terms.dropFirst().joined(separator: " "), line)
        case "eq", "ne":
            guard terms.count == 3, let first = operand(terms[1]), let second = operand(terms[2]) else {
                break
            }
            return (first == second) == (terms[0] == "eq")
        case "and": return terms.dropFirst().allSatisfy { condition(Self.unwrapped($0), line) }
        case "or": return terms.dropFirst().contains { condition(Self.unwrapped($0), line) }
        default:
            guard let value = pipeline(source) else { break }
            return !["", "false", "0"].contains(value)
        }
        unknown.append(Unknown(action: "if \(source)", line: line))
        return true
    }

    /// The names in `omit TABLE "NAME"…` that the table has beside these; nil where the table is not known.
    private func omitted(_ source: String) -> [String]? {
        let terms = Self.terms(source).dropFirst()
        guard let table = terms.first.flatMap(place), case .table(let members) = table.value else {
            return nil
        }
        let names = terms.dropFirst().compactMap(operand)
        return names.count == terms.count - 1 ? members.keys.filter { !names.contains($0) } : nil
    }

    /// The value of `a | f x | g`; nil where a part of it is not known.
    private func pipeline(_ source: String) -> String? {
        var value: String?
        for stage in Self.split(source, at: "|") {
            var terms = Self.terms(stage)
            guard let head = terms.first else { return nil }
            terms.removeFirst()
            var arguments: [String] = []
            for term in terms {
                guard let each = operand(term) else { return nil }
                arguments.append(each)
            }
            if let piped = value { arguments.append(piped) }
            switch (head, arguments.count) {
            case ("quote", 1): value = "\"\(arguments[0])\""
            case ("squote", 1): value = "'\(arguments[0])'"
            case ("default", 2): value = arguments[1].isEmpty ? arguments[0] : arguments[1]
            case ("trimPrefix", 2):
                value =
                    arguments[1].hasPrefix(arguments[0])
                    ? String(arguments[1].dropFirst(arguments[0].count)) : arguments[1]
            case ("toString", 1), ("trim", 1): value = arguments[0]
            case ("hasPrefix", 2): value = "\(arguments[1].hasPrefix(arguments[0]))"
            case ("replace", 3): value = arguments[2].replacing(arguments[0], with: arguments[1])
            case ("regexReplaceAll", 3):
                value = Self.replacing(arguments[0], in: arguments[1], by: arguments[2])
            case ("printf", 1...): value = Self.formatted(arguments[0], Array(arguments.dropFirst()))
            case (_, 0): value = operand(head)
            default: return nil
            }
            if value == nil { return nil }
        }
        return value
    }

    private func operand(_ term: String) -> String? {
        if term.count >= 2, let first = term.first, "\"`".contains(first), term.last == first {
            return String(term.dropFirst().dropLast())
        }
        if term.hasPrefix("("), term.hasSuffix(")") { return pipeline(Self.unwrapped(term)) }
        if Int(term) != nil || ["true", "false"].contains(term) { return term }
        switch term {
        case ".Release.Name": return "runner"
        case ".Release.Namespace": return "gitlab-runner"
        default: break
        }
        guard Self.isOfValues(term) else { return nil }
        switch place(term)?.value {
        case .text(let text): return text
        case .integer(let number): return "\(number)"
        case .number(let number): return "\(number)"
        case .boolean(let boolean): return "\(boolean)"
        case .table(let members): return members.isEmpty ? "" : nil
        case .list(let elements): return elements.isEmpty ? "" : nil
        // Helm takes what is not there for nothing.
        case .other, nil: return ""
        }
    }

    private static func isOfValues(_ term: String) -> Bool {
        let keys = term.split(separator: ".", omittingEmptySubsequences: false)
        return keys.count > 2 && (keys[0].isEmpty || keys[0] == "$") && keys[1] == "Values"
    }

    /// What `.Values.a.b` names.
    private func place(_ term: String) -> Setting? {
        guard Self.isOfValues(term) else { return nil }
        return term.split(separator: ".").drop { $0 == "$" }.dropFirst().reduce(values as Setting?) {
            $0?.exactly(String($1))
        }
    }

    /// Go's regular expressions are Swift's, as far as templates use them; `${1}` is what the first group took.
    private static func replacing(_ pattern: String, in text: String, by template: String) -> String? {
        guard let regex = try? Regex(pattern) else { return nil }
        return text.replacing(regex) { match in
            var made = template
            for group in match.output.indices {
                made = made.replacing("${\(group)}", with: match.output[group].substring ?? "")
            }
            return made
        }
    }

    /// `%s`, `%v` and `%d` as they stand, `%q` in quotes; nil for others, and where too few or too many are given.
    private static func formatted(_ format: String, _ arguments: [String]) -> String? {
        var (made, rest, next) = ("", format[...], arguments[...])
        while let percent = rest.firstIndex(of: "%") {
            made += rest[..<percent]
            rest = rest[percent...].dropFirst()
            switch rest.popFirst() {
            case "%": made += "%"
            case "s", "v", "d":
                guard let value = next.popFirst() else { return nil }
                made += value
            case "q":
                guard let value = next.popFirst() else { return nil }
                made += "\"\(value)\""
            default: return nil
            }
        }
        return next.isEmpty ? made + rest : nil
    }

    private static func unwrapped(_ term: String) -> String {
        term.hasPrefix("(") && term.hasSuffix(")") ? String(term.dropFirst().dropLast()) : term
    }

    private static func terms(_ source: String) -> [String] { split(source, at: " ") }

    /// The parts between a separator, where it stands in no quotes and no parentheses.
    private static func split(_ source: String, at separator: Character) -> [String] {
        var parts: [String] = []
        var part = ""
        var quote: Character?
        var depth = 0
        for character in source {
            if let open = quote {
                if character == open { quote = nil }
            } else if "\"`".contains(character) {
                quote = character
            } else if character == "(" {
                depth += 1
            } else if character == ")" {
                depth -= 1
            } else if character == separator, depth == 0 {
                parts.append(part)
                part = ""
                continue
            }
            part.append(character)
        }
        parts.append(part)
        return parts.map { $0.trimmed }.filter { !$0.isEmpty }
    }
}

extension String {
    /// Without spaces at both ends.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

extension Setting {
    /// The member of exactly that name, as YAML has it.
    func exactly(_ key: String) -> Setting? {
        guard case .table(let members) = value else { return nil }
        return members[key]
    }
}
