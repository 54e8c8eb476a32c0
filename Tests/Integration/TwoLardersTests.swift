import Foundation
import TestSupport
import Testing

/// Two Larders with states of their own on one volume, of which the second keeps nothing in the trash.
@Suite struct TwoLardersTests {
    private struct Site {
        let directory: TemporaryDirectory
        let first: Program
        let second: Program

        init() throws {
            let directory = try TemporaryDirectory()
            self.directory = directory
            try directory.shell(
                """
                for n in $(seq 9); do
                  d=cache/.m2/repository/org/example/lib$n/1; mkdir -p $d; head -c 9000 /dev/zero > $d/lib$n-1.jar
                  echo '<project/>' > $d/lib$n-1.pom
                  printf "lib$n-1.jar>central=\\nlib$n-1.pom>central=\\n" > $d/_remote.repositories
                done
                find cache -exec touch -d '40 days ago' {} +
                """)
            func program(_ name: String, _ trash: String) throws -> Program {
                let folder = directory.path
                try directory.write(
                    "\(name).yaml",
                    """
                    state: \(folder)/\(name)
                    volumes:
                      - {name: build, kind: build-cache, path: \(folder)/cache, limit: 50M, trash: \(trash)}
                    """)
                var larder = Program()
                larder.options = ["--config", "\(folder)/\(name).yaml", "--state", "\(folder)/\(name)"]
                _ = try larder("scan").checked()
                return larder
            }
            first = try program("first", "24h")
            second = try program("second", "0s")
        }
    }

    @Test func whatOnePromisedTheOtherKeeps() throws {
        let site = try Site()
        #expect(try site.first("prune", "--key", "org.example:lib1:1").status == 0)
        let second = try site.second("prune", "--key", "org.example:lib2:1")
        #expect(second.status == 0, "\(second.output)\(second.errors)")
        #expect(!second.errors.contains("interrupted"), "\(second.errors)")
        #expect(second.errors.contains("another Larder made it"), "\(second.errors)")
        // The second kept nothing of its own.
        #expect(try site.first.json("trash", "list")["runs"].array.count == 1)
        let explained = try site.first("explain", "org.example:lib1:1").checked().output
        #expect(explained.contains("larder trash restore"), "\(explained)")
        #expect(try site.first("trash", "restore", "org.example:lib1:1").status == 0)
        #expect(site.directory.exists("cache/.m2/repository/org/example/lib1/1/lib1-1.jar"))
    }

    @Test func whatTheTrashHasNoMoreIsNotPromised() throws {
        let site = try Site()
        #expect(try site.first("prune", "--key", "org.example:lib1:1").status == 0)
        try site.directory.shell("rm -r cache/.larder/trash/*")
        let explained = try site.first("explain", "org.example:lib1:1").checked().output
        #expect(!explained.contains("trash restore"), "\(explained)")
        // While it cannot be looked at, what was recorded stands.
        try site.directory.shell("mv cache away")
        #expect(try site.first("explain", "org.example:lib1:1").checked().output.contains("trash restore"))
    }
}
