import CacheModel
import Caches
import FileAccess
import Foundation

/// A directory with a Gradle user home, whose journal an independent program writes.
package struct JournalFixture {
    package let directory: TemporaryDirectory
    package var file: String { directory.path + "/caches/journal-1/file-access.bin" }
    package var home: OpenDirectory { get throws { try OpenDirectory.open(root: directory.path) } }

    package init() throws {
        directory = try TemporaryDirectory()
        try directory.shell("mkdir -p caches/journal-1")
    }

    /// Writes the journal; a path's last line counts.
    package func write(_ lines: [String], to file: String? = nil) throws {
        let list = directory.path + "/lines"
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: list))
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/write_journal.py"
        try run("/bin/bash", "-ec", "python3 '\(script)' '\(file ?? self.file)' < '\(list)'; rm '\(list)'")
            .checked()
    }

    package var bytes: [UInt8] { get throws { Array(try Data(contentsOf: URL(fileURLWithPath: file))) } }

    /// The path of a module's directory as a job saw it.
    package static func path(_ number: Int, below root: String = "/cache") -> String {
        let sha1 = String(repeating: "0", count: 32) + String(format: "%08x", number)
        return "\(root)/caches/modules-2/files-2.1/org.example/lib-\(number)/1.0/\(sha1)"
    }
}
