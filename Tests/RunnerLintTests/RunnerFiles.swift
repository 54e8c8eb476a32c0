import Foundation
import RunnerLint

/// The runner configurations that the tests check.
enum RunnerFiles {
    private static let here = URL(filePath: #filePath).deletingLastPathComponent()

    /// The architecture document's, as it stands there.
    static func document() throws -> String {
        try String(contentsOf: here.appending(path: "../deploy/document.config.toml"), encoding: .utf8)
    }

    /// Where the one that Larder ships is.
    static let shippedPath = here.appending(path: "../../deploy/gitlab-runner/config.toml").standardized.path

    /// The one that Larder ships.
    static func shipped() throws -> String { try String(contentsOfFile: shippedPath, encoding: .utf8) }

    /// The line, from 1, on which a text first stands; 0 where it stands on none.
    static func line(of text: String, in file: String) -> Int {
        let lines = file.components(separatedBy: "\n")
        return (lines.firstIndex { $0.contains(text) } ?? -1) + 1
    }
}

extension [Finding] {
    /// The findings in short: `12 error unknown-key`.
    var short: [String] { map { "\($0.line) \($0.severity.rawValue) \($0.rule)" } }
}
