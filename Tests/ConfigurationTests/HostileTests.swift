import Foundation
import Glibc
import TestSupport
import Testing

@testable import CacheServices
@testable import larder

@Suite struct HostileTests {
    @Test(arguments: [
        Refusal("idle_floor: [24h\n", "2:1", "", "not YAML"),
        Refusal("state: /a\n\tplan_ttl: 1h\n", "2:1", "", "not YAML", "tab character"),
        Refusal("state: \"/a\nplan_ttl: 1h\n", "3:1", "", "not YAML", "begins in line 1"),
        Refusal("state: a: b\n", "1:9", "", "not YAML"),
        Refusal("state: /a\n---\nstate: /b\n", "2:1", "", "not YAML", "another document"),
        Refusal("state: /a\r\nplan_ttl: \u{1}\r\n", "2:1", "", "not YAML", "control characters"),
        Refusal(buildCache("keep:\n  - *:guava:*"), "6:10", "", "not YAML", "must be in quotes"),
        Refusal(buildCache("keep: [*guava]"), "5:12", "", "not YAML", "must be in quotes"),
        Refusal("state: &s /a\nvolumes: *s\n", "2:10", "", "an alias", "written out"),
        Refusal("limits: &l {entries: 1}\nvolumes: [{<<: *l}]\n", "2:16", "", "an alias"),
    ])
    func brokenYAML(_ refusal: Refusal) throws { try refusal.check() }

    @Test(.timeLimit(.minutes(1)), arguments: ["- ", "? ", "[", "{a: ", "[[{", "{? ", "- ? ", "'[", "{[? "])
    func deepNesting(_ opening: String) throws {
        for count in [150, 10_000, 200_000] {
            let text = String(repeating: opening, count: count)
            #expect(try !problems(text).isEmpty)
            let closing = String(opening.reversed()).replacing("[", with: "]").replacing("{", with: "}")
            #expect(try !problems(text + String(repeating: closing, count: count)).isEmpty)
        }
    }

    @Test func deepIndentation() throws {
        var text = ""
        for level in 0..<1000 { text += String(repeating: " ", count: level) + "state:\n" }
        let found = try problems(text)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("102:101: nested too deeply") == true, "\(found)")
    }

    @Test(.timeLimit(.minutes(1))) func aliasBombsAreNotExpanded() throws {
        var values = "a0: &a0 [x]\n"
        var keys = "a0: &a0 [x]\n"
        for level in 1..<40 {
            let uses = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ",")
            values += "a\(level): &a\(level) [\(uses)]\n"
            keys += "? &a\(level) {? *a\(level - 1) : {? *a\(level - 1) : x}}\n: x\n"
        }
        for bomb in [values, keys] {
            let found = try problems(bomb)
            #expect(found.count == 1)
            #expect(found.first?.contains("an alias") == true)
        }
    }

    @Test func filesThatCannotBeRead() throws {
        let scratch = try Scratch()
        let fifo = scratch.path + "/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        let cases: [(path: String, words: String)] = [
            (scratch.path + "/absent.yaml", "does not exist"), (scratch.path, "is a directory"),
            (fifo, "is not a regular file"), (scratch.path + "/\u{7}", "\\x07: does not exist"),
            (try scratch.write(String(repeating: "#", count: 1_048_577), as: "long"), "longer than 1.0 MiB"),
            (try scratch.write(bytes: Array("a: b\n".utf8) + [0xff, 0xfe], as: "raw"), "raw:2:1: not UTF-8"),
            (try scratch.write(bytes: [0xff, 0xfe, 0x61, 0], as: "utf16"), "utf16:1:1: not UTF-8"),
        ]
        for (path, words) in cases {
            let error = try #require(throws: ConfigurationError.self) {
                try load(flags: ConfigurationFlags(config: path))
            }
            #expect(error.description.contains(words), "\(error)")
        }
        let longest = try scratch.write(String(repeating: "#", count: 1_048_576))
        #expect(try load(flags: ConfigurationFlags(config: longest)) == load())
    }

    @Test(.timeLimit(.minutes(1))) func largeFilesAreAnsweredInTime() throws {
        let flat = (0..<60_000).map { "key\($0): 1\n" }.joined()
        #expect(try problems(flat).count == ConfigurationError.shown + 1)
        let twice = (0..<5_000).map { "key\($0): 1\n" }.joined()
        #expect(try problems(twice + twice).count == 1)
    }

    @Test(.timeLimit(.minutes(5)), arguments: 0..<4 as Range<UInt64>)
    func mutationsOfTheExampleLoadOrAreRefused(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let original = Array(try example().utf8)
        let pieces = [
            "&a ", "*a", "[", "{", "}", ": ", "- ", "\n", "\r", "\"", "'", "? ", "!!x ", "|", "\u{85}", "%",
            "~",
        ].map { Array($0.utf8) }
        let scratch = try Scratch()
        var refused = 0
        for _ in 0..<1000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                let length = Int.random(in: 1...300, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: at)
                case 2: bytes.removeSubrange(at..<min(bytes.count, at + length))
                case 3: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + length)], at: at)
                default: bytes.removeLast(min(bytes.count - 1, Int.random(in: 0...50, using: &random)))
                }
                if bytes.isEmpty { bytes = original }
            }
            do {
                _ = try load(flags: ConfigurationFlags(config: try scratch.write(bytes: bytes)))
            } catch let error as ConfigurationError {
                refused += 1
                #expect(!error.problems.isEmpty)
                #expect(error.description.utf8.allSatisfy { $0 >= 32 && $0 != 127 || $0 == 10 })
            }
        }
        #expect((50...995).contains(refused))
    }
}
