import TestSupport
import Testing

/// Random hostile volumes, raced by a job that owns them, confined to file systems of their own.
@Suite struct HostileTreeTests {
    @Test(.enabled(if: Programs.isRoot, "needs root for namespaces, mounts and devices"))
    func nothingOutsideIsTouched() throws {
        let result = try Programs.run("hostile_trees", Programs.isLong ? "--long" : "--trees=9")
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }
}
