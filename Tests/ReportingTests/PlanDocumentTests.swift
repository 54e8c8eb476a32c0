import CacheModel
import Reporting
import Testing

/// A plan file written, read back, and held against the volume.
struct PlanDocumentTests {
    private func read(_ text: String) throws -> PlanDocument { try PlanDocument.read(Array(text.utf8)) }

    @Test func readsBackWhatWasWritten() throws {
        let document = try read(Samples.planReport.json())
        #expect(document.plan == "plan-7")
        #expect(document.createdAt == now)
        #expect(document.volumes.map(\.name) == ["build", "images"])
        for (volume, plan) in zip(document.volumes, Samples.planReport.plans) {
            #expect(volume.quota == plan.quota)
            #expect(volume.goal == plan.goal)
            #expect(volume.usedBytes == plan.usedBytes)
            #expect(volume.freedBytes == plan.freedBytes)
            #expect(volume.reachesGoal == plan.reachesGoal)
            #expect(volume.evict.map(\.path) == plan.evict.map(\.entry.found.path))
            #expect(volume.evict.map(\.inode) == plan.evict.map(\.entry.found.inode))
            #expect(volume.evict.map(\.accessed) == plan.evict.map(\.entry.found.accessed))
            #expect(volume.evict.map(\.exclusiveBytes) == plan.evict.map(\.freedBytes))
            #expect(volume.evict.map(\.reason) == plan.evict.map(\.reason))
        }
    }

