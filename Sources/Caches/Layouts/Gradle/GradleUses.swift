import CacheModel
import FileAccess
import Glibc

/// Puts what the journals of a volume's Gradle caches say into its entries.
///
/// A module version is used when one of its files is: the journal keeps a time for each directory
/// `files-2.1/<group>/<name>/<version>/<sha1>`, so those are listed. Other entries stand in it by their own paths. The
/// paths are absolute, as the jobs see them: where none of a journal's is found below the path that is configured,
/// the usual places of a home are tried, and a warning says so.
package struct GradleUses {
    private let root: OpenDirectory
    private let jobPath: String
    private let volume: String

    /// Where images keep a Gradle user home, for jobs whose mount is not known.
    private static let usualHomes = [
        "/root/.gradle", "/home/gradle/.gradle", "/home/jenkins/.gradle", "/home/runner/.gradle",
        "/home/ubuntu/.gradle", "/cache/.gradle", "/cache", "/gradle", "/opt/gradle", "/tmp/.gradle",
        "/.gradle",
    ]

    /// Looks below a volume's root; `jobPath` is where the jobs see that root.
    package init(root: OpenDirectory, of volume: Volume) {
        self.root = root
        jobPath = volume.jobPath == "/" ? "" : volume.jobPath
        self.volume = volume.name
    }

    /// Adds the recorded uses; says in sentences which journals cannot be used.
    package func add(to entries: inout [ScannedEntry]) -> [String] {
        var warnings: [ScanWarning] = []
        return add(to: &entries, &warnings) + warnings.map { "volume \(volume): \($0.text)" }
    }

    /// As above, with what makes the evidence of this volume less certain apart.
    package func add(to entries: inout [ScannedEntry], _ warnings: inout [ScanWarning]) -> [String] {
        var notices: [String] = []
        var byCaches: [VolumePath: [Int]] = [:]
        for index in entries.indices
        where entries[index].pool == .gradle || entries[index].pool == .gradleOther {
            if let use = lastUseOfBuildCache(entries[index]) {
                entries[index].uses = [RecordedUse(at: use, evidence: .gradleJournal)]
            }
            guard let place = GradleLocks.place(of: entries[index]) else { continue }
            let caches = place.isHome ? place.directory.appending("caches".utf8) : place.directory
            byCaches[caches, default: []].append(index)
        }
        for (caches, places) in byCaches.sorted(by: { $0.key < $1.key }) {
            guard let journal = journal(in: caches, &notices), journal.count > 0 else { continue }
            let paths = places.map { names(of: entries[$0], below: caches) }
            var uses = paths.map { lastUse(of: $0, in: journal, caches: "\(jobPath)/\(caches)") }
            if uses.allSatisfy({ $0 == nil }), paths.contains(where: { !$0.isEmpty }) {
                let found = Self.usualHomes.lazy.map { home in
                    (home: home, uses: paths.map { lastUse(of: $0, in: journal, caches: home + "/caches") })
                }.first { $0.uses.contains { $0 != nil } }
                uses = found?.uses ?? uses
                warnings.append(Self.mismatch(of: caches, seenAs: found?.home))
            }
            for (place, use) in zip(places, uses) {
                guard let use else { continue }
                let known = entries[place].uses.last?.at ?? use
                entries[place].uses = [RecordedUse(at: max(use, known), evidence: .gradleJournal)]
            }
        }
        return notices
    }

    private static func mismatch(of caches: VolumePath, seenAs home: String?) -> ScanWarning {
        let place = caches.bytes.isEmpty ? "the volume's root" : "\(caches)"
        return ScanWarning(
            code: "gradle-journal-path",
            text: "Gradle's journal in \(place) matches no entry by the path that jobs are said to see"
                + (home.map { "; it knows them below \($0), which is used" }
                    ?? ": last uses rest on access times"),
            hint: "set job_path of the volume to where the jobs mount it")
    }

    private func journal(in caches: VolumePath, _ notices: inout [String]) -> GradleJournal? {
        guard let directory = try? root.open(caches) else { return nil }
        do {
            return try GradleJournal.read(caches: directory)
        } catch {
            let file = caches.appending("journal-1/file-access.bin".utf8)
            notices.append("volume \(volume): Gradle's journal \(file) is ignored: \(error)")
            return nil
        }
    }

    /// The paths below `caches` that the journal may know an entry by.
    private func names(of entry: ScannedEntry, below caches: VolumePath) -> [String] {
        let skipped = caches.bytes.isEmpty ? 0 : caches.bytes.count + 1
        // What lies beside `caches` in the home.
        let isBeside = !entry.path.isInside(caches)
        let bytes =
            isBeside ? Array("../".utf8) + Array(entry.key.utf8) : Array(entry.path.bytes.dropFirst(skipped))
        guard let path = String(validating: bytes, as: UTF8.self) else { return [] }
        guard entry.pool == .gradle, !entry.traits.contains(.part) else { return [path] }
        guard let names = try? root.open(entry.path).names() else { return [] }
        return names.compactMap { name in
            String(validating: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self).map {
                "\(path)/\($0)"
            }
        }
    }

    private func lastUse(of names: [String], in journal: GradleJournal, caches: String) -> Timestamp? {
        let caches = caches.hasSuffix("/") ? String(caches.dropLast()) : caches
        return names.compactMap { name in
            guard name.hasPrefix("../") else { return journal.lastUse(of: "\(caches)/\(name)") }
            let home = caches.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
            return journal.lastUse(of: "\(home)/\(name.dropFirst(3))")
        }.max()
    }

    /// When Gradle last stored or found an entry of a local build cache; nil for any other entry.
    ///
    /// Gradle keeps that in the time of modification of each file there, which it sets anew at each hit
    /// (gradle/gradle `DirectoryBuildCacheService`, `ModificationTimeFileAccessTimeJournal`); in between, from 4.10
    /// on, it kept it in its journal.
    private func lastUseOfBuildCache(_ entry: ScannedEntry) -> Timestamp? {
        guard entry.pool == .gradleOther, entry.traits.contains(.file),
            entry.path.parent.name.starts(with: "build-cache-".utf8)
        else { return nil }
        return entry.fetched
    }
}
