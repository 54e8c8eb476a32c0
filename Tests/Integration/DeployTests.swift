import Foundation
import TestSupport
import Testing

/// What `deploy/` ships, checked without a cluster: `Tests/deploy/tools.py` says what it needs.
@Suite(.enabled(if: DeployTests.hasTools, DeployTests.absence)) struct DeployTests {
    static let tools = Testbed.packageRoot + "/Tests/deploy/tools.py"
    static let hasTools = (try? run("/usr/bin/env", "python3", tools, "require"))?.status == 0
    static let absence: Comment = "needs root, Debian 12 and what `Tests/deploy/tools.py install` installs"

    private func passes(_ check: String) throws {
        let result = try run("/usr/bin/env", "python3", Self.tools, "run", check)
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    @Test func everyManifestAlertAndScriptHolds() throws { try passes("manifests") }

    @Test func aPodmanStartsWithTheShippedConfigurationAndProfile() throws { try passes("sidecar") }

    @Test func theImageRunsAsTheCronJobsPodsWithTheirSecurityContext() throws { try passes("image") }

    @Test func aTestcontainersJobPassesInItsPodWhileLarderPrunesAndWarms() throws { try passes("job-pod") }
}