    @Test func keepsExtremeNumbersAndForeignNames() throws {
        var entry = artifact(1, bytes: ByteCount(.max))
        entry.found.path = try #require(VolumePath(bytes: Array("dir/".utf8) + [0xff, 0x5c, 0x0a, 0x22]))
        entry.found.inode = .max
        entry.found.accessed = Timestamp(nanoseconds: 1_790_000_000_123_456_789)
        let plan = EvictionPolicy(idleFloor: .zero, target: .zero).plan(
            usage([entry], used: ByteCount(.max)), under: quota(1), now: now)
        let line = try #require(
            try read(PlanReport(id: "p", createdAt: now, plans: [plan]).json()).volumes.first?.evict.first)
        #expect(line.path == entry.found.path)
        #expect(line.inode == .max)
        #expect(line.accessed == entry.found.accessed)
        #expect(line.bytes == ByteCount(.max))
    }

    static let mistakes: [(from: String, to: String, message: String)] = [
        ("larder.plan/1", "larder.plan/2", "schema: larder.plan/1 expected, not larder.plan/2"),
        ("\"schema\"", "\"other\"", "schema: missing"),
        ("\"created_at\": \"", "\"created_at\": \"x", "created_at: not a time in RFC 3339"),
        ("\"inode\": 1003", "\"inode\": \"1003\"", "volumes[0].evict[2].inode: a whole number expected"),
        ("\"inode\": 1003", "\"inode\": -1", "volumes[0].evict[2].inode: a whole number expected"),
        (
            "\"limit_bytes\": 21474836480", "\"limit_bytes\": 1e30",
            "volumes[0].limit_bytes: a whole number expected"
        ),
        ("\"inode\": 1003", "\"inode\": 1.5", "volumes[0].evict[2].inode: a whole number expected"),
        ("\"inode\": 1003, ", "", "volumes[0].evict[2].inode: missing"),
        ("\"pool\": \"maven\"", "\"pool\": \"mavn\"", "volumes[0].evict[0].pool: one of maven, gradle,"),
        ("lib-1/1.0\"", "../1.0\"", "volumes[0].evict[0].path: a path below the volume's root expected"),
        ("\"repository/org/example/lib-1/1.0\"", "\"/etc\"", "volumes[0].evict[0].path: a path below"),
        ("\"repository/org/example/lib-1/1.0\"", "\"\"", "volumes[0].evict[0].path: a path below"),
        (
            "lib-2/1.0\"", "lib-1/1.0\"",
            "volumes[0].evict[1].path: repository/org/example/lib-1/1.0 is there twice"
        ),
        ("\"name\": \"images\"", "\"name\": \"build\"", "volumes[1].name: build is there twice"),
        ("\"reaches_low\": true", "\"reaches_low\": null", "volumes[0].reaches_low: true or false expected"),
        ("\"evict\": [", "\"evict\": {", "not a plan: no JSON: "),
        (
            "\"bytes\": 1073741824, \"exc", "\"bytes\": -1, \"exc",
            "volumes[0].evict[0].bytes: a size expected, not -1"
        ),
    ]

    @Test(arguments: mistakes)
    func namesWhatIsWrongAndWhere(_ test: (from: String, to: String, message: String)) throws {
        let text = try Samples.planReport.json()
        let place = try #require(text.range(of: test.from))
        let error = #expect(throws: PlanDocumentError.self) {
            try read(text.replacingCharacters(in: place, with: test.to))
        }
        #expect(error?.description.contains(test.message) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: ["", "null", "[]", "{", "\u{0}", String(repeating: "[", count: 100_000)])
    func rubbishIsRefused(_ text: String) {
        #expect(throws: PlanDocumentError.self) { try read(text) }
    }

    @Test func onlyUnchangedEntriesAreMatched() throws {
        let document = try read(Samples.planReport.json())
        var entries = Samples.entries
        entries[0].found.accessed = ago(hours: 30)
        entries[1].found.inode = 77
        entries[3].found.protections = .init(.inFlight)
        let (plan, refused) = document.volumes[0].matched(
            with: usage(entries, used: gibibytes(17.5)), under: EvictionPolicy(), now: now)
        #expect(plan.evict.map(\.entry.id) == [3])
        #expect(plan.freedBytes == gibibytes(1))
        #expect(plan.needed && !plan.reachesGoal)
        #expect(refused.map(\.entryID) == [1, 2, 4])
        #expect(
            refused.map(\.reason) == [
                "it was used since the plan was made", "it was fetched again since the plan was made",
                Protection.inFlight.text,
            ])

        let (later, gone) = document.volumes[0].matched(
            with: usage(Array(entries.dropFirst(4)), used: gibibytes(12)), under: EvictionPolicy(), now: now)
        #expect(later.evict.isEmpty && !later.needed && later.reachesGoal)
        #expect(gone.map(\.reason) == Array(repeating: "it is no longer there", count: 4))
    }

    @Test func aLaterUseByTheJournalCounts() throws {
        let document = try read(Samples.planReport.json())
        var entries = Samples.entries
        entries[0].lastUsed = entries[0].lastUsed + .seconds(1)
        let (plan, refused) = document.volumes[0].matched(
            with: usage(entries, used: gibibytes(17.5)), under: EvictionPolicy(), now: now)
        #expect(plan.evict.map(\.entry.id) == [2, 3, 4])
        #expect(refused.map(\.entryID) == [1])
    }

    /// What stands in the way after a prune adds up to what is used, whatever became of the planned entries.
    @Test(arguments: 0..<16) func theBlockersAddUpToWhatStays(case number: Int) throws {
        var entries = (1...4).map { artifact(Int64($0)) }
        let plan = EvictionPolicy(target: .zero).plan(
            usage(entries, used: gibibytes(6)), under: quota(1), now: now)
        let document = try read(PlanReport(id: "p", createdAt: now, plans: [plan]).json())
        // Of the four, some are gone, some were fetched anew by a job, and the rest goes.
        var used = 6.0
        if number & 1 != 0 {
            entries.removeAll { $0.id == 1 }
            used -= 1
        }
        for (bit, id) in [(2, Int64(2)), (4, 3)] where number & bit != 0 {
            guard let place = entries.firstIndex(where: { $0.id == id }) else { continue }
            entries[place].found.inode = 77
            entries[place].found.fetched = ago(hours: 1)
            entries[place].found.bytes = gibibytes(0.5)
            used -= 0.5
        }
        let (matched, refused) = document.volumes[0].matched(
            with: usage(entries, used: gibibytes(used)), under: EvictionPolicy(), now: now)
        var outcome = EvictionOutcome(
            volume: "build", refused: refused, usedBefore: gibibytes(used), usedAfter: gibibytes(used),
            overQuota: true)
        for eviction in matched.evict {
            let line = EvictionOutcome.Line(
                entryID: eviction.entry.id, pool: .maven, key: eviction.entry.key, bytes: eviction.freedBytes)
            if number & 8 != 0, eviction.entry.id == 4 {
                outcome.refused.append(line)
            } else {
                outcome.evicted.append(line)
                outcome.emptiedBytes = outcome.emptiedBytes + gibibytes(0.25)
                outcome.usedAfter = outcome.usedAfter - eviction.freedBytes - gibibytes(0.25)
            }
        }
        let text = PruneReport(
            run: "r", dryRun: false, volumes: [.init(outcome: outcome, plan: matched)]
        ).text(width: 500, color: false, now: now)
        let lines = try #require(text.range(of: "In the way:\n").map { text[$0.upperBound...] })
        let sum = lines.split(separator: "\n").reduce(0.0) { sum, line in
            let words = line.split(separator: " ")
            guard words.count > 2, let size = Double(words[0]) else { return sum }
            return sum + (words[1] == "GiB" ? size : words[1] == "MiB" ? size / 1024 : 0)
        }
        #expect(abs(sum - Double(outcome.usedAfter.bytes) / Double(gib)) < 0.2, "\(text)")
    }
}
