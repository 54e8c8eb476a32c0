import Foundation
import TestSupport
import Testing

@testable import CacheServices
@testable import larder

/// Two build caches with these names and paths.
private func two(
    _ first: (String, String), _ second: (String, String), kind: String = "build-cache"
) -> String {
    """
    volumes:
      - name: \(first.0)
        kind: \(kind)
        path: \(first.1)
      - name: \(second.0)
        kind: \(kind)
        path: \(second.1)

    """
}

@Suite struct VolumeSetTests {
    @Test(arguments: [
        Refusal(
            two(("a", "/cache"), ("b", "/cache")), "7:11", "volumes[1].path",
            "is also the path of volume `a` (line 4)"),
        Refusal(two(("a", "/cache"), ("b", "//cache/.")), "7:11", "volumes[1].path", "is also the path of"),
        Refusal(two(("a", "/cache"), ("b", "/cache/b")), "7:11", "volumes[1].path", "lies within"),
        Refusal(two(("a", "/cache/b"), ("b", "/cache")), "7:11", "volumes[1].path", "contains"),
        Refusal(two(("a", "/"), ("b", "/cache")), "7:11", "volumes[1].path", "lies within"),
        Refusal(two(("a", "/a"), ("a", "/b")), "5:11", "volumes[1].name", "same name", "(line 2)"),
    ])
    func volumesThatCannotStandTogether(_ refusal: Refusal) throws { try refusal.check() }

    /// Whatever names lead to a directory, it is one.
    @Test(arguments: [
        ("ln -s cache link", "link", "is, by a link or a mount, also the directory of"),
        ("mkdir cache/in; ln -s cache/in link", "link", "lies, by a link or a mount, within"),
        (
            "mkdir out; mv cache out; ln -s out/cache cache; ln -s out link", "link",
            "contains, by a link or a mount"
        ),
        ("mkdir other; ln -s other link", "link", ""),
    ])
    func linksDoNotHideThatVolumesOverlap(_ test: (make: String, path: String, says: String)) throws {
        let directory = try TemporaryDirectory()
        try directory.shell("mkdir cache; \(test.make)")
        let found = try problems(
            two(("a", "\(directory.path)/cache"), ("b", "\(directory.path)/\(test.path)")))
        #expect(found.count == (test.says.isEmpty ? 0 : 1))
        #expect(found.allSatisfy { $0.contains(test.says) }, "\(found)")
    }

    /// Each pod of `slots` has one store and its socket; that Podman has the store it is asked about is checked.
    @Test func oneSocketMayServeSeveralStores() throws {
        #expect(try problems(two(("a", "/a"), ("b", "/b"), kind: "image-store")) == [])
    }

    @Test func everyConfigurationOfTheDeploymentIsRead() throws {
        let deploy = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../deploy")
        let files = try #require(FileManager.default.enumerator(atPath: deploy.path)).compactMap {
            $0 as? String
        }
        .filter { $0.hasSuffix("larder.yaml") }
        #expect(files.count > 4)
        for file in files {
            let text = try String(contentsOf: deploy.appending(path: file), encoding: .utf8)
            // One of that name is a manifest.
            if text.hasPrefix("apiVersion:") { continue }
            #expect(try problems(text) == [], "\(file)")
        }
    }

    @Test func neighboursWithACommonPrefixAreApart() throws {
        #expect(try problems(two(("a", "/cache"), ("b", "/cache-b"))) == [])
    }

    @Test func aFlagMovesTheOneVolumeOfItsKind() throws {
        let yaml = buildCache("limit: 20Gi")
        let moved = try load(yaml, flags: ConfigurationFlags(buildCache: "/mnt/c"))
        #expect(moved.volumes.map(\.path) == ["/mnt/c"])
        #expect(moved.volumes.map(\.jobPath) == ["/mnt/c"])
        #expect(moved.volumes.first?.limit?.quantity == "20Gi")

        let elsewhere = try load(buildCache("job_path: /c"), flags: ConfigurationFlags(buildCache: "/mnt/c"))
        #expect(elsewhere.volumes.map(\.jobPath) == ["/c"])
    }

    @Test func aFlagAddsAVolumeWhereTheFileHasNone() throws {
        let flags = ConfigurationFlags(imageRoot: "/store", socket: "unix:///run/p.sock")
        let configuration = try load(buildCache("low: 50%"), flags: flags)
        #expect(configuration.volumes.map(\.name) == ["build", "images"])
        #expect(configuration.volumes.map(\.path) == ["/cache", "/store"])
        #expect(configuration.sockets == ["images": "unix:///run/p.sock"])
    }

    @Test func anAddedVolumeTakesAFreeName() throws {
        let yaml = "volumes: [{name: images, kind: build-cache, path: /cache}]"
        let configuration = try load(yaml, flags: ConfigurationFlags(imageRoot: "/store"))
        #expect(configuration.volumes.map(\.name) == ["images", "images-2"])
    }

    @Test func aFlagForOneOfSeveralVolumesIsAmbiguous() throws {
        let found = try problems(
            two(("a", "/a"), ("b", "/b")), flags: ConfigurationFlags(buildCache: "/c"))
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("--build-cache: ambiguous: ") == true)
        #expect(found.first?.contains("(a, b)") == true)

        let stores = two(("a", "/a"), ("b", "/b"), kind: "image-store") + "    socket: unix:///b.sock\n"
        let sockets = try problems(stores, environment: ["LARDER_SOCKET": "unix:///c.sock"])
        #expect(sockets.count == 1)
        #expect(sockets.first?.hasPrefix("LARDER_SOCKET: ambiguous: ") == true)
    }

    @Test func aFlagMayNotBringAboutAnOverlap() throws {
        let found = try problems(
            imageStore(""), flags: ConfigurationFlags(buildCache: "/store/cache"))
        #expect(found.count == 1)
        let line = found.first ?? ""
        #expect(line.hasPrefix("--build-cache: /store/cache lies within the path of volume `images`"))
    }

    @Test func aSocketNeedsAnImageStore() throws {
        let found = try problems(buildCache(""), flags: ConfigurationFlags(socket: "unix:///p.sock"))
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("--socket: no volume of kind image-store") == true)
    }
}
