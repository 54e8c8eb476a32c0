import CacheIndex
import CacheModel
import Testing

@testable import CacheServices

/// What `--top` chooses.
struct WarmListTests {
    private func used(_ key: String, hour: Int64 = 0) -> UsedImage {
        UsedImage(
            key: key, recentMisses: 0, soon: 0, uses: 9,
            lastUsed: Timestamp(seconds: 1_700_000_000 + hour * 3600))
    }

    private func names(_ top: Int, _ used: [UsedImage]) -> [String] {
        WarmUp.chosen(top, of: used).map(\.reference.name)
    }

    @Test func whatARegistryCannotHaveTakesNoPlace() {
        let images = [used("localhost/own:1"), used("r.test/a:1"), used("r.test/b:1"), used("r.test/c:1")]
        #expect(names(2, images) == ["r.test/a:1", "r.test/b:1"])
    }

    @Test func ryukComesBesideTheOthersWhereJobsStartIt() {
        let ryuk = used("docker.io/testcontainers/ryuk:0.11.0", hour: 9)
        let images = [used("r.test/a:1", hour: 10), used("r.test/b:1"), ryuk]
        #expect(names(1, images) == ["r.test/a:1", "docker.io/testcontainers/ryuk:0.11.0"])
        #expect(WarmUp.chosen(1, of: images).last?.why.hasPrefix("Testcontainers starts it") == true)
        let mirrored = used("r.test/hub/testcontainers/ryuk:0.11.0", hour: 9)
        #expect(names(1, [mirrored, used("r.test/a:1", hour: 10)]).count == 2)
        #expect(names(1, [used("r.test/nottestcontainers/ryuk:1"), used("r.test/a:1")]).count == 1)
    }

    @Test func ryukStaysAwayWhereItIsDisabled() {
        let old = used("docker.io/testcontainers/ryuk:0.5.0", hour: 0)
        let new = used("docker.io/testcontainers/ryuk:0.11.0", hour: 30)
        let images = [old, new, used("r.test/a:1", hour: 40)]
        #expect(names(3, images) == ["docker.io/testcontainers/ryuk:0.11.0", "r.test/a:1"])
        #expect(names(3, [old, used("r.test/a:1", hour: 24)]) == ["r.test/a:1"])
    }
}
