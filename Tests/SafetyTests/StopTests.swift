import Foundation
import TestSupport
import Testing

/// A daemon that is asked to stop in the midst of a prune leaves nothing half done.
@Suite struct StopTests {
    @Test func everyStopLeavesEveryEntryWhole() throws {
        let result = try Programs.run("stop_serve", "--count", Programs.isLong ? "1000" : "100")
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        let counts = result.output.split(separator: "\n").last?.split(separator: " ").compactMap { Int($0) }
        #expect((counts?.first ?? 0) >= 100)
        // It stops between two moves rather than run to the plan's end.
        #expect((counts?.dropFirst().first ?? 0) > 0)
    }

    /// A FUSE file system that was stopped stands for an NFS server that is gone.
    @Test func aVolumeThatHangsHoldsUpItselfAlone() throws {
        guard FileManager.default.fileExists(atPath: "/dev/fuse") else { return }
        let result = try Programs.run("hung_volume")
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        #expect(result.output.contains(" 0 violations"))
    }
}
