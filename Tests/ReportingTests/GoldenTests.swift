import Reporting
import Testing

/// The texts as people see them, whole.
struct GoldenTests {
    @Test func incompleteScan() {
        let text = """
            Scan incomplete: 7 paths on build could not be read; nothing is pruned there.
            Scanned 1 volume in 75 s: 8.0 KiB, 0 entries; 0 new, 0 used, 0 gone.

            build  /cache
              8.0 KiB on disk (10 B in length), 1 file, 2 directories
              first scan: what it found counts as neither hit nor miss
              pool          size  entries  files  new  used  gone
              unmanaged  8.0 KiB
              not readable: 7 paths
                private/1: Permission denied
                private/2: Permission denied
                private/3: Permission denied
                private/4: Permission denied
                private/5: Permission denied
                … and 2 more (--format json lists them)

            """
        #expect(Samples.incompleteScan.text(color: false, now: now) == text)
    }

    @Test func status() {
        let text = """
            Over quota: images is 3.5 GiB above its high watermark. Run:
            larder prune --volume images

            images  /podman-data/storage
              [███████████████████|███|█▌··] 46.0 GiB of 50.0 GiB (92 %)
              a prune starts above 42.5 GiB and stops at 35.0 GiB
              hit rate: unknown, as the volume gives no evidence of use: mounted noatime
              1 entry; scanned 3 h ago, never pruned

            build  /cache
              [███████████████████|███|····] 16.8 GiB of 20.0 GiB (83 %)
              a prune starts above 17.0 GiB and stops at 14.0 GiB
              hit rate: 30 d 0.0 % (0.0 % of bytes), 7 d 100.0 %, 24 h 93.4 %
              evidence medium: mounted relatime: reads count once a day until armed
              1,290 entries, 1.2 GiB more in the trash; scanned 3 h ago, pruned 2 d ago

            warning noatime: images gives no evidence of use
              Mount it with relatime.

            """
        #expect(Samples.status.text(color: false, now: now) == text)
    }

    /// Weak evidence is told with its volume, and no warning of it follows.
    @Test func theStatusCountsTheWarningsItShows() {
        func first(_ codes: String...) -> String {
            var report = Samples.status
            report.volumes = [report.volumes[0]]
            report.volumes[0].usedBytes = gibibytes(1)
            report.warnings = codes.map { .init(code: $0, text: "text", hint: "hint") }
            return report.text(color: false, now: now).split(separator: "\n").first.map(String.init) ?? ""
        }
        #expect(first("weak-evidence", "weak-evidence") == "build is within its quota.")
        #expect(first("weak-evidence", "old-scan") == "build is within its quota; 1 warning.")
    }

    @Test func planReport() {
        let text = """
            A prune would evict 6 entries, freeing 6.0 GiB.

            build
              [███████████████████|███|▌···] 17.5 GiB of 20.0 GiB (87 %)
              would evict 4 entries, freeing 4.0 GiB: 17.5 GiB → 13.5 GiB (goal 14.0 GiB)

                frees  last use  evidence    key, the least recently used first
              1.0 GiB  79 d ago  atime       org.example:lib-1:1.0
              1.0 GiB  75 d ago  first seen  org.example:lib-2:1.0
              1.0 GiB  70 d ago  atime       org.example:lib-3:1.0
              1.0 GiB  66 d ago  atime       org.example:lib-4:1.0

              kept whatever the quota says:
                 4.0 GiB  1 entry: used or fetched within the idle floor
                 3.0 GiB  1 entry: installed locally, cannot be fetched again

            images
              [███████████████████|███|████] 2.0 GiB of 2.0 GiB (100 %)
              would evict 2 entries, freeing 2.0 GiB: 2.0 GiB → 0 B (goal 1.4 GiB)

                frees  last use  evidence  key, the least recently used first
                  0 B  41 d ago  events    registry.example/app:1
                        goes with registry.example/app:rebuilt, which has the same layers;
                        last used 41 d ago (podman-events)
              2.0 GiB  37 d ago  events    registry.example/app:rebuilt

            Nothing has been evicted. To do it: larder prune

            """
        #expect(Samples.planReport.text(color: false, now: now) == text)
    }

