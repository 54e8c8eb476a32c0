import CacheServices

/// A value of an option that its parser refused, out of the parser's words into those that the configuration has for it.
///
/// One kind of mistake has one wording, whether it was made in the file, in the environment or on the command line.
struct MalformedValue {
    /// The option: `--to`.
    let option: String
    /// What was written.
    let value: String
    /// What is accepted.
    let advice: String

    /// Reads what swift-argument-parser 1.8 says (`ErrorMessageGenerator.invalidValue` and `.unableToParseValue`); nil
    /// for any other message.
    init?(_ message: String) {
        let beginning = "The value '"
        guard message.hasPrefix(beginning), let end = message.range(of: "' is invalid for '") else {
            return nil
        }
        value = String(message[message.index(message.startIndex, offsetBy: beginning.count)..<end.lowerBound])
        let rest = message[end.upperBound...]
        guard let quote = rest.firstIndex(of: "'") else { return nil }
        let name = rest[..<quote].prefix { $0 != " " }
        option = name.hasPrefix("<") ? String(name.dropFirst().dropLast()) : String(name)
        let words = rest[rest.index(after: quote)...].drop { ":. ".contains($0) }
        let (choices, list) = ("Please provide one of ", "Please provide one of the following:")
        if words.hasPrefix(list) {
            let known = words.dropFirst(list.count).split(separator: "\n").map {
                $0.drop { " -".contains($0) }
            }
            advice = "accepted: \(known.joined(separator: ", "))"
        } else if words.hasPrefix(choices) {
            let known = words.dropFirst(choices.count).split(separator: "'").enumerated()
                .filter { $0.offset % 2 == 0 }.map { String($0.element) }
            advice = "accepted: \(known.joined(separator: ", "))"
        } else {
            advice = String(words)
        }
    }

    /// The failure that it ends the command with.
    var failure: Failure {
        Failure.usage("\(option): found \"\(quotable(value))\"" + (advice.isEmpty ? "" : "; \(advice)"))
    }
}
