import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// Which installed builds a scan marks as replaced.
@Suite struct InstalledExpiryTests {
    /// Makes a version, installed unless it was fetched, that many days ago.
    static func version(
        _ directory: TemporaryDirectory, _ name: String, _ version: String, daysAgo: Int,
        fetched: Bool = false,
        group: String = "com/acme"
    ) throws {
        let path = "repo/\(group)/\(name)/\(version)"
        let stem = "\(name)-\(version)"
        try directory.write("\(path)/\(stem).jar", bytes: 5000)
        try directory.write(
            "\(path)/\(stem).pom",
            "<project><groupId>\(group.replacing("/", with: "."))</groupId></project>")
        let origin = fetched ? "central" : ""
        try directory.write(
            "\(path)/_remote.repositories", "\(stem).jar>\(origin)=\n\(stem).pom>\(origin)=\n")
        try directory.shell("touch -d '\(daysAgo) days ago' \(path)/* \(path)")
    }

    private func superseded(
        _ directory: TemporaryDirectory, _ rules: [InstalledExpiry]
    ) throws -> [String] {
        var volume = Volume(name: "build", kind: .buildCache, path: directory.path)
        volume.installed = rules
        return try VolumeScanner().scan(volume, clock: WalkerTests.now).entries
            .filter { $0.traits.contains(.superseded) }.map(\.key).sorted()
    }

    @Test func allButTheNewestInstalledOnesAreReplaced() throws {
        let directory = try TemporaryDirectory()
        for (number, days) in [(1, 90), (2, 60), (3, 50), (4, 40)] {
            try Self.version(directory, "lib", "\(number).0", daysAgo: days)
        }
        // The newest by its installation, whatever its number.
        try Self.version(directory, "lib", "0.9", daysAgo: 30)
        try Self.version(directory, "only", "1", daysAgo: 300)
        try Self.version(directory, "lib", "9.9", daysAgo: 10, fetched: true)
        try Self.version(directory, "lib", "1.0", daysAgo: 90, group: "org/other")
        try Self.version(directory, "lib", "1.1", daysAgo: 80, group: "org/other")
        let rule = InstalledExpiry(pattern: "com.acme:*", maxAge: .days(30))
        #expect(try superseded(directory, []) == [])
        #expect(try superseded(directory, [rule]) == (1...4).map { "com.acme:lib:\($0).0" })
        let two = InstalledExpiry(pattern: "com.acme:*", maxAge: .days(30), keepVersions: 2)
        #expect(try superseded(directory, [two]) == (1...3).map { "com.acme:lib:\($0).0" })
        #expect(InstalledExpiry(pattern: "x", maxAge: .days(1), keepVersions: 0).keepVersions == 1)
    }

    @Test func whatHoldsOthersFilesOrHasNoTrackingIsNotMeant() throws {
        let directory = try TemporaryDirectory()
        for (number, days) in [(1, 90), (2, 80), (3, 70), (4, 60)] {
            try Self.version(directory, "lib", "\(number)", daysAgo: days)
        }
        try directory.write("repo/com/acme/lib/1/mine/notes")
        try directory.shell("rm repo/com/acme/lib/2/_remote.repositories")
        try directory.shell("touch -d '100 days ago' repo/com/acme/lib/{1,2}")
        let rule = InstalledExpiry(pattern: "com.acme:*", maxAge: .days(30))
        #expect(try superseded(directory, [rule]) == ["com.acme:lib:3"])
    }
}
