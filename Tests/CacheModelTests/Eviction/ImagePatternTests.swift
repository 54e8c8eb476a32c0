import CacheModel
import Testing

/// Which images a person means by a name: what Podman would make of it.
@Suite struct ImagePatternTests {
    @Test(arguments: [
        ("postgres:16*", "docker.io/library/postgres:16"),
        ("postgres:16*", "docker.io/library/postgres:16.2"),
        ("postgres:16*", "localhost/postgres:16"), ("postgres", "docker.io/library/postgres:latest"),
        ("testcontainers/ryuk:*", "docker.io/testcontainers/ryuk:0.5.1"),
        ("docker.io/redis:7", "docker.io/library/redis:7"),
        ("index.docker.io/redis:7", "docker.io/library/redis:7"),
        ("registry.example.com/ci/*", "registry.example.com/ci/a/b:1"), ("*", "r.example/a:1"),
        ("*/ci/*", "r.example/ci/a:1"), ("r.example:5000/a:?", "r.example:5000/a:1"),
    ])
    func means(_ pattern: String, _ name: String) {
        #expect(ImagePattern(pattern).matches(name, anyRegistry: false))
        #expect(ImagePattern(pattern).matches(name, anyRegistry: true))
    }

    @Test(arguments: [
        ("postgres:16", "docker.io/library/postgres:16.2"),
        ("postgres:16*", "docker.io/library/mypostgres:16"),
        ("docker.io/library/*", "r.example/library/a:1"), ("redis", "docker.io/library/redis:7"),
        ("docker.io/redis:7", "docker.io/other/redis:7"), ("", "docker.io/library/redis:7"),
    ])
    func doesNotMean(_ pattern: String, _ name: String) {
        #expect(!ImagePattern(pattern).matches(name, anyRegistry: true))
    }

    /// To keep, any registry's is meant; to remove, only what Podman tries first.
    @Test func anotherRegistrysIsMeantOnlyToKeep() {
        let pattern = ImagePattern("ci/postgres:16")
        #expect(pattern.matches("registry.example/ci/postgres:16", anyRegistry: true))
        #expect(!pattern.matches("registry.example/ci/postgres:16", anyRegistry: false))
    }

    @Test func anIDMeansItsImage() {
        var entry = image(1, layers: ["a"], names: ["r.example/a:1"])
        entry.found.image?.id = "0123456789abcdef"
        #expect(ImagePattern("0123456789ab").matches(entry, anyRegistry: false))
        #expect(ImagePattern("sha256:0123456789abcdef").matches(entry, anyRegistry: false))
        #expect(!ImagePattern("0123456789").matches(entry, anyRegistry: false))
    }
}
