import CLinux
import CacheModel
import Caches
import FileAccess
import Glibc

/// Holds the files of one build entry against what they should be.
///
/// Which files, and against what: of a Maven version, its artifacts against the strongest checksum beside them,
/// else by their own structure; of a Gradle module, all files against the SHA-1 that names their directory; of
/// other Gradle directories, the archives in them by their structure. The rest has nothing to be held against.
struct EntryVerifier {
    /// What is said of one file.
    struct Finding: Equatable {
        enum Result: Equatable {
            case verdict(FileVerdict)
            /// It is being written, or may be.
            case unsettled(String)
            case unreadable(String)
        }

        var path: VolumePath
        var result: Result
    }

    private let root: OpenDirectory
    let reader: PacedReader
    private let now: Timestamp
    private let settledBefore: Timestamp

    /// Looks below a volume's root.
    ///
    /// What was written within `floor` may still be: it is never called damaged.
    init(root: OpenDirectory, reader: PacedReader, now: Timestamp, floor: Span) {
        self.root = root
        self.reader = reader
        self.now = now
        settledBefore = now - max(floor, .minutes(1))
    }

    /// What is said of an entry's files; nil where the entry is gone.
    func findings(of entry: ScannedEntry) -> [Finding]? {
        // Single files, and the builds that later ones replaced: nothing is held against them by themselves.
        guard entry.traits.isDisjoint(with: [.file, .files]) else { return [] }
        if entry.traits.contains(.failedDownload) { return failedDownload(entry) }
        let top: OpenDirectory
        do { top = try root.open(entry.path) } catch {
            return error.isVanished ? nil : [unreadable(entry.path, error)]
        }
        var findings: [Finding] = []
        // Names with the directory they are in, opened one by one: descriptors as few as the tree is deep.
        var stack = [(parent: top, name: [CChar]([46, 0]), path: entry.path, depth: 0)]
        while let (parent, name, path, depth) = stack.popLast() {
            do throws(SystemError) {
                let directory = try parent.open(name)
                let names = try directory.names().sorted { $0.lexicographicallyPrecedes($1) }
                let folder = Folder(directory: directory, path: path, names: names, pool: entry.pool)
                for name in names {
                    guard let stat = try? directory.stat(name) else { continue }
                    let raw = name.dropLast().map(UInt8.init(bitPattern:))
                    if stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) {
                        if CacheLayouts.checksBelow(depth: depth, of: entry) {
                            stack.append((directory, name, path.appending(raw), depth + 1))
                        }
                    } else if let check = CacheLayouts.check(of: raw, atDepth: depth, of: entry),
                        check != .structure || ZipArchive.isArchive(raw),
                        let finding = finding(on: name, raw, check, in: folder)
                    {
                        findings.append(finding)
                    }
                }
            } catch {
                if !error.isVanished { findings.append(unreadable(path, error)) }
            }
        }
        return findings + workspace(entry, in: top)
    }

    /// What remembers a failed download keeps builds failing after the artifact is there.
    private func failedDownload(_ entry: ScannedEntry) -> [Finding]? {
        guard let directory = try? root.open(entry.path), let names = try? directory.names() else {
            return nil
        }
        return names.compactMap { name in
            let raw = name.dropLast().map(UInt8.init(bitPattern:))
            guard raw.withUnsafeBufferPointer({ FileNames.isFailedDownload($0) }) else { return nil }
            return Finding(
                path: entry.path.appending(raw),
                result: .verdict(
                    .damaged(
                        .failedDownload,
                        "Maven remembers a failed download and does not try again for a while")))
        }
    }

    /// A `metadata.bin` begins with the ID of the build that wrote it, 26 characters, behind which come the time that took
    /// and the number of outputs (gradle/gradle `DefaultImmutableWorkspaceMetadataStore`, `UniqueId`).
    private static let leastMetadata: Int64 = 28

    /// A transform or a compiled script without a whole `metadata.bin` fails every build that needs it, "Could not read
    /// workspace metadata" (gradle/gradle#28974); older formats have none.
    private func workspace(_ entry: ScannedEntry, in directory: OpenDirectory) -> [Finding] {
        guard entry.pool == .gradleOther, CacheLayouts.hasWorkspaceMetadata(entry) else { return [] }
        let name = "metadata.bin"
        let size = (try? directory.stat(name.utf8.cString))?.size
        guard size ?? 0 < Self.leastMetadata else { return [] }
        let changed = (try? directory.stat().mtime) ?? .max
        let path = entry.path.appending(Array(name.utf8))
        let detail =
            switch size {
            case nil: "its metadata.bin is missing"
            case 0?: "its metadata.bin is empty"
            case let size?: "its metadata.bin is cut off after \(size) bytes"
            }
        guard !isRecent(changed) else {
            return [Finding(path: path, result: .unsettled("just written: " + detail))]
        }
        return [Finding(path: path, result: .verdict(.damaged(.missingPart, detail)))]
    }

    /// A directory with what is asked of it for each of its files.
    struct Folder {
        let directory: OpenDirectory
        let path: VolumePath
        let names: [[CChar]]
        let tracking: TrackingFile?
        let changedAt: Int64

        init(directory: OpenDirectory, path: VolumePath, names: [[CChar]], pool: Pool) {
            self.directory = directory
            self.path = path
            self.names = names
            tracking = pool == .maven ? try? TrackingFile.read(in: directory).get() : nil
            changedAt = (try? directory.stat().mtime) ?? .max
        }

        func has(_ name: [UInt8]) -> Bool { names.contains(name.cString) }
    }

    private func finding(
        on name: [CChar], _ raw: [UInt8], _ check: FileCheck, in folder: Folder
    ) -> Finding? {
        let path = folder.path.appending(raw)
        do throws(SystemError) {
            guard let file = try NoAtimeFile.open(name, in: folder.directory) else { return nil }
            var newest = max(file.opened.mtime, folder.changedAt)
            let verdict = try verdict(on: file, raw, check, in: folder, &newest)
            guard file.isUnchanged else {
                return Finding(path: path, result: .unsettled("it changed while it was read"))
            }
            if case .damaged(_, let detail) = verdict, isRecent(newest) {
                let age = (now - Timestamp(nanoseconds: newest)).age
                return Finding(
                    path: path,
                    result: .unsettled("written \(age) ago, perhaps not to its end yet: \(detail)"))
            }
            return Finding(path: path, result: .verdict(verdict))
        } catch {
            if error.isVanished { return nil }
            if error.code == EPERM {
                return Finding(
                    path: path,
                    result: .verdict(
                        .unverifiable("another user owns it: reading it would look like a use")))
            }
            return unreadable(path, error)
        }
    }

    /// A time far in the future says nothing of when a file was written.
    private func isRecent(_ time: Int64) -> Bool {
        time > settledBefore.nanoseconds && time < (now + .days(1)).nanoseconds
    }

    private func unreadable(_ path: VolumePath, _ error: SystemError) -> Finding {
        Finding(path: path, result: .unreadable(error.message))
    }
}
