import CacheModel
import FileAccess
import Glibc

/// Puts what the journals of a volume's Gradle user homes say into its entries.
///
/// A module version is used when one of its files is: the journal keeps a time for each directory
/// `files-2.1/<group>/<name>/<version>/<sha1>`, so those are listed. Other entries stand in it by their own paths.
package struct GradleUses {
    private let root: OpenDirectory
    private let jobPath: String
    private let volume: String

    /// Looks below a volume's root; `jobPath` is where the jobs see that root.
    package init(root: OpenDirectory, of volume: Volume) {
        self.root = root
        jobPath = volume.jobPath == "/" ? "" : volume.jobPath
        self.volume = volume.name
    }

    /// Adds the recorded uses; says in sentences which journals cannot be used.
    package func add(to entries: inout [ScannedEntry]) -> [String] {
        var notices: [String] = []
        var journals: [[UInt8]: GradleJournal?] = [:]
        for index in entries.indices
        where entries[index].pool == .gradle || entries[index].pool == .gradleOther {
            guard let home = Self.home(of: entries[index]) else { continue }
            if journals[home] == nil { journals.updateValue(journal(of: home, &notices), forKey: home) }
            var uses = (journals[home] ?? nil).flatMap { lastUse(of: entries[index], $0) }.map { [$0] } ?? []
            if let use = lastUseOfBuildCache(entries[index], journals[home] ?? nil) { uses.append(use) }
            guard let use = uses.max() else { continue }
            entries[index].uses = [RecordedUse(at: use, evidence: .gradleJournal)]
        }
        return notices
    }

    private func journal(of home: [UInt8], _ notices: inout [String]) -> GradleJournal? {
        guard let path = VolumePath(bytes: home), let directory = try? root.open(path) else { return nil }
        do {
            return try GradleJournal.read(home: directory)
        } catch {
            let file = path.appending("caches/journal-1/file-access.bin".utf8)
            notices.append("volume \(volume): Gradle's journal \(file) is ignored: \(error)")
            return nil
        }
    }

    private func lastUse(of entry: ScannedEntry, _ journal: GradleJournal) -> Timestamp? {
        guard let path = String(validating: entry.path.bytes, as: UTF8.self) else { return nil }
        let jobsPath = "\(jobPath)/\(path)"
        guard entry.pool == .gradle else { return journal.lastUse(of: jobsPath) }
        guard let names = try? root.open(entry.path).names() else { return nil }
        return names.compactMap { name in
            let bytes = name.dropLast().map(UInt8.init(bitPattern:))
            return String(validating: bytes, as: UTF8.self).flatMap {
                journal.lastUse(of: "\(jobsPath)/\($0)")
            }
        }.max()
    }

    /// When Gradle last stored or found something in a local build cache; nil for any other entry.
    ///
    /// Gradle keeps that in the time of modification of each file there, which it sets anew at each hit
    /// (gradle/gradle `DirectoryBuildCacheService`, `ModificationTimeFileAccessTimeJournal`); in between, from 4.10
    /// on, it kept it in its journal. Its lock and its notes tell nothing: every build opens them.
    private func lastUseOfBuildCache(_ entry: ScannedEntry, _ journal: GradleJournal?) -> Timestamp? {
        guard entry.pool == .gradleOther, entry.path.name.starts(with: "build-cache-".utf8),
            let folder = try? root.open(entry.path), let names = try? folder.names()
        else { return nil }
        let jobsPath = String(validating: entry.path.bytes, as: UTF8.self).map { "\(jobPath)/\($0)" }
        var last: Timestamp?
        for name in names {
            let bytes = name.dropLast().map(UInt8.init(bitPattern:))
            guard bytes.count >= 32, bytes.allSatisfy(Self.isHex),
                let stat = try? folder.stat(name), stat.mode & UInt32(S_IFMT) == UInt32(S_IFREG)
            else { continue }
            last = max(last ?? Timestamp(nanoseconds: 0), Timestamp(nanoseconds: stat.mtime))
            if let journal, let jobsPath,
                let use = journal.lastUse(of: "\(jobsPath)/\(String(decoding: bytes, as: UTF8.self))")
            {
                last = max(last ?? use, use)
            }
        }
        return last
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...102).contains(byte)
    }

    /// The Gradle user home that an entry lies in: the directory that holds its `caches`, `wrapper` or `jdks`.
    private static func home(of entry: ScannedEntry) -> [UInt8]? {
        let parts = entry.path.components
        let depth: Int
        switch entry.pool {
        case .gradle: depth = 6
        default:
            depth = unescaped(entry.key).map { $0.split(separator: UInt8(ascii: "/")).count } ?? parts.count
        }
        guard parts.count >= depth else { return nil }
        return Array(parts.dropLast(depth).joined(separator: [UInt8(ascii: "/")]))
    }
}
