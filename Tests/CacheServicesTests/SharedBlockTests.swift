import CacheIndex
import CacheModel
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// Copies that share their blocks by reflinks, on a real XFS: what is said to be used and freed is what the disk says.
@Suite(.serialized) struct SharedBlockTests {
    private static let isAble =
        geteuid() == 0 && (try? run("/bin/bash", "-c", "command -v mkfs.xfs").status) == 0
    private static let mib: Int64 = 1 << 20

    private func onXFS(_ body: (BuildVolume, _ disk: () throws -> Int64) async throws -> Void) async throws {
        let host = try TemporaryDirectory()
        try host.shell(
            """
            truncate -s 400M image; mkfs.xfs -q -m reflink=1 image 2>/dev/null; mkdir mnt; mount -o loop image mnt
            """)
        defer { _ = try? host.shell("umount mnt") }
        let directory = try TemporaryDirectory(below: host.path + "/mnt")
        try await body(try BuildVolume(directory)) {
            // What goes is given back a little later.
            let used = try host.shell(
                """
                was=; same=0
                while [ $same -lt 5 ]; do
                  sync -f mnt; now=$(df -B1 --output=used mnt | tail -1)
                  [ "$now" = "$was" ] && same=$((same + 1)) || same=0
                  was=$now; sleep 0.1
                done; echo $now
                """)
            return try #require(Int64(used.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
    }

    /// Scans and prunes to the quota, or, without one, all that may go.
    private func prune(_ bench: BuildVolume, toQuota: Bool = false) async throws -> EvictionOutcome {
        let state = try TemporaryDirectory()
        let index = try CacheIndex.open(stateDirectory: state.path, now: BuildVolume.now())
        let locked = try bench.locked()
        let scan = try ScanService(index: index, clock: BuildVolume.now).run(locked).scan
        let usage = try #require(try index.usage(of: "build"))
        #expect(usage.usedBytes == scan.fileSystemUsed)
        #expect(scan.warnings.contains { $0.code == "shared-blocks" })
        let quota = bench.volume.quota(capacity: usage.capacity)
        let plan =
            toQuota
            ? EvictionPolicy(idleFloor: .hours(24)).plan(usage, under: quota, now: BuildVolume.now())
            : bench.plan(usage)
        return try await Pruner(index: index, limits: nil, idleFloor: .hours(24), clock: BuildVolume.now)
            .prune(
                locked, plan, refused: [], scan: usage.scan, run: "20260101T000000Z-0000", podman: nil,
                purge: true
            ).outcome
    }

    @Test(.enabled(if: isAble, "needs root and mkfs.xfs (xfsprogs)"))
    func whatIsFreedIsWhatTheDiskGotBack() async throws {
        try await onXFS { bench, disk in
            try bench.add("copied", daysAgo: 40, bytes: 40 << 20)
            try bench.add("alone", daysAgo: 40, bytes: 20 << 20)
            // A copy that stays: nobody vouches for it.
            try bench.directory.shell(
                "mkdir other; cp --reflink=always \(bench.path("copied"))/copied-1.jar other/; sync")
            let before = try disk()
            let outcome = try await prune(bench)
            let got = before - (try disk())
            #expect(outcome.evicted.map(\.key).sorted() == ["g:alone:1", "g:copied:1"])
            #expect(got > 19 * Self.mib && got < 22 * Self.mib)
            #expect(abs(outcome.freedBytes.bytes - got) < Self.mib, "\(outcome.freedBytes) and \(got)")
            #expect(abs(outcome.usedBefore.bytes - before) < Self.mib)
            #expect(abs(outcome.usedAfter.bytes - (before - got)) < Self.mib)
        }
    }

    /// Where others hold all that went, the volume is as full as before, and said to be.
    @Test(.enabled(if: isAble, "needs root and mkfs.xfs (xfsprogs)"))
    func whatStaysAboveIsNotCalledDone() async throws {
        try await onXFS { bench, disk in
            var bench = bench
            try bench.add("copied", daysAgo: 40, bytes: 40 << 20)
            try bench.directory.shell(
                "mkdir other; cp --reflink=always \(bench.path("copied"))/copied-1.jar other/; sync")
            let used = try disk()
            bench.volume.high = .size(ByteCount(used - 5 * Self.mib))
            bench.volume.low = .size(ByteCount(used - 35 * Self.mib))
            let outcome = try await prune(bench, toQuota: true)
            #expect(outcome.evicted.map(\.key) == ["g:copied:1"])
            #expect(outcome.overQuota && outcome.freedBytes < ByteCount(Self.mib))
        }
    }
}
