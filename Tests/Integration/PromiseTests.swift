import TestSupport
import Testing

/// What a report promises, against an independent replay of what came after it (`Tests/Sizing`).
///
/// `Tests/Sizing/promises` has more traces and seeds, and prints the differences.
@Suite struct PromiseTests {
    @Test(arguments: ["stationary", "drifting", "growing", "branchy", "releases", "weekday", "jumps"])
    func theDaysAfterTheReportKeepItsPromise(_ trace: String) throws {
        // Some on a volume that is pruned already, the others on one without a limit.
        let past = ["drifting", "branchy", "weekday"].contains(trace) ? "roomy" : "tight"
        let result = try run(
            "/usr/bin/env", "python3", "-B", Testbed.packageRoot + "/Tests/Sizing/promises", Program.path,
            "--traces", trace, "--pasts", past, "--brief")
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }
}
