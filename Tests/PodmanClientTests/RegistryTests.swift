import CacheModel
import Foundation
import TestSupport
import Testing

@testable import PodmanClient

/// What is read before a registry is asked, and what it answers.
struct RegistryTests {
    private func places(_ file: String, _ name: String, more: [String: String] = [:]) throws -> [String] {
        let folder = try TemporaryDirectory()
        try folder.write("registries.conf", file)
        for (name, text) in more { try folder.write("registries.conf.d/\(name)", text) }
        let registries = try RegistriesFile(contentsOf: folder.path + "/registries.conf")
        return registries.places(of: try ImageReference(name)).map {
            "\($0.host) \($0.repository)\($0.insecure ? " insecure" : "")"
        }
    }

    /// From containers-registries.conf(5), and as the testbed's Podman is configured.
    @Test(arguments: [
        ("", "r.test/a/b:1", ["r.test a/b"]),
        ("", "short", []),
        (
            "[[registry]]\nlocation = \"127.0.0.1\"\ninsecure = true", "127.0.0.1:5000/a:1",
            ["127.0.0.1:5000 a insecure"]
        ),
        ("[[registry]]\nlocation = \"r.test\"\ninsecure = true", "r.test.example/a:1", ["r.test.example a"]),
        ("[[registry]]\nprefix = \"*.test\"\ninsecure = true", "x.r.test:5/a:1", ["x.r.test:5 a insecure"]),
        (
            "[[registry]]\nprefix = \"r.test/foo\"\nlocation = \"in.test/bar\"", "r.test/foo/x:1",
            ["in.test bar/x"]
        ),
        ("[[registry]]\nprefix = \"r.test\"\nblocked = true", "r.test/foo/x:1", []),
        (
            "[[registry]]\nlocation = \"r.test\"\n[[registry.mirror]]\nlocation = \"m.test/r\"\ninsecure = true\n"
                + "[[registry.mirror]]\nlocation = \"d.test\"\npull-from-mirror = \"digest-only\"",
            "r.test/a:1", ["m.test r/a insecure", "r.test a"]
        ),
        (
            "[[registry]]\nlocation = \"r.test\"\nblocked = true\n[[registry]]\nprefix = \"r.test/free\"\n"
                + "location = \"r.test/free\"", "r.test/free/a:1", ["r.test free/a"]
        ),
    ])
    func registriesAreWherePodmanFindsThem(_ file: String, _ name: String, _ wanted: [String]) throws {
        #expect(try places(file, name) == wanted)
    }

    @Test func filesBesideItCount() throws {
        let file = "[[registry]]\nlocation = \"r.test\"\nblocked = true"
        let more = ["1.conf": "[[registry]]\nlocation = \"r.test\"\ninsecure = true", "2.bak": "= no TOML"]
        #expect(try places(file, "r.test/a:1", more: more) == ["r.test a insecure"])
    }

    @Test(arguments: ["= no TOML", "[[registry]]\ninsecure = true"])
    func whatIsNoRegistriesFileIsNamed(_ file: String) throws {
        let error = #expect(throws: RegistriesFileError.self) { try places(file, "r.test/a:1") }
        #expect(error?.description.contains("registries.conf") == true)
        #expect(throws: RegistriesFileError.self) { try RegistriesFile(contentsOf: "/nowhere/file") }
    }

    /// The library would end the process at these: a beginning, what is repeated, and an end.
    @Test(arguments: [
        ("[=]", "", ""), ("a", ".a", " = 1"), ("[a", ".'a'", "]"), ("a = ", "[", ""), ("a = {", "b={", ""),
        ("a = [{b", ". b", " = 1}]"),
    ])
    func whatWouldEndTheProcessIsRefused(_ start: String, _ again: String, _ end: String) throws {
        let file = start + String(repeating: again, count: 200_000) + end
        let error = #expect(throws: RegistriesFileError.self) { try places(file, "r.test/a:1") }
        #expect(error?.description.contains("line 1: no TOML: ") == true)
        #expect(error?.description.utf8.count ?? 0 < 500)
    }

    @Test(arguments: [
        ("Basic realm=\"x\"", RegistryChallenge.basic),
        (
            "Bearer realm=\"https://auth.test/token\",service=\"a, b\",scope=\"repository:x:pull\"",
            .bearer(realm: "https://auth.test/token", service: "a, b", scope: "repository:x:pull")
        ),
        ("bearer realm=https://t.test", .bearer(realm: "https://t.test", service: nil, scope: nil)),
    ])
    func challengesAreRead(_ header: String, _ wanted: RegistryChallenge) {
        #expect(RegistryChallenge(header) == wanted)
    }

    @Test(arguments: ["Negotiate", "Bearer service=\"x\"", "", "=", "Bearer realm"])
    func otherChallengesAreNot(_ header: String) { #expect(RegistryChallenge(header) == nil) }

    @Test(arguments: [
        "", "[]", "null", "{}", #"{"schemaVersion":1,"fsLayers":[]}"#,
        #"{"schemaVersion":2,"config":{"digest":"sha256:1"},"layers":[{"digest":"x","size":-1}]}"#,
        #"{"schemaVersion":2,"config":{"digest":"sha256:1"},"layers":[{"digest":"x","size":9223372036854775807}]}"#,
        #"{"schemaVersion":2,"config":{"digest":"sha256:1"},"layers":[{"digest":"x"}]}"#,
        #"{"schemaVersion":2}"#,
    ])
    func whatIsNoManifestIsRefused(_ text: String) { #expect(RegistryManifest(Data(text.utf8)) == nil) }

    @Test func manifestsAreReadWithTheirDigests() throws {
        let text = #"""
            {"schemaVersion":2,"config":{"digest":"sha256:ab"},"layers":[
            {"digest":"sha256:1","size":10,"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip"},
            {"digest":"sha256:2","size":20,"mediaType":"application/vnd.oci.image.layer.v1.tar"}]}
            """#
        let manifest = try #require(RegistryManifest(Data(text.utf8)))
        let folder = try TemporaryDirectory()
        try folder.write("m", text)
        let digest = try folder.shell("sha256sum m").prefix(64)
        #expect(manifest.digest == "sha256:\(digest)")
        #expect(manifest.image == "ab")
        #expect(manifest.layers.map(\.bytes.bytes) == [10, 20])
        #expect(manifest.layers.map(\.isCompressed) == [true, false])
    }

    @Test func theImageOfAPlatformIsFound() throws {
        func item(_ digest: String, _ rest: String) -> String {
            #"{"digest":"\#(digest)","platform":{"os":"linux",\#(rest)}}"#
        }
        let items = [
            item("a", #""architecture":"amd64""#), item("7", #""architecture":"arm","variant":"v7""#),
            item("8", #""architecture":"arm64","variant":"v8""#),
        ]
        let text = #"{"schemaVersion":2,"manifests":[\#(items.joined(separator: ","))]}"#
        let list = try #require(RegistryManifest(Data(text.utf8)))
        func found(_ platform: String) throws -> String? {
            list.instance(for: try #require(ImagePlatform(platform)))
        }
        #expect(try found("linux/amd64") == "a")
        #expect(try found("linux/arm64") == "8")
        #expect(try found("linux/arm/v7") == "7")
        #expect(try found("linux/arm/v6") == nil)
        #expect(try found("windows/amd64") == nil)
    }
}