    @Test func stuckReport() {
        let text = """
            Not enough: a prune would evict 8 entries, freeing 8.0 GiB, and build would stay
            above its goal.

            build
              [███████████████████|███|████] 17.5 GiB of 10.0 GiB (175 %)
              would evict 8 entries, freeing 8.0 GiB: 17.5 GiB → 9.5 GiB (goal 7.0 GiB)
              pool gradle is over its quota: 4.0 GiB → 4.0 GiB (goal 1.4 GiB)

                frees  last use  evidence    key, the least recently used first
              1.0 GiB  79 d ago  atime       org.example:lib-1:1.0
              1.0 GiB  75 d ago  first seen  org.example:lib-2:1.0
              1.0 GiB  70 d ago  atime       org.example:lib-3:1.0
              1.0 GiB  66 d ago  atime       org.example:lib-4:1.0
              1.0 GiB  62 d ago  atime       org.example:lib-5:1.0
              1.0 GiB  58 d ago  atime       org.example:lib-6:1.0
              1.0 GiB  54 d ago  atime       org.example:lib-7:1.0
              1.0 GiB  50 d ago  atime       org.example:lib-8:1.0

              The goal of 7.0 GiB cannot be reached: 2.5 GiB too much stays.
              Pool gradle cannot reach its goal of 1.4 GiB: 2.6 GiB too much stays.
              In the way:
                 4.0 GiB  1 entry: used or fetched within the idle floor
                          Enlarge the volume, or lower --idle-floor while no job runs.
                 3.0 GiB  1 entry: installed locally, cannot be fetched again
                          Deploy them to a repository, or remove them by hand.
                 2.5 GiB  unmanaged: belongs to no entry
                          Larder leaves it alone; look with du.

            Nothing has been evicted. To do it: larder prune

            """
        #expect(Samples.stuckReport.text(color: false, now: now) == text)
    }

    @Test func prune() {
        let text = """
            Over quota still: build. 1 entry evicted: 1.0 GiB left the cache; the disk got
            256 MiB back, and gets 768 MiB when the trash is emptied; 1 entry refused.

            build  17.5 GiB → 16.5 GiB
              [███████████████████|███|████] 16.5 GiB of 10.0 GiB (165 %)
              768 MiB in the trash; to bring it back: larder trash restore run-9; to free it
              now: larder trash purge --volume build
              evicted  pool   key
              1.0 GiB  maven  org.example:lib-1:1.0
              refused: 1 entry
                1 entry: used since the plan was made
                    org.example:lib-2:1.0

              The goal of 7.0 GiB cannot be reached: 9.5 GiB too much stays.
              Pool gradle cannot reach its goal of 1.4 GiB: 2.6 GiB too much stays.
              In the way:
                 4.0 GiB  1 entry: used or fetched within the idle floor
                          Enlarge the volume, or lower --idle-floor while no job runs.
                 3.0 GiB  1 entry: installed locally, cannot be fetched again
                          Deploy them to a repository, or remove them by hand.
                 2.5 GiB  unmanaged: belongs to no entry
                          Larder leaves it alone; look with du.
                 1.0 GiB  refused, as said above
                          Prune again later.

            """
        #expect(Samples.prune.text(color: false, now: now) == text)
    }

    @Test func explain() {
        let text = """
            Next to go: org.example:lib-2:1.0
              The next prune evicts it as number 2 of 4, which frees 1.0 GiB: least recently
              used: no use seen, there since 75 d ago (first-seen).

              pool maven on volume build
              repository/org/example/lib-2/1.0
              1.0 GiB in 5 files, 1.0 GiB in length
              no use seen, there since 75 d ago (first-seen), confidence high
              12 uses recorded; fetched 83 d ago, first seen 82 d ago
              went before 87 d ago, evicted by run-3

              trace       at                    what it is
              atime       2026-07-08T14:13:20Z  the newest access time, which shows no use
              first-seen  2026-06-30T16:13:20Z  the scan that found it first
              mtime       2026-06-30T06:13:20Z  the newest time of its directories: a fetch
              confidence low: mounted read-only: access times cannot be armed

              access  at                        when     size  evidence
              miss    2026-06-30T06:13:20Z  83 d ago  1.0 GiB  first-seen
                        regret: a prune had evicted it; downloaded by job 4711

            """
        #expect(Samples.explain.text(color: false, now: now) == text)
    }

    @Test func ingest() {
        let text = """
            Job 4711 downloaded 3 entries, 1.0 GiB.
              1 counted as misses: no scan had seen them
                   size  entry
                1.0 GiB  org.example:lib-2:1.0
              1 seen by a scan, or named by another log: not counted again
              1 never on volume build: not counted
              1,234 lines: 1,200 name no download, 12 name no artifact or a repeated one.
              2 lines could not be read and are not counted; the first is line 17.

            """
        #expect(Samples.ingest.text(color: false, now: now) == text)
        let nothing = """
            The log names no downloads of artifacts, so there is nothing to count.
              Gradle names them with --info only, and none when everything is in the cache.
              10 lines: 10 name no download, 0 name no artifact or a repeated one.

            """
        #expect(Samples.ingestNothing.text(color: false, now: now) == nothing)
    }

    @Test func error() {
        let text = """
            larder: larder.yaml:12: volumes[0].high: 90% is above the limit of 80%
              Set high to at most the limit, and low below it.

            """
        #expect(Samples.error.text(color: false, now: now) == text)
    }
}
