import Foundation
import TestSupport
import Testing

/// Prunes beneath real builds and real containers.
@Suite struct ConcurrencyTests {
    /// On a testbed of its own, whose caches it prunes to nothing.
    @Test(.enabled(if: Testbed.withImages != nil && Programs.hasStrace, "needs a testbed and strace"))
    func buildsAndContainersSurvivePrunes() throws {
        let own = try OwnTestbed()
        let seconds = Programs.isLong ? "300" : "45"
        let result = try Programs.run("builds_survived", own.testbed.directory, "--seconds", seconds)
        withExtendedLifetime(own) {}
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }
}
