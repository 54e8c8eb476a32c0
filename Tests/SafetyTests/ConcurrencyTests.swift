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

    /// Logs of daemons, a local build cache, four slots and installed SNAPSHOTs: one prune, and every build passes.
    @Test(.enabled(if: Testbed.withImages != nil, "needs a testbed"))
    func theFullestVolumeIsBuiltOnAfterOnePrune() throws {
        let own = try OwnTestbed("--no-images")
        // Where the checks of deploy/ put a Maven whose local repository can be split.
        let maven = "/var/tmp/larder-deploy-check/maven/usr/share/maven"
        var arguments = [own.testbed.directory, "--gib", Programs.isLong ? "20" : "2"]
        if FileManager.default.fileExists(atPath: maven) { arguments += ["--maven", maven] }
        let result = try Programs.run("full_volume", arguments)
        withExtendedLifetime(own) {}
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }
}
