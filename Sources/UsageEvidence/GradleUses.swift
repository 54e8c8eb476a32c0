import CacheModel
import DirectoryAccess

/// Puts what the journals of a volume's Gradle user homes say into its entries.
///
/// A module version is used when one of its files is: the journal keeps a time for each directory
/// `files-2.1/<group>/<name>/<version>/<sha1>`, so those are listed. Other entries stand in it by their own paths.
public struct GradleUses {
    private let root: OpenDirectory
    private let jobPath: String
    private let volume: String

    /// Looks below a volume's root; `jobPath` is where the jobs see that root.
    public init(root: OpenDirectory, of volume: Volume) {
        self.root = root
        jobPath = volume.jobPath == "/" ? "" : volume.jobPath
        self.volume = volume.name
    }

    /// Adds the recorded uses; says in sentences which journals cannot be used.
    public func add(to entries: inout [ScannedEntry]) -> [String] {
        var notices: [String] = []
        var journals: [[UInt8]: GradleJournal?] = [:]
        for index in entries.indices
        where entries[index].pool == .gradle || entries[index].pool == .gradleOther {
            guard let home = Self.home(of: entries[index]) else { continue }
            if journals[home] == nil { journals.updateValue(journal(of: home, &notices), forKey: home) }
            guard let journal = journals[home] ?? nil, let use = lastUse(of: entries[index], journal) else {
                continue
            }
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
