import TestSupport
import Testing

/// What stays whatever the quota says, and what is no volume at all: seen from outside, by the real executable.
@Suite struct ProtectionTests {
    @Test(.enabled(if: Programs.isRoot, "needs root to make files of several users"))
    func eachReasonToStayIsEnough() throws {
        let result = try Programs.run("protections")
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    /// Confined, and as a user who may change nothing: without its guard Larder would work on the real root.
    @Test(.enabled(if: Programs.isRoot, "needs root for namespaces and mounts"))
    func theRootOfTheSystemIsNoVolume() throws {
        let result = try Programs.run("system_root")
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }
}
