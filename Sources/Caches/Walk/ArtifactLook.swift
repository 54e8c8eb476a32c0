import CLinux
import CacheModel
import FileAccess
import Glibc

/// Looks into entries of a build cache for what takes space without need.
///
/// A scan records sums by entry, and no hashes. Both caches keep SHA-1 sums beside their files, so equal content
/// is found without reading it: Gradle names the directory of each file by its hash
/// (`files-2.1/<group>/<name>/<version>/<sha1>/<file>`, leading zeros stripped: gradle/gradle,
/// `GroupedAndNamedUniqueFileStore`), Maven keeps `<file>.sha1`. The cost is one listing for each directory of a
/// version that both hold, and one small read for each file of it: about 30 µs a version when cached, so at most
/// `most` are looked at, the largest first.
///
/// Reads move no access time, which is evidence of use.
package struct ArtifactLook: Sendable {
    private let root: OpenDirectory
    private let most: Int

    /// Opens a volume's root, nil where that fails; at most so many versions of each kind are looked at.
    package init?(path: String, most: Int = 1000) {
        guard let root = try? OpenDirectory.open(root: path) else { return nil }
        self.root = root
        self.most = most
    }

    /// Looks at the versions that both caches hold, and at Maven's SNAPSHOTs.
    package func findings(in entries: [CacheEntry]) -> ArtifactFindings {
        var findings = ArtifactFindings()
        // Places, not entries: a hundred thousand of them would be copied.
        var maven: [String: Int] = [:]
        let gradle = entries.indices.filter { entries[$0].pool == .gradle }
        if !gradle.isEmpty {
            for place in entries.indices where entries[place].pool == .maven {
                maven[entries[place].key] = place
            }
        }
        let pairs = gradle.compactMap { place in maven[entries[place].key].map { (maven: $0, gradle: place) }
        }
        .sorted { entries[$0.maven].bytes > entries[$1.maven].bytes }
        for pair in pairs.prefix(most) {
            guard let bytes = commonBytes(entries[pair.maven].found.path, entries[pair.gradle].found.path)
            else {
                findings.passedOver += 1
                continue
            }
            if bytes > .zero {
                findings.duplicates.append(
                    .init(maven: entries[pair.maven].id, gradle: entries[pair.gradle].id, bytes: bytes))
            }
        }
        let snapshots = entries.indices
            .filter { entries[$0].pool == .maven && entries[$0].key.hasSuffix("-SNAPSHOT") }
            .sorted { entries[$0].bytes > entries[$1].bytes }
        for place in snapshots.prefix(most) {
            guard let old = oldBuilds(entries[place].found.path) else {
                findings.passedOver += 1
                continue
            }
            if old.files > 0 {
                findings.oldBuilds.append(
                    .init(entry: entries[place].id, files: old.files, bytes: old.bytes))
            }
        }
        findings.passedOver += Int64(max(0, pairs.count - most) + max(0, snapshots.count - most))
        findings.duplicates.sort { $0.bytes > $1.bytes }
        findings.oldBuilds.sort { $0.bytes > $1.bytes }
        return findings
    }

    /// What the files of one version occupy that are the same in both caches; nil where they cannot be read.
    private func commonBytes(_ maven: VolumePath, _ gradle: VolumePath) -> ByteCount? {
        guard let here = try? root.open(maven), let there = try? root.open(gradle),
            let hashes = try? there.names()
        else { return nil }
        var bytes: Int64 = 0
        for hash in hashes {
            guard let sum = ArtifactHash(hexadecimal: hash.dropLast().map(UInt8.init(bitPattern:))),
                let files = try? there.open(hash).names()
            else { continue }
            for file in files where checksum(of: file, in: here) == sum {
                if let stat = try? here.stat(file) { bytes.addPinned(stat.blocks * 512) }
            }
        }
        return ByteCount(bytes)
    }

    /// The SHA-1 that Maven keeps beside a file; nil where there is none, or another user owns it.
    private func checksum(of file: [CChar], in directory: OpenDirectory) -> ArtifactHash? {
        var name = file
        name.removeLast()
        name += ".sha1".utf8.cString
        guard let descriptor = try? directory.openFile(name, O_RDONLY | larder_o_noatime).descriptor else {
            return nil
        }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        // Some repositories write the file's name behind the sum.
        let sum = buffer.prefix(max(0, count)).prefix { $0 > 32 }
        return sum.count == 40 ? ArtifactHash(hexadecimal: Array(sum)) : nil
    }

    /// The files of builds of a SNAPSHOT that a later one of the same classifier and extension replaced.
    ///
    /// `<artifact>-<base>-<yyyyMMdd.HHmmss>-<build number>[-<classifier>].<extension>` (apache/maven,
    /// `SnapshotTransformation`); `.sha1` files count with theirs.
    private func oldBuilds(_ path: VolumePath) -> (files: Int64, bytes: ByteCount)? {
        guard let directory = try? root.open(path), let names = try? directory.names() else { return nil }
        var newest: [[UInt8]: Int] = [:]
        var builds: [(name: [CChar], number: Int, kind: [UInt8])] = []
        for name in names {
            guard let build = SnapshotBuild(name.dropLast().map(UInt8.init(bitPattern:))) else { continue }
            builds.append((name, build.number, build.kind))
            newest[build.kind] = max(newest[build.kind] ?? 0, build.number)
        }
        let old = builds.filter { $0.number < newest[$0.kind] ?? 0 }
        let bytes = old.reduce(Int64(0)) { sum, build in
            sum.addingPinned(((try? directory.stat(build.name))?.blocks ?? 0) * 512)
        }
        return (Int64(old.count), ByteCount(bytes))
    }
}

/// A SHA-1 sum.
struct ArtifactHash: Hashable {
    private let digits: [UInt8]

    /// Reads at most 40 hexadecimal digits, in either case; missing ones are leading zeros.
    init?(hexadecimal text: [UInt8]) {
        guard (1...40).contains(text.count) else { return nil }
        let digits = text.map { $0 >= 65 && $0 <= 70 ? $0 + 32 : $0 }
        guard digits.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else { return nil }
        self.digits = [UInt8](repeating: 48, count: 40 - digits.count) + digits
    }
}

/// The build that a file of a SNAPSHOT belongs to.
struct SnapshotBuild: Equatable {
    /// The build number.
    let number: Int
    /// What follows it: classifier and extension.
    let kind: [UInt8]

    /// Reads a file's name; nil where it names no build.
    init?(_ name: [UInt8]) {
        func areDigits(_ range: Range<Int>) -> Bool { name[range].allSatisfy { (48...57).contains($0) } }
        // `-yyyyMMdd.HHmmss-` takes 17 bytes, and something follows.
        let dashes = name.indices.filter { name[$0] == 45 && $0 + 18 < name.count }
        let start = dashes.first {
            areDigits($0 + 1..<$0 + 9) && name[$0 + 9] == 46 && areDigits($0 + 10..<$0 + 16)
                && name[$0 + 16] == 45
        }
        guard let start else { return nil }
        let digits = name[(start + 17)...].prefix { (48...57).contains($0) }
        let rest = name[digits.endIndex...]
        guard digits.count < 10, rest.first == 45 || rest.first == 46,
            let number = Int(String(decoding: digits, as: UTF8.self))
        else { return nil }
        self.number = number
        kind = Array(rest)
    }
}
