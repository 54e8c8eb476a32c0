import Foundation
import TestSupport
import Testing

/// Many Larders in one Prometheus.
@Suite struct FleetTests {
    private static let isPrometheusThere =
        (try? run("/usr/bin/env", "prometheus", "--version"))?.status == 0

    @Test(.enabled(if: isPrometheusThere, "needs prometheus: apt-get install prometheus"))
    func namesakesOfTwoClustersStayApart() throws {
        let result = try run(
            "/usr/bin/env", "python3", Testbed.packageRoot + "/Tests/deploy/fleet.py", Program.path,
            Testbed.packageRoot + "/deploy/monitoring/rules.yaml")
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }
}
