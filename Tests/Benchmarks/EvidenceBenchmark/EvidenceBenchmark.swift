import CacheIndex
import CacheModel
import Caches
import FileAccess
import Foundation
import Glibc

/// Times one part of the evidence on what `Tests/Benchmarks/evidence` made for it, and prints one line of JSON.
///
/// `arm DIR`: a walk, and what it then arms. `journal HOME PATHS`: a journal read, and looked up for
/// each path. `events DIR`: event logs read from their beginning. `year STATE DAYS ENTRIES USES`: as many days of
/// scans, each with that many uses on average, recorded as `larder scan` does.
@main
struct EvidenceBenchmark {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch (arguments.first, arguments.count) {
        case ("arm", 2): try arm(arguments[1])
        case ("journal", 3): try journal(arguments[1], paths: arguments[2])
        case ("events", 2): try events(arguments[1])
        case ("year", 5):
            guard let days = Int64(arguments[2]), let entries = Int(arguments[3]),
                let uses = Int(arguments[4])
            else { throw Usage() }
            try YearOfScans(state: arguments[1], days: days, entries: entries, uses: uses).run()
        default: throw Usage()
        }
    }

    struct Usage: Error {}

    static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }

    /// Seconds that `body` took by the wall clock.
    static func seconds<T>(_ body: () throws -> T) rethrows -> (Double, T) {
        let clock = ContinuousClock()
        let start = clock.now
        let result = try body()
        let spent = clock.now - start
        return (Double(spent.components.seconds) + Double(spent.components.attoseconds) / 1e18, result)
    }

    /// Seconds of processor time that this process has taken, the kernel's for it included.
    static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func say(_ figures: KeyValuePairs<String, Double>) {
        print("{" + figures.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}")
    }

    private static func arm(_ path: String) throws {
        let volume = Volume(name: "v", kind: .buildCache, path: path)
        let start = processorSeconds()
        let (scanned, scan) = try seconds { try VolumeScanner().scan(volume, clock: now) }
        let root = try OpenDirectory.open(root: path)
        let middle = processorSeconds()
        let (armed, outcome) = seconds { AtimeArming(root: root).arm(scan.unarmed) }
        say([
            "scan": scanned, "arm": armed, "files": Double(scan.files), "armed": Double(outcome.armed),
            "scan_busy": middle - start, "arm_busy": processorSeconds() - middle,
        ])
    }

    private static func journal(_ home: String, paths: String) throws {
        let names = try String(contentsOfFile: paths, encoding: .utf8).split(separator: "\n").map(String.init)
        let directory = try OpenDirectory.open(root: home)
        let (read, journal) = try seconds { try GradleJournal.read(home: directory) }
        let (looked, found) = seconds { names.count { journal?.lastUse(of: $0) != nil } }
        say(["read": read, "look_up": looked, "paths": Double(names.count), "found": Double(found)])
    }

    private static func events(_ directory: String) throws {
        let (read, reading) = seconds { PodmanEventLogs(directory: directory).read(after: []) }
        let (again, rest) = seconds { PodmanEventLogs(directory: directory).read(after: reading.cursors) }
        say([
            "read": read, "again": again, "files": Double(reading.files),
            "events": Double(reading.events.count), "events_again": Double(rest.events.count),
        ])
    }
}
