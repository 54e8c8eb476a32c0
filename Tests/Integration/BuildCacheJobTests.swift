import Foundation
import TestSupport
import Testing

/// The main job on a copy of a real cache, which Maven and Gradle filled.
@Suite(.enabled(if: Testbed.shared != nil, "\(Testbed.absence)"))
struct BuildCacheJobTests {
    /// A copy of the real cache with all its times, so that tests do not disturb each other.
    ///
    /// Only of its own directories: beside them other tests keep caches that their builds are writing just now.
    private func copy() throws -> (Testbed, TemporaryDirectory) {
        let testbed = try #require(Testbed.shared)
        let directory = try TemporaryDirectory()
        // Reading the original for the copy is a use too: the copy's times come from before it.
        try directory.shell(
            "mkdir cache; cd '\(try testbed.setting("CACHE"))'; cp -a .m2 caches '\(directory.path)/cache/'")
        return (testbed, directory)
    }

    /// The directories that a naive reference finds, least recently used first: `find` for the times, a plain
    /// sort, no code of Larder's.
    private func leastRecentlyUsed(_ cache: String) throws -> [String] {
        let script = """
            import os, sys
            root = sys.argv[1]
            skip = ('.sha1', '.md5', '.sha256', '.sha512', '.asc')
            entries = {}
            for top, dirs, files in os.walk(root):
                rel = os.path.relpath(top, root).split('/')
                if rel[0] == '.larder': continue
                own = os.lstat(top)
                if '_remote.repositories' in files:
                    key = top
                elif 'files-2.1' in rel and len(rel) >= rel.index('files-2.1') + 4:
                    key = os.path.join(root, *rel[:rel.index('files-2.1') + 4])
                else: continue
                e = entries.setdefault(key, [0, 0])
                e[0] = max(e[0], own.st_mtime_ns)
                e[1] += own.st_blocks
                for f in files:
                    s = os.lstat(os.path.join(top, f)); e[1] += s.st_blocks
                    e[0] = max(e[0], s.st_atime_ns)
            def key(path):
                rel = os.path.relpath(path, root).split('/')
                if 'files-2.1' in rel: return ':'.join(rel[-3:])
                return ':'.join(['.'.join(rel[rel.index('repository') + 1:-2]), *rel[-2:]])
            # Builds read many files within one tick of the clock: ties go by size, then by key, then by path.
            for path, (used, blocks) in sorted(
                    entries.items(), key=lambda x: (x[1][0], -x[1][1], key(x[0]), x[0])):
                print(os.path.relpath(path, root))
            """
        return try run("/usr/bin/python3", "-c", script, cache).checked().output.split(separator: "\n")
            .map(String.init)
    }

    @Test func scanAgreesWithDuAndFind() throws {
        let (_, directory) = try copy()
        let larder = Program(cache: directory.path + "/cache")
        let scan = try larder.json("scan").volume("build")
        let du = try directory.shell("du -s -B1 cache | cut -f1")
        let files = try directory.shell("find cache ! -type d -printf '%i\\n' | sort -u | wc -l")
        let gavs = try directory.shell("find cache/.m2 -name _remote.repositories | wc -l")
        #expect("\(scan["bytes"].integer ?? 0)\n" == du)
        #expect("\(scan["files"].integer ?? 0)\n" == files)
        let maven = try #require(scan["pools"].array.first { $0["name"].string == "maven" })
        #expect("\(maven["entries"].integer ?? 0)\n" == gavs)
        #expect(scan["complete"].bool == true)
    }

