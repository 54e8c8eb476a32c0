import TestSupport
import Testing

/// System calls that fail once, and small limits.
@Suite struct ErrorInjectionTests {
    @Test(.enabled(if: Programs.hasStrace, "needs strace"))
    func noFailedCallLosesOrHidesAnything() throws {
        let result = try Programs.run("inject_errors", Programs.isLong ? "--long" : "--each=8")
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }
}
