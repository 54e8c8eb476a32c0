import CacheModel
import Foundation
import TestSupport
import Testing

@testable import PodmanClient

private let digest = "sha256:" + String(repeating: "0123456789abcdef", count: 4)

@Suite struct ReferenceTests {
    @Test(arguments: [
        ("docker.io/redis", "docker.io/library/redis:latest"),
        ("docker.io/library/redis:7", "docker.io/library/redis:7"),
        ("index.docker.io/redis:7", "docker.io/library/redis:7"),
        ("docker.io/testcontainers/ryuk:0.11.0", "docker.io/testcontainers/ryuk:0.11.0"),
        ("registry.test:5000/a/b_c/d__e/f--g:T.1-x_y", "registry.test:5000/a/b_c/d__e/f--g:T.1-x_y"),
        ("localhost/a", "localhost/a:latest"), ("127.0.0.1:5000/a:1", "127.0.0.1:5000/a:1"),
        ("[::1]:5000/a", "[::1]:5000/a:latest"), ("redis:7", "redis:7"), ("team/db", "team/db:latest"),
        ("quay.io/db:1@\(digest)", "quay.io/db@\(digest)"), ("quay.io/db@\(digest)", "quay.io/db@\(digest)"),
    ])
    func readsAsPodmanDoes(_ text: String, _ name: String) throws {
        let reference = try ImageReference(text)
        #expect(reference.name == name)
        #expect(try ImageReference(name) == reference)
        #expect(reference.isShort == ["redis:7", "team/db"].contains(text))
    }

    @Test(arguments: [
        "", ":", "@", "a:", "Foo", "quay.io/Foo", "docker://quay.io/a", "quay.io//a", "quay.io/a/", "/a",
        "a b",
        "quay.io/a:b c", "quay.io/a:-1", "quay.io/a@sha256:12", "quay.io/a@\(digest)@\(digest)", "a..b",
        "a.-b",
        "a___b", "-a", "a-", "quay.io:port/a", "quay.io:99999/a", "a\u{0}b", "ä", "quay.io/a\n",
        String(repeating: "a", count: 64), "quay.io/" + String(repeating: "a", count: 300),
        "q.io/a:" + String(repeating: "t", count: 129), "[::1/a", "[]/a", "--help",
    ])
    func refusesWhatIsNone(_ text: String) throws {
        let error = #expect(throws: InvalidReference.self) { try ImageReference(text) }
        #expect(error?.description.contains("is no image reference") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func aShortNameMeansTheImageOfAnyRegistry() throws {
        let short = try ImageReference("redis:7")
        #expect(short.means("docker.io/library/redis:7") && short.means("quay.io/redis:7"))
        #expect(!short.means("quay.io/redis:6") && !short.means("quay.io/myredis:7"))
        #expect(try !ImageReference("quay.io/redis:7").means("docker.io/library/redis:7"))
    }

    @Test(arguments: [
        ("reading manifest 1 in x: manifest unknown: manifest unknown", PullFailure.Cause.unknownManifest),
        ("reading manifest 1 in x: unauthorized: unauthorized", .unauthorized),
        (
            "pinging container registry x: invalid status code from registry 500 (Internal Server Error)",
            .transient
        ),
        ("reading blob: received unexpected HTTP status: 503 Service Unavailable: unauthorized", .transient),
        ("pinging container registry x: too many requests to registry", .rateLimited(after: nil)),
        ("toomanyrequests: retry-after: 30s", .rateLimited(after: .seconds(30))),
        ("dial tcp 127.0.0.1:1: connect: connection refused", .transient),
        ("Get \"http://x/v2/\": EOF", .transient), ("net/http: TLS handshake timeout", .transient),
        ("writing blob: storing blob to file: write /tmp/x: no space left on device", .noSpace),
        ("creating layer: Stat /s/vfs/dir/7a3e: no such file or directory", .leftoverLayer),
        ("invalid reference format", .unresolvedName),
        ("short-name \"x\" did not resolve to an alias", .unresolvedName), ("anything else", .other),
    ])
    func theCauseIsReadFromPodmansWords(_ message: String, _ cause: PullFailure.Cause) {
        #expect(PullFailure(reference: "x", message: message).cause == cause)
    }
}

@Suite struct AuthFileTests {
    let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func file(_ text: String, mode: Int = 0o600) throws -> AuthFile {
        try folder.write("config.json", text)
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: folder.path + "/config.json")
        return try AuthFile(contentsOf: folder.path + "/config.json")
    }

    private func auth(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    @Test func theLongestKeyCounts() throws {
        let file = try file(
            """
            {"auths": {"quay.io": {"auth": "\(auth("a:1"))"}, "quay.io/team": {"auth": "\(auth("b:2:3"))"},
             "quay.io/team/db": {"username": "c", "password": "4"}, "quay.io/team/no": {},
             "https://index.docker.io/v1/": {"identitytoken": "t"}, "http://old.test/v2/": {"auth": "\(auth("d:5"))"}}}
            """)
        func found(_ name: String) throws -> String? {
            try file.credentials(for: ImageReference(name)).map {
                "\($0.user):\($0.password)\($0.identityToken)"
            }
        }
        #expect(try found("quay.io/x:1") == "a:1")
        #expect(try found("quay.io/team/x") == "b:2:3")
        #expect(try found("quay.io/team/db@\(digest)") == "c:4")
        #expect(try found("quay.io/team/no") == "b:2:3")
        #expect(try found("quay.io/teamwork") == "a:1")
        #expect(try found("docker.io/redis") == ":t")
        #expect(try found("old.test/x") == "d:5")
        #expect(try found("quay.io.evil.test/x") == nil)
        #expect(try found("team/db") == nil)
        #expect(file.warning == nil)
    }

    @Test(arguments: [
        (0o600, true, false), (0o440, true, false), (0o644, true, true), (0o620, false, false),
        (0o606, false, false),
    ])
    func whoMayWriteItDecides(_ mode: Int, _ isTaken: Bool, _ isWarned: Bool) throws {
        if isTaken {
            #expect(try (file(#"{"auths":{}}"#, mode: mode).warning != nil) == isWarned)
        } else {
            let error = #expect(throws: AuthFileError.self) { try file(#"{"auths":{}}"#, mode: mode) }
            #expect(error?.hint.contains("chmod") == true)
        }
    }

    @Test(arguments: ["", "s3cret", #"{"auths": "s3cret"}"#, #"{"auths": {"a": {"auth": ["s3cret"]}}}"#])
    func aRefusalQuotesNothing(_ text: String) throws {
        let error = #expect(throws: AuthFileError.self) { try file(text) }
        #expect(error.map { "\($0) \($0.hint)".contains("s3cret") } == false)
    }

    @Test func whatIsNoFileIsRefused() throws {
        try folder.shell("mkfifo pipe; mkdir directory; ln -s nowhere broken; truncate -s 2M large")
        for name in ["pipe", "directory", "broken", "large", "absent"] {
            #expect(throws: AuthFileError.self) { try AuthFile(contentsOf: folder.path + "/" + name) }
        }
    }
}
