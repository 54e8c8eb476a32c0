import CacheModel
import Testing

/// Which entries a filter lets pass, condition by condition.
struct EntryFilterTests {
    private static let now = Timestamp(seconds: 1_800_000_000)

    private func entry(
        key: String = "com.example:lib:1.0", pool: Pool = .maven, bytes: Int64 = 1000, idle: Span = .days(10),
        evidence: Evidence = .atime, uses: Int64 = 3, names: [String]? = nil
    ) throws -> CacheEntry {
        let image = names.map {
            ScannedImage(id: "i", names: $0, layers: [], exclusiveBytes: ByteCount(7), containers: 0)
        }
        let found = ScannedEntry(
            pool: pool, key: key, path: try #require(VolumePath("a/b")), bytes: ByteCount(bytes),
            apparentBytes: ByteCount(bytes), files: 1, accessed: Self.now - idle, fetched: Self.now - idle,
            image: image)
        return CacheEntry(
            id: 1, found: found, firstSeen: Self.now - idle, lastUsed: Self.now - idle, evidence: evidence,
            confidence: .high, uses: uses)
    }

    private func admits(_ text: String, _ entry: CacheEntry, protection: Protection? = nil) throws -> Bool {
        try EntryFilter([text]).admits(entry, protection: protection, now: Self.now)
    }

    @Test(arguments: [
        ("com.example:*", true), ("org.example:*", false), ("example:lib", true), ("EXAMPLE", false),
        ("key=com.*:lib:1.0", true), ("key!=com.*:lib:1.0", false), ("age>9d", true), ("age>10d", false),
        ("age>=10d", true), ("age<10d", false), ("age<=10d", true), ("age!=3h", true), ("size>999", true),
        ("size>1k", false), ("size<1Ki", true), ("size=1000", true), ("pool=maven", true),
        ("pool!=maven", false),
        ("pool=images", false), ("protected", false), ("unprotected", true), ("used", true),
        ("never-used", false),
    ])
    func eachConditionDecidesByItself(text: String, isAdmitted: Bool) throws {
        #expect(try admits(text, entry()) == isAdmitted)
    }

    @Test func allConditionsMustHold() throws {
        let filter = try EntryFilter(["com.*", "age>1d", "size>2k"])
        #expect(try !filter.admits(entry(), protection: nil, now: Self.now))
        #expect(try filter.admits(entry(bytes: 3000), protection: nil, now: Self.now))
        #expect(try EntryFilter().admits(entry(), protection: .inUse, now: Self.now))
    }

    @Test func anImageIsFoundByAnyOfItsNames() throws {
        let image = try entry(key: "r.example/a:1", pool: .images, names: ["r.example/a:1", "r.example/b:2"])
        #expect(try admits("r.example/b:*", image))
        #expect(try !admits("key!=r.example/b:*", image))
        #expect(try !admits("r.example/c:*", image))
    }

    @Test func protectionAndUseAreWhatIsKnown() throws {
        #expect(try admits("protected", entry(), protection: .idleFloor))
        #expect(try !admits("unprotected", entry(), protection: .idleFloor))
        // It was read when it was fetched, and never again.
        #expect(try admits("never-used", entry(uses: 0)))
        for evidence in [Evidence.firstSeen, .mtime] {
            #expect(try admits("never-used", entry(evidence: evidence, uses: 0)))
            #expect(try admits("used", entry(evidence: evidence, uses: 1)))
        }
    }

    @Test(arguments: [
        ("", "empty"), ("pool=mavne", "gradle-other"),
        ("ages>3d", "did you mean age>3d?"), ("protectd", "did you mean protected?"),
        ("key=", "a pattern is missing"),
        ("colour=red", "nothing is called colour"),
    ])
    func whatCannotBeReadIsRefusedWithWhatIsAccepted(text: String, words: String) throws {
        do throws(EntryFilter.Malformed) {
            _ = try EntryFilter([text])
            Issue.record("\(text) was read")
        } catch {
            #expect(error.description.contains(words))
            #expect(error.description.contains("never-used"))
        }
    }

    @Test(arguments: [
        ("age>soon", "found \"soon\"; accepted: a duration such as 36h", nil),
        ("size>big", "found \"big\"; accepted: a quantity such as 20Gi, 500M", nil),
        ("size>1GB", "found \"1GB\"; accepted: a quantity", "`1Gi` or `1G`"),
        ("age>30", "found \"30\"; accepted: a duration", "`30h` or `30d`"),
        ("age<2 days", "found \"2 days\"", "`2d`"),
    ])
    func aWrongValueIsToldAsEverywhere(text: String, words: String, meant: String?) throws {
        do throws(EntryFilter.Malformed) {
            _ = try EntryFilter([text])
            Issue.record("\(text) was read")
        } catch {
            #expect(error.description.contains(words), "\(error)")
            let guess = error.description.firstRange(of: "did you mean ").map {
                String(error.description[$0.upperBound...])
            }
            #expect(guess == meant.map { $0 + "?" })
        }
    }

    @Test(arguments: [
        ("5", "`5h` or `5d`"), ("5 days", "`5d`"), ("24 Hours", "`24h`"), ("14D", "`14d`"),
        ("3weeks", "`3w`"),
        ("", nil), ("soon", nil), ("99999999999999999999", nil), ("-5", nil), ("5 fortnights", nil),
    ])
    func whatIsMeantByATime(text: String, meant: String?) { #expect(Span.meant(by: text) == meant) }

    @Test func theNearestNamesComeInOrder() {
        let known = ["status", "stats", "scan", "plan"]
        #expect(nearest("stauts", among: known) == "status")
        #expect(nearest("xyzzy", among: known) == nil)
        #expect(nearest("statu", among: known, count: 3) == ["status", "stats"])
    }
}
