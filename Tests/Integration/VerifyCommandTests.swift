import Foundation
import TestSupport
import Testing

/// The command as people and scripts see it.
@Suite struct VerifyCommandTests {
    private func volume() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for name in ["bad", "good"] {
            let path = "cache/.m2/repository/g/\(name)/1"
            try directory.write("\(path)/\(name)-1.pom", "<project><groupId>g</groupId></project>")
            try directory.write(
                "\(path)/_remote.repositories", "\(name)-1.jar>central=\n\(name)-1.pom>central=\n")
            try directory.shell(
                """
                cd \(path); head -c 50000 /dev/urandom > x; python3 -m zipfile -c \(name)-1.jar x; rm x
                sha1sum \(name)-1.jar > \(name)-1.jar.sha1; sha1sum \(name)-1.pom > \(name)-1.pom.sha1
                """)
        }
        try directory.shell("truncate -s 20000 cache/.m2/repository/g/bad/1/bad-1.jar")
        try directory.shell("find cache -depth -exec touch -d '40 days ago' {} +")
        return directory
    }

    @Test func damageIsNamedWithWhatToDo() throws {
        let directory = try volume()
        let larder = Program(cache: directory.path + "/cache")
        let result = try larder("verify")
        #expect(result.status == 4)
        #expect(result.output.hasPrefix("Damaged: 1 of 4 files.\n"))
        #expect(result.output.contains("truncated  g:bad:1\n"))
        #expect(result.output.contains("larder verify --quarantine"))
        // A progress bar belongs on a terminal only.
        #expect(!result.errors.contains("verifying"))
        let again = try larder("verify", "--quarantine")
        #expect(again.status == 0)
        #expect(again.output.contains("moved into the trash"))
        #expect(try larder("verify").output.hasPrefix("No damage: 2 files are what they should be.\n"))
    }

    @Test func theContractsKeysAreThere() throws {
        let directory = try volume()
        let larder = Program(cache: directory.path + "/cache")
        let found = try larder.json("verify", "--pool", "maven", status: 4)
        #expect(found["schema"].string == "larder.verify/1")
        #expect(found["checked"].integer == 4)
        #expect(found["unverifiable"].integer == 0)
        let damaged = found["damaged"][0]
        #expect(damaged["pool"].string == "maven")
        #expect(damaged["key"].string == "g:bad:1")
        #expect(damaged["path"].string == ".m2/repository/g/bad/1/bad-1.jar")
        #expect(damaged["kind"].string == "truncated")
        #expect(damaged["quarantined"].bool == false)
        #expect(try larder.json("verify", "--pool", "gradle")["checked"].integer == 0)
    }

    @Test func wrongValuesAreRefused() throws {
        let directory = try volume()
        let larder = Program(cache: directory.path + "/cache")
        #expect(try larder("verify", "--max-rate", "fast").status == 64)
        #expect(try larder("verify", "--max-duration", "10").status == 64)
        #expect(try larder("verify", "--pool", "none").status == 64)
        #expect(try larder("verify", "--force-limit").status == 64)
        #expect(try larder("verify", "--volume", "none").status == 64)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root for a mount"))
    func onAReadOnlyVolumeDamageIsNamedAndLeft() throws {
        let directory = try volume()
        try directory.shell("mount --bind cache cache; mount -o remount,bind,ro cache")
        defer { _ = try? directory.shell("umount cache") }
        let larder = Program(cache: directory.path + "/cache")
        let found = try larder.json("verify", "--quarantine", status: 4)
        #expect(found["damaged"][0]["refusal"].string?.contains("mounted read-only") == true)
        #expect(directory.exists("cache/.m2/repository/g/bad/1/bad-1.jar"))
    }

    @Test func imagesWithoutTheirLayersAreNamed() throws {
        let directory = try TemporaryDirectory()
        try FakeStore(in: directory).write(images: 3)
        let ids = (1...3).map { String(repeating: "\($0)", count: 64) }
        for id in ids { try directory.shell("mkdir -p storage/vfs/dir/\(id)") }
        let larder = Program(store: directory.path + "/storage")
        #expect(try larder.json("verify")["checked"].integer == 3)
        try directory.shell(
            """
            rmdir storage/vfs/dir/\(ids[0])
            sed -i -E 's/("id":"\(ids[1])")/\\1,"flags":{"incomplete":true}/' storage/vfs-layers/layers.json
            """)
        let found = try larder.json("verify", "--quarantine", status: 4)["damaged"]
        let damaged = found.array
        #expect(damaged.compactMap { $0["key"].string } == ["example.test/image:1", "example.test/image:2"])
        #expect(damaged.allSatisfy { $0["kind"].string == "missing-part" })
        #expect(damaged.allSatisfy { $0["quarantined"].bool == false })
        #expect(found[0]["detail"].string == "the directory of its layer 111111111111 is gone")
        #expect(found[1]["detail"].string == "its layer 222222222222 was not written to its end")
        try directory.write("storage/vfs-layers/layers.json", "[]")
        let gone = try larder.json("verify", status: 4)["damaged"]
        #expect(gone.array.count == 3)
        #expect(gone[2]["detail"].string == "its layer 333333333333 is gone")
    }
}
