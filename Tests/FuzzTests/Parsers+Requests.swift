import CacheModel
import Foundation
import TestSupport

@testable import CacheIndex
@testable import CacheServices
@testable import Daemon
@testable import PodmanClient
@testable import RunnerLint

// What comes over the network, and what people write besides configuration.
extension Parser {
    static let ofRequests: [Parser] = [
        Parser(name: "http", share: 0.3) { bytes, _ in http(bytes) },
        Parser(name: "query", share: 0.2) { bytes, _ in query(bytes) },
        Parser(name: "accept", share: 0.2) { bytes, _ in
            _ = AcceptHeader(String(decoding: bytes, as: UTF8.self)).metrics
            return []
        },
        Parser(name: "challenge", share: 0.2) { bytes, _ in
            guard case .bearer(let realm, _, _)? = RegistryChallenge(String(decoding: bytes, as: UTF8.self))
            else { return [] }
            return realm.utf8.count <= 3 * bytes.count ? [] : ["a realm of \(realm.utf8.count) bytes"]
        },
        Parser(name: "registry-manifest", share: 0.2) { bytes, _ in
            guard let manifest = RegistryManifest(Data(bytes)) else { return [] }
            return manifest.layers.contains { $0.bytes < .zero } ? ["a layer of less than no bytes"] : []
        },
        Parser(name: "storage-conf", share: 0.1, check: storageSettings),
        Parser(name: "runner-values", share: 0.03) { bytes, _ in
            let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).count
            return RunnerLint().check(String(decoding: bytes, as: UTF8.self), isYAML: true).filter {
                !(0...2 * lines + 1).contains($0.line)
            }
            .map { "\($0.rule): line \($0.line) of \(lines)" }
        },
        Parser(name: "schedule", share: 0.2) { bytes, _ in schedule(bytes) },
        Parser(name: "patterns", share: 0.2) { bytes, _ in patterns(bytes) },
    ]

    /// However the bytes of a connection arrive, it is judged the same.
    private static func http(_ bytes: [UInt8]) -> [String] {
        func outcome(_ pieces: [ArraySlice<UInt8>]) -> String {
            var scanner = RequestScanner()
            do throws(RequestScanner.Refusal) {
                for piece in pieces { try scanner.take(piece) }
            } catch { return "\(scanner.requests) requests, then \(error.rawValue): \(error.response)" }
            return "\(scanner.requests) requests, \(scanner.isInRequest)"
        }
        let whole = outcome([bytes[...]])
        let place = bytes.isEmpty ? 0 : Int(bytes[bytes.count / 2]) % bytes.count
        let parted = outcome([bytes[..<place], [], bytes[place...]])
        return whole == parted ? [] : ["in one piece \(whole), parted at \(place) \(parted)"]
    }

    private static func query(_ bytes: [UInt8]) -> [String] {
        let text = String(decoding: bytes, as: UTF8.self)
        var wrong: [String] = []
        do throws(WebError) {
            let query = try WebQuery(text, known: ["q", "limit", "after", "sort"], repeated: ["volume"])
            for volume in try query.texts("volume") where volume.utf8.count > 200 {
                wrong.append("a value of \(volume.utf8.count) bytes")
            }
            _ = try query.number("limit", 1...500)
            if let asked = try query.text("q") {
                let again = asked.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                if try WebQuery("q=\(again)", known: ["q"]).text("q") != asked {
                    wrong.append("\(asked) is not read back")
                }
            }
            _ = try WebCursor.run(try query.text("after", longest: WebCursor.longestOfRuns))
        } catch { if hasControl("\(error)") { wrong.append("raw control characters in an error") } }
        if let cursor = EntryQuestion.Cursor(text), EntryQuestion.Cursor(cursor.text) != cursor {
            wrong.append("a cursor is not read back: \(cursor)")
        }
        return wrong
    }

    private static func storageSettings(_ bytes: [UInt8], _ scratch: TemporaryDirectory) throws -> [String] {
        let path = scratch.path + "/storage.conf"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let found = PodmanFiles.read(environment: ["CONTAINERS_STORAGE_CONF": path, "CONTAINERS_CONF": path])
        return found.additionalStores.filter { !$0.hasPrefix("/") }.map { "a store at \($0)" }
    }

    private static func schedule(_ bytes: [UInt8]) -> [String] {
        let text = String(decoding: bytes, as: UTF8.self)
        if let address = ListenAddress(text), ListenAddress("\(address)") != address {
            return ["\(escaped(bytes)) reads as \(address), which reads otherwise"]
        }
        guard let schedule = CronSchedule(text) else { return [] }
        let now = Timestamp(seconds: 1_790_000_000)
        guard let next = schedule.next(after: now, in: .gmt) else { return ["\(text) never comes"] }
        let minute = next.seconds / 60 % 60
        return next > now && schedule.minutes.contains(minute)
            ? [] : ["after \(now) comes \(next), at minute \(minute)"]
    }

    /// A pattern, and a name on each further line.
    private static func patterns(_ bytes: [UInt8]) -> [String] {
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard let pattern = lines.first, bytes.count <= 512 else { return [] }
        let (key, image) = (KeyPattern(pattern), ImagePattern(pattern))
        return lines.dropFirst().prefix(8).flatMap { name -> [String] in
            var wrong = key.matches(name) == isMatch(pattern, name) ? [] : ["\(pattern) and \(name)"]
            if image.matches(name, anyRegistry: false), !image.matches(name, anyRegistry: true) {
                wrong.append("\(pattern): \(name) is of no registry")
            }
            return wrong
        }
    }

    /// The same by a table of all beginnings.
    private static func isMatch(_ pattern: String, _ name: String) -> Bool {
        let name = Array(name.unicodeScalars)
        var row = [true] + name.map { _ in false }
        for wanted in pattern.unicodeScalars {
            var next = [wanted == "*" && row[0]]
            for place in name.indices {
                switch wanted {
                case "*": next.append(row[place + 1] || next[place])
                case "?": next.append(row[place])
                default: next.append(row[place] && wanted == name[place])
                }
            }
            row = next
        }
        return row[name.count]
    }
}
