import TestSupport
import Testing

/// A process that is killed leaves nothing half done.
@Suite struct CrashTests {
    @Test(.enabled(if: Programs.hasStrace, "needs strace")) func everyKillLeavesEveryEntryWhole() throws {
        let result = try Programs.run("kill_prune")
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        let kills = result.output.split(separator: "\n").last?.split(separator: " ").first.flatMap { Int($0) }
        #expect((kills ?? 0) >= 300)
    }
}
