import Foundation
import TestSupport
import Testing

/// What the checks of `deploy/` need, and how they are run.
private enum DeployTools {
    static let program = Testbed.packageRoot + "/Tests/deploy/tools.py"
    static let areThere = (try? run("/usr/bin/env", "python3", program, "require"))?.status == 0

    static func passes(_ check: String) throws {
        let result = try run("/usr/bin/env", "python3", program, "run", check)
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }
}

/// What `deploy/` ships, checked without a cluster: `Tests/deploy/tools.py` says what it needs.
///
/// One after the other: each starts whole programs and waits for them.
@Suite(
    .serialized,
    .enabled(
        if: DeployTools.areThere,
        "needs root, Debian 12 and what `Tests/deploy/tools.py install` installs"))
struct DeployTests {
    @Test func everyManifestAlertAndScriptHolds() throws { try DeployTools.passes("manifests") }

    @Test func aPodmanStartsWithTheShippedConfigurationAndProfile() throws {
        try DeployTools.passes("sidecar")
    }

    @Test func theSidecarsImageBuildsAndServesTwoPodsInTheirUserNamespaces() throws {
        try DeployTools.passes("sidecar-image")
    }

    @Test func theImageRunsAsTheCronJobsPodsWithTheirSecurityContext() throws {
        try DeployTools.passes("image")
    }

    @Test func aTestcontainersJobPassesInItsPodWhileLarderPrunesAndWarms() throws {
        try DeployTools.passes("job-pod")
    }

    @Test(arguments: ["shared", "overlay-store", "slots", "readonly-store"])
    func aTestcontainersJobPassesInTwoPodsOfEachTopology(_ topology: String) throws {
        try DeployTools.passes(topology)
    }

    @Test func theTemplatesBuildsShareTheirCachesAndTheDocumentsDoNot() throws {
        try DeployTools.passes("builds")
    }
}
