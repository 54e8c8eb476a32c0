import CacheModel
import Digests
import FileAccess
import Glibc

/// Asks whether a Maven is resolving or fetching an artifact at this moment, without taking any lock.
///
/// Maven 3.9 with `aether.syncContext.named.factory=file-lock` locks one byte of a file in `.locks` at the base of
/// the local repository before it looks whether an artifact is there, shared or exclusive, until it has looked or
/// fetched (seen with strace on Maven 3.9.9). The file must stay for others to see the lock, by
/// `aether.named.file-lock.deleteLockFiles=false`. Without these settings there is nothing to ask, and the idle floor
/// and the looks are what protects.
///
/// The base of a split repository lies above the root of its artifacts, so every directory above an entry is asked.
/// A file is called by the mapper (maven-resolver 1.9.25 and 2.0 `NameMappers`):
///
/// | mapper | name |
/// |---|---|
/// | `file-gav` | `artifact~<group>~<artifact>~<version>.lock` |
/// | `file-gaecv` | `artifact~<group>~<artifact>~<extension>[~<classifier>]~<version>.lock` |
/// | `file-hgav`, `file-hgaecv` | the SHA-1 of the same with colons, below 0 to 4 directories of two digits each |
/// | `file-static` | `static` |
///
/// What is hashed cannot be read from the name of a lock, so that the names of all artifacts that lie in an entry are
/// hashed, whatever their extensions and classifiers, and those that are common: they may be fetched just now.
///
/// The group of a name is not compared: it rests on where a repository begins, and a lock held on another artifact
/// of that name and version only keeps an entry for one run.
enum MavenLocks {
    /// Why an entry stays.
    static let reason = "a Maven is resolving it"

    private static let folder = Array(".locks".utf8)

    /// Whether a lock of an entry is held, below the volume's root; what cannot be asked counts as held.
    static func isHeld(on entry: ScannedEntry, below root: OpenDirectory) -> Bool {
        guard entry.pool == .maven else { return false }
        // The files of a build lie in the directory of its version, which is what a lock is called by.
        let version = entry.traits.contains(.files) ? entry.path.parent : entry.path
        var base = version.parent
        while !base.bytes.isEmpty {
            base = base.parent
            do throws(SystemError) {
                if try isHeld(on: entry, of: version, in: try root.open(base.appending(folder)), root) {
                    return true
                }
            } catch {
                if error.code != ENOENT { return true }
            }
        }
        return false
    }

    private static func isHeld(
        on entry: ScannedEntry, of version: VolumePath, in locks: OpenDirectory, _ root: OpenDirectory
    ) throws(SystemError) -> Bool {
        let dash = UInt8(ascii: "~")
        let artifact = version.parent.name
        let end = version.name + Array(".lock".utf8)
        var hasHashes = false
        for name in try locks.names() {
            let bytes = name.dropLast().map(UInt8.init(bitPattern:))
            let fields = bytes.split(separator: dash, omittingEmptySubsequences: false)
            if fields.count >= 4, fields[0].elementsEqual("artifact".utf8) {
                guard fields[2].elementsEqual(artifact), fields[fields.count - 1].elementsEqual(end) else {
                    continue
                }
                if try isLocked(name, in: locks) { return true }
            } else if bytes.elementsEqual("static".utf8) || bytes.elementsEqual("static.lock".utf8) {
                if try isLocked(name, in: locks) { return true }
            } else if bytes.count == 2 || bytes.count == 40 {
                hasHashes = true
            }
        }
        guard hasHashes else { return false }
        for name in hashedNames(of: entry, version, below: root) {
            for depth in 0...4 {
                let path = (0..<depth).map { name.dropFirst($0 * 2).prefix(2) } + [name[...]]
                guard let path = VolumePath(path.joined(separator: "/")) else { continue }
                do throws(SystemError) {
                    let parent = path.parent.bytes.isEmpty ? locks : try locks.open(path.parent)
                    if try isLocked(path.name.cString, in: parent) { return true }
                } catch {
                    guard [ENOENT, ENOTDIR].contains(error.code) else { throw error }
                }
            }
        }
        return false
    }

    private static func isLocked(_ name: [CChar], in locks: OpenDirectory) throws(SystemError) -> Bool {
        do { return try locks.isLocked(name, .any) } catch {
            if error.code == ENOENT || error.code == EINVAL { return false }
            throw error
        }
    }

    /// The SHA-1 of what the mappers without files call the entry: its coordinates, and those with the extensions and
    /// classifiers that its files have or that are common.
    private static func hashedNames(
        of entry: ScannedEntry, _ version: VolumePath, below root: OpenDirectory
    ) -> [String] {
        let key = entry.key.split(separator: ":", omittingEmptySubsequences: false)
        guard key.count == 3, let base = String(validating: version.name, as: UTF8.self) else { return [] }
        let module = "artifact:\(key[0]):\(key[1])"
        var kinds: Set = [
            "jar", "pom", "war", "ear", "aar", "zip", "jar:sources", "jar:javadoc", "jar:tests",
        ]
        for file in (try? root.open(version).names()) ?? [] {
            kinds.formUnion(Self.kinds(of: file.dropLast().map(UInt8.init(bitPattern:)), in: version))
        }
        let names = ["\(module):\(base)"] + kinds.map { "\(module):\($0):\(base)" }
        return names.map { DigestFunction.sha1.hex(of: $0.utf8) }
    }

    /// What a file in a version's directory may be by the name of its lock: `extension` or `extension:classifier`.
    ///
    /// `<artifact>-<version>[-<classifier>].<extension>`, and more behind it for a checksum or a download. Either part
    /// may have dots of its own (`linux.x86`, `tar.gz`), so that each way to part them counts.
    static func kinds(of file: [UInt8], in version: VolumePath) -> [String] {
        let dash = UInt8(ascii: "-")
        let stem = version.parent.name + [dash] + version.name
        var rest = file[...]
        if let build = SnapshotBuild(file), version.name.suffix(9).elementsEqual("-SNAPSHOT".utf8) {
            rest = build.kind[...]
        } else {
            guard file.starts(with: stem) else { return [] }
            rest = file.dropFirst(stem.count)
        }
        let dots = rest.indices.filter { rest[$0] == UInt8(ascii: ".") }
        guard dots.count <= 12, let first = rest.first else { return [] }
        let starts = first == dash ? dots[...] : dots.prefix(first == UInt8(ascii: ".") ? 1 : 0)
        return starts.flatMap { start -> [String] in
            let classifier = first == dash ? rest[(rest.startIndex + 1)..<start] : []
            return (dots.filter { $0 > start } + [rest.endIndex]).compactMap { end in
                guard let ending = String(validating: rest[(start + 1)..<end], as: UTF8.self),
                    let classifier = String(validating: classifier, as: UTF8.self)
                else { return nil }
                return classifier.isEmpty ? ending : "\(ending):\(classifier)"
            }
        }
    }
}
