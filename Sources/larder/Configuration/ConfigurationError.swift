import CacheModel

/// Everything that is wrong with the configuration, found in one reading.
struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The problems: those of the file by line, then those of flags and environment.
    var problems: [ConfigurationProblem]

    /// The most problems that are written out.
    static let shown = 50

    /// One line for each problem: `larder.yaml:4:12: volumes[0].limit: found "20GB"; accepted: …`.
    var description: String {
        var lines = problems.prefix(Self.shown).map(\.description)
        if problems.count > Self.shown { lines.append("… and \(problems.count - Self.shown) more problems") }
        return lines.joined(separator: "\n")
    }
}

/// One thing that is wrong, and where.
struct ConfigurationProblem: Sendable, Hashable, CustomStringConvertible {
    /// Where the value came from.
    var origin: ConfigurationOrigin
    /// The key's path, `volumes[0].pools.maven.limit`; empty where the file as a whole is meant.
    var key: String
    /// What was found, and what is accepted.
    var text: String

    /// The problem in one line: place, key, what was found, what is accepted.
    var description: String {
        [origin.description, key, text].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}

/// Where a value came from.
enum ConfigurationOrigin: Sendable, Hashable, CustomStringConvertible {
    /// A place in a file; line and column count from 1, columns in Unicode scalars.
    case file(String, line: Int, column: Int)
    /// A file as a whole.
    case wholeFile(String)
    /// A variable in the environment.
    case environment(String)
    /// A flag.
    case flag(String)
    /// The built-in default.
    case builtIn

    /// The place as compilers write it, or the variable's or flag's name.
    var description: String {
        switch self {
        // Whole, however long: it is where to look.
        case .file(let name, let line, let column): "\(escaped(name.utf8)):\(line):\(column)"
        case .wholeFile(let name): escaped(name.utf8)
        case .environment(let name), .flag(let name): name
        case .builtIn: "default"
        }
    }

    /// Where a value came from, for a person who looks for it.
    var source: String {
        switch self {
        case .file(_, let line, _): "line \(line)"
        case .builtIn: "default"
        default: description
        }
    }

    /// The place in a few words, for a sentence that names a second one.
    var phrase: String {
        switch self {
        case .file(_, let line, _): "line \(line)"
        default: description
        }
    }

    fileprivate var order: (Int, Int) {
        switch self {
        case .wholeFile: (0, 0)
        case .file(_, let line, let column): (line, column)
        default: (.max, 0)
        }
    }
}

/// The problems found so far, so that one reading reports them all.
final class ConfigurationProblems {
    private var found: [ConfigurationProblem] = []
    private var known: Set<ConfigurationProblem> = []

    /// Whether there are more problems than are written out, so that advice on further ones is wasted.
    var areEnough: Bool { found.count > ConfigurationError.shown }

    /// Where the values came from that are no defaults, by their keys.
    private(set) var sources: [String: ConfigurationOrigin] = [:]

    /// Takes note of where a value came from.
    func note(_ key: String, from origin: ConfigurationOrigin) { sources[key] = origin }

    /// Takes note of a problem, once.
    func add(_ origin: ConfigurationOrigin, _ key: String, _ text: String) {
        let problem = ConfigurationProblem(origin: origin, key: key, text: text)
        if known.insert(problem).inserted { found.append(problem) }
    }

    /// Throws what was found, in the order of the file.
    func throwIfAny() throws(ConfigurationError) {
        guard !found.isEmpty else { return }
        // The sort is stable, so that the problems of one place keep their order.
        throw ConfigurationError(problems: found.sorted { $0.origin.order < $1.origin.order })
    }
}

/// Text from outside as a message may carry it: no control characters, and no longer than a line.
func quotable(_ text: String) -> String {
    let safe = escaped(text.utf8.prefix(400))
    return safe.count > 80 ? safe.prefix(79) + "…" : safe
}
