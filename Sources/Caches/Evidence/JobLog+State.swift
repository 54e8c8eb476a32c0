import CacheModel
import Digests
import Foundation

/// Why a log cannot be read.
package enum JobLogError: Error, Sendable, Hashable {
    /// The system's reason.
    case unreadable(reason: String)
    /// A directory, a FIFO or a device where a file was expected.
    case noFile
}

extension JobLog {
    /// How far a log was read.
    struct State {
        var reading = Reading()
        var hash = Digest(.sha256)
        private let endedAt: Timestamp
        /// The last time the log told: what follows is not earlier.
        private var passed: Timestamp?
        /// The first download that no time was told after.
        private var unsettled = 0
        /// How long the build took whose end is told next.
        var took: Span?
        private var urls: Set<String> = []
        /// A line of which more may come.
        var open: OpenLine?

        /// What has come of a line that the runner writes in pieces.
        struct OpenLine {
            let stream: [UInt8]
            var text: [UInt8] = []
            var pieces = 0
            var isWhole = true
            var hash = Digest(.sha256)
        }

        init(seed: String, endedAt: Timestamp) {
            self.endedAt = endedAt
            hash.update("\(seed.utf8.count) \(seed) ".utf8)
        }

        mutating func damage() {
            reading.damaged += 1
            if reading.firstDamaged == nil { reading.firstDamaged = reading.lines }
        }

        /// The log told a time: what came before it in the log was over by `end`.
        mutating func pass(_ time: Timestamp, to end: Timestamp) {
            // What a build downloads while it starts is before the time that it counts from.
            let begun = took.map { time - $0 - .seconds(10) }
            for index in unsettled..<reading.downloads.count {
                reading.downloads[index].latest = min(end, endedAt)
                guard let begun, begun > reading.downloads[index].earliest else { continue }
                reading.downloads[index].earliest = begun
            }
            took = nil
            unsettled = reading.downloads.count
            passed = time
        }

        mutating func download(_ url: String, _ size: ByteCount, _ pool: Pool) {
            guard let (directory, file) = Self.artifact(url) else {
                reading.others += 1
                return
            }
            // Gradle says it twice with --debug.
            guard pool == .maven || urls.insert(url).inserted else {
                reading.others += 1
                return
            }
            guard reading.downloads.count < JobLog.downloadLimit else {
                reading.isCut = true
                reading.others += 1
                return
            }
            let digest = hash.bytes.prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
            let earliest = passed.map { min($0, endedAt) } ?? endedAt - JobLog.longestJob
            reading.downloads.append(
                JobDownload(
                    id: digest, pool: pool, directory: directory, file: file, bytes: size,
                    earliest: earliest, latest: endedAt))
        }

        func finished() -> Reading {
            var reading = reading
            // Of several jobs nobody can tell which made what.
            if reading.jobs > 1 { (reading.job, reading.project) = (nil, nil) }
            for index in reading.downloads.indices {
                let latest = reading.downloads[index].latest
                // A clock that was set back while the job ran.
                reading.downloads[index].earliest = min(reading.downloads[index].earliest, latest)
            }
            return reading
        }

        private static let checksums = [".sha1", ".md5", ".sha256", ".sha512", ".asc"]

        /// The directory and file of an artifact's address; nil where it is none.
        ///
        /// A file of a GAV begins with the artifact's name, and the version is the directory above it.
        private static func artifact(_ url: String) -> (directory: [String], file: String)? {
            // By bytes: a log may name fifty thousand of them, and each of its characters would be looked at.
            var rest = url.utf8[...]
            while let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
                rest = rest[colon...]
                if rest.starts(with: "://".utf8) { break }
                rest = rest.dropFirst()
            }
            guard rest.starts(with: "://".utf8) else { return nil }
            let path = rest.dropFirst(3).prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
            let parts = path.split(separator: UInt8(ascii: "/")).dropFirst().map { part in
                let text = String(Substring(part))
                return part.contains(UInt8(ascii: "%")) ? text.removingPercentEncoding ?? text : text
            }
            guard parts.count >= 4, let file = parts.last,
                !parts.contains(where: { part in
                    part == "." || part == ".." || part.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
                })
            else { return nil }
            let directory = Array(parts.dropLast())
            let artifact = directory[directory.count - 2].utf8
            guard file.utf8.starts(with: artifact),
                file.utf8.dropFirst(artifact.count).first == UInt8(ascii: "-"),
                !Self.checksums.contains(where: { file.utf8.suffix($0.utf8.count).elementsEqual($0.utf8) })
            else { return nil }
            return (directory, file)
        }
    }
}
