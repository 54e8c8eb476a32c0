import CacheModel
import FileAccess
import TestSupport
import Testing

@testable import Caches

/// Files that were written anew in their place, which leaves their directory as it was.
@Suite struct InPlaceTests {
    private static let jar = "r/g/a/1/a-1.jar"
    private static let tracking = "r/g/a/1/_remote.repositories"
    private static let installed = #"printf 'a-1.jar>central=\na-1.jar>=\n'"#

    /// A fetched version, scanned once, so that the next scan need not list it.
    private func scanned(_ state: TemporaryDirectory) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try directory.write(Self.jar, bytes: 9000)
        try directory.write(Self.tracking, "a-1.jar>central=\n")
        try directory.shell("find r -depth -exec touch -d '9 days ago' {} +")
        #expect(try protections(directory, state, ahead: .seconds(10)) == [])
        return directory
    }

    private func protections(
        _ directory: TemporaryDirectory, _ state: TemporaryDirectory, ahead: Span
    ) throws -> [Protection] {
        let scan = try WalkerTests.scan(directory, WalkerTests.snapshots(in: state), ahead: ahead)
        return try #require(scan.entries.first).protections.all
    }

    @Test(arguments: [
        "\(installed) > \(tracking)",
        "\(installed) > x; cat x > \(tracking); rm x",
        // The times of before are put back: the time of change alone tells.
        "touch -r \(tracking) x; \(installed) > \(tracking); touch -r x \(tracking); rm x",
        "touch -r \(tracking) x; printf 'a-1.jar>=       \\n' > \(tracking); touch -r x \(tracking); rm x",
        "printf '' > \(tracking)",
        // Written an hour after the file that tells where it came from.
        "head -c 9000 /dev/urandom > \(jar)",
    ])
    func anInstallOverAFetchedVersionIsSeen(script: String) throws {
        let state = try TemporaryDirectory()
        let directory = try scanned(state)
        try directory.shell(script)
        #expect(try protections(directory, state, ahead: .seconds(20)) == [.locallyInstalled])
        // And it stays so, as long as nothing changes.
        #expect(try protections(directory, state, ahead: .seconds(30)) == [.locallyInstalled])
    }

    @Test func aNewLengthOfAJarIsSeen() throws {
        let state = try TemporaryDirectory()
        let directory = try scanned(state)
        try directory.shell(
            "touch -r \(Self.jar) x; head -c 50000 /dev/zero > \(Self.jar); touch -r x \(Self.jar); rm x")
        let scan = try WalkerTests.scan(directory, WalkerTests.snapshots(in: state), ahead: .seconds(20))
        #expect(try #require(scan.entries.first).apparentBytes == ByteCount(50_000 + 17))
    }

    /// A write within the same tick of the clock as the one before must not go unseen.
    @Test func whatJustChangedIsListedAgain() throws {
        let state = try TemporaryDirectory()
        let directory = try scanned(state)
        try directory.shell("\(Self.installed) > \(Self.tracking)")
        #expect(try protections(directory, state, ahead: .zero) == [.locallyInstalled])
        let tree = try #require(WalkerTests.snapshots(in: state).load()).tree
        let version = try #require(
            tree.records.indices.last { tree.path(Int32($0)) == Array("r/g/a/1".utf8) })
        #expect(tree.records[version].facts.contains(.listAlways))
    }
}

/// What lies in an entry's directory and is none of its tool's.
@Suite struct ForeignFilesTests {
    @Test(
        arguments: [
            ("r/g/a/1/checkout/src/Main.java", [.foreignFiles]),
            ("r/g/a/1/checkout/.git/HEAD", [.foreignFiles]), ("r/g/a/1/a-1.jar.sha1", []),
            ("r/g/a/1/.nfs00000000000b132d00000005", [.foreignFiles]), ("r/g/a/1/notes.txt", [.foreignFiles]),
            ("r/g/a/1/a-1-mine.jar", [.locallyInstalled]),
        ] as [(String, [Protection])])
    func aFileBelowAMavenVersionProtectsIt(file: String, expected: [Protection]) throws {
        let directory = try TemporaryDirectory()
        try directory.write("r/g/a/1/a-1.jar", bytes: 9000)
        try directory.write("r/g/a/1/_remote.repositories", "a-1.jar>central=\n")
        try directory.shell("mkdir r/g/a/1/empty")
        try directory.write(file)
        let scan = try WalkerTests.scan(directory)
        #expect(scan.entries.map(\.protections.all) == [expected])
    }

    @Test(
        arguments: [
            ("0a1b2c/x-1.jar", []), ("0a1b2c/x-1.jar.d/mine", [.foreignFiles]),
            ("notes.txt", [.foreignFiles]), ("my files/x.jar", [.foreignFiles]),
        ] as [(String, [Protection])])
    func aFileThatGradleDidNotPutThereProtectsItsModule(file: String, expected: [Protection]) throws {
        let directory = try TemporaryDirectory()
        let module = "caches/modules-2/files-2.1/org.x/x/1"
        try directory.write("\(module)/aaaa/x-1.pom")
        try directory.write("\(module)/\(file)")
        let scan = try WalkerTests.scan(directory)
        #expect(scan.entries.map(\.protections.all) == [expected])
    }

    /// Gradle describes each module that it resolved; where most are, one that is not was put there by hand.
    @Test(
        arguments: [
            (["a", "b"], ["org.x:c:1"]), (["a"], []), ([], []), (["a", "b", "c"], []),
        ] as [([String], [String])])
    func aModuleThatNoBuildResolvedStays(described: [String], protected: [String]) throws {
        let directory = try TemporaryDirectory()
        for name in ["a", "b", "c"] {
            try directory.write("caches/modules-2/files-2.1/org.x/\(name)/1/aaaa/\(name)-1.jar")
        }
        for name in described {
            try directory.write(
                "caches/modules-2/metadata-2.107/descriptors/org.x/\(name)/1/0123/descriptor.bin")
        }
        let scan = try WalkerTests.scan(directory)
        let found = scan.entries.filter { $0.pool == .gradle && !$0.protections.isEmpty }
        #expect(found.map(\.key) == protected)
        #expect(found.allSatisfy { $0.protections.all == [.locallyInstalled] })
    }
}
