import TestSupport
import Testing

/// A daemon that is asked to stop in the midst of a prune leaves nothing half done.
@Suite struct StopTests {
    @Test func everyStopLeavesEveryEntryWhole() throws {
        let result = try Programs.run("stop_serve")
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        let stops = result.output.split(separator: "\n").last?.split(separator: " ").first.flatMap { Int($0) }
        #expect((stops ?? 0) >= 100)
    }
}
