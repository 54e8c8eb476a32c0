import CacheModel
import CacheServices
import Foundation
import TestSupport
import Testing

/// Clocks and files that are not as they should be, through whole surveys.
@Suite struct BadEvidenceTests {
    private static let pom = "org/a/1.0/a-1.0.pom"

    private func bed() throws -> (TemporaryDirectory, RealVolume) {
        let directory = try TemporaryDirectory()
        try directory.write(Self.pom)
        try directory.write("org/a/1.0/_remote.repositories", "a-1.0.pom>central=\n")
        try directory.shell("find . -exec touch -d '5 days ago' {} +")
        return (directory, try RealVolume(.buildCache, path: directory.path))
    }

    @Test func aClockThatJumpsBackInventsNothingAndLosesNoLaterUse() throws {
        let (directory, real) = try bed()
        #expect(try real.scan().hits.isEmpty)
        // Two days back, while a job reads by that clock; the file was last read long before.
        try directory.shell("touch -a -d '49 hours ago' \(Self.pom)")
        let back = try real.scan(before: .hours(48))
        #expect(back.hits == ["org:a:1.0"] && back.misses.isEmpty)
        #expect(back.result.notices.contains { $0.contains("the clock was set since the last scan") })
        let again = try real.scan(before: .hours(48))
        #expect(again.hits.isEmpty && again.misses.isEmpty)
        // The clock is right again.
        let right = try real.scan()
        #expect(right.hits.isEmpty && right.misses.isEmpty)
        try directory.shell("touch -a \(Self.pom)")
        #expect(try real.scan().hits == ["org:a:1.0"])
    }

    @Test func anAccessTimeInTheFutureIsOneUseNow() throws {
        let (directory, real) = try bed()
        _ = try real.scan()
        try directory.shell("touch -a -d '400 days' \(Self.pom)")
        #expect(try real.scan().hits == ["org:a:1.0"])
        let entry = try #require(try real.index.usage(of: "v")?.entries.first)
        #expect(entry.lastUsed <= RealVolume.now())
        #expect(try real.scan().hits.isEmpty)
        // What lies in the future hides no use that comes after it.
        try directory.shell("touch -a \(Self.pom)")
        #expect(try real.scan().hits == ["org:a:1.0"])
    }

    /// Whatever takes a log's place: nothing blocks, and what comes back is followed on.
    @Test(arguments: ["mkfifo job.log", "mkdir job.log", "ln -s /dev/zero job.log", "ln -s .kept job.log"])
    func aLogThatIsReplaced(_ replacement: String) throws {
        let bed = try EventFixture()
        try bed.append(0..<3)
        #expect(bed.read() == bed.ids(0..<3))
        try bed.directory.shell("mv job.log .kept; \(replacement)")
        #expect(bed.read().isEmpty)
        #expect(bed.last.notices.contains { $0.contains("job.log") })
        #expect(bed.read().isEmpty)
        try bed.directory.shell("rm -r job.log; mv .kept job.log")
        try bed.append(3..<5)
        #expect(bed.read().suffix(2) == bed.ids(3..<5))
    }
}
