import Foundation
import TestSupport
import Testing

/// One call that fails once, seen from outside: what could not be read is no proof of anything.
@Suite struct FailedLookTests {
    private static let hasStrace = access("/usr/bin/strace", X_OK) == 0

    @Test(
        .enabled(if: hasStrace, "needs strace"),
        arguments: [
            ("read,pread64:error=EIO:when=1", ".larder/volume-id"),
            ("openat,openat2:error=EIO:when=1+", ".larder"),
            ("openat,openat2:error=ESTALE:when=1+", ".larder"),
        ])
    func aFailedLookAtLardersOwnFolderKeepsTheHistory(_ test: (fault: String, path: String)) throws {
        let directory = try TemporaryDirectory()
        let cache = directory.path + "/cache"
        try directory.shell(
            """
            d=cache/.m2/repository/org/example/lib/1; mkdir -p $d; head -c 9000 /dev/zero > $d/lib-1.jar
            echo '<project/>' > $d/lib-1.pom
            printf 'lib-1.jar>central=\\nlib-1.pom>central=\\n' > $d/_remote.repositories
            find cache -exec touch -d '40 days ago' {} +
            """)
        let larder = Program(cache: cache)
        #expect(try larder("scan").status == 0)
        let state = try #require(larder.state).path + "/state"
        let failed = try run(
            "/usr/bin/strace",
            [
                "-f", "-qq", "-o", "/dev/null", "-e", "inject=\(test.fault)", "-P", "\(cache)/\(test.path)",
                Program.path,
            ]
                + ["--state", state] + larder.options + ["scan"])
        #expect(failed.status == 4, "\(failed.output)\(failed.errors)")
        #expect(failed.output.contains("not readable"), "\(failed.output)")
        #expect(!failed.errors.contains("another file system"), "\(failed.errors)")
        let next = try larder.json("scan").volume("build")
        #expect(next["baseline"].bool == false && next["complete"].bool == true)
    }
}