    @Test func theLeastRecentlyUsedGoAndABuildStillPasses() throws {
        let (testbed, directory) = try copy()
        let cache = directory.path + "/cache"
        let larder = Program(cache: cache)
        let used = try #require(
            try larder.json("scan").volume("build")["used_bytes"].integer
                ?? larder.json("status").volume("build")["used_bytes"].integer)
        let reference = try leastRecentlyUsed(cache)
        let to = "\(used * 6 / 10)"
        let plan = try larder.json("plan", "--to", to, "--idle-floor", "0s").volume("build")
        let planned = plan["evict"].array.filter { $0["pool"].string != "gradle-other" }.compactMap {
            $0["path"].string
        }
        #expect(!planned.isEmpty)
        let protected = Set(try kept(larder))
        #expect(planned == Array(reference.filter { !protected.contains($0) }.prefix(planned.count)))
        let run = try larder.json("prune", "--to", to, "--idle-floor", "0s")
        let build = run.volume("build")
        #expect(build["evicted"].array.count == plan["evict"].array.count)
        #expect(build["refused"].array.isEmpty)
        for path in planned { #expect(!directory.exists("cache/" + path), "\(path)") }
        for path in reference where !planned.contains(path) {
            #expect(directory.exists("cache/" + path), "\(path)")
        }
        let live = try #require(
            Int64(try directory.shell("du -s -B1 --exclude='.larder/trash/*' cache | cut -f1").dropLast()))
        let usedAfter = try #require(build["used_bytes_after"].integer)
        #expect(live == usedAfter)
        // The build works on the pruned cache, and offline on the restored one.
        try directory.shell("chown -R 1001 cache; chmod 755 .")
        try testbed.run("maven", "alpha", "--repo", cache + "/.m2/repository").checked()
        #expect(try larder("trash", "restore", try #require(run["run"].string)).status == 4)
        try testbed.run("maven", "beta", "--offline", "--repo", cache + "/.m2/repository").checked()
    }

    private func kept(_ larder: Program) throws -> [String] {
        try larder.json("list").self["entries"].array
            .filter { ($0["protected"].string ?? "idle-floor") != "idle-floor" }.compactMap {
                $0["path"].string
            }
    }

    @Test func whatWasInstalledLocallyStaysWhateverTheTarget() throws {
        let (_, directory) = try copy()
        let larder = Program(cache: directory.path + "/cache")
        try larder("scan").checked()
        let run = try larder.json("prune", "--to", "500k", "--idle-floor", "0s", "--force-limit", status: 3)
        #expect(run.volume("build")["over_quota"].bool == true)
        #expect(directory.exists("cache/.m2/repository/com/example/local/common/1.0/common-1.0.jar"))
        let text = try larder("prune", "--to", "500k", "--idle-floor", "0s", "--force-limit").output
        #expect(text.contains("installed locally, cannot be fetched again"))
    }

    @Test func aPlanFileIsCarriedOutAndNothingElse() throws {
        let (_, directory) = try copy()
        let larder = Program(cache: directory.path + "/cache")
        try larder("scan").checked()
        let file = directory.path + "/plan.json"
        _ = try larder.json("plan", "--to", "15Mi", "--idle-floor", "0s", "--output", file)
        let planned = try JSON(try String(contentsOfFile: file, encoding: .utf8)).volume("build")["evict"]
            .array
        let first = try #require(planned.first { $0["pool"].string == "maven" }?["path"].string)
        // A job uses the first entry of the plan.
        try directory.shell("touch -a -d '1 minute' $(find 'cache/\(first)' -name '*.pom' | head -1)")
        let result = try larder("prune", "--plan", file, "--idle-floor", "0s", "--format", "json")
        // Done in part, or, where the one that stays is large, above the goal of the plan.
        #expect([3, 4].contains(result.status))
        let run = try JSON(result.output).volume("build")
        #expect(
            run["refused"].array.compactMap { $0["reason"].string } == ["it was used since the plan was made"]
        )
        #expect(run["evicted"].array.count == planned.count - 1)
        #expect(directory.exists("cache/" + first))
    }

    @Test func aDryRunTouchesNothing() throws {
        let (_, directory) = try copy()
        let larder = Program(cache: directory.path + "/cache")
        try larder("scan").checked()
        let before = try directory.shell(
            "find cache -path cache/.larder -prune -o -printf '%p %i %s %T@\\n' | sort")
        let run = try larder.json("prune", "--dry-run", "--to", "10Mi", "--idle-floor", "0s", "--force-limit")
        #expect(run["dry_run"].bool == true)
        #expect(!run.volume("build")["evicted"].array.isEmpty)
        let after = try directory.shell(
            "find cache -path cache/.larder -prune -o -printf '%p %i %s %T@\\n' | sort")
        #expect(before == after)
    }
}
