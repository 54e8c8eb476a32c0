import CLinux
import FileAccess
import Glibc

/// The build that a file of a SNAPSHOT belongs to.
///
/// `<artifact>-<base>-<yyyyMMdd.HHmmss>-<build number>[-<classifier>].<extension>` (apache/maven,
/// `SnapshotTransformation`).
struct SnapshotBuild: Equatable {
    /// What tells one build from another; the later one is greater.
    struct ID: Hashable, Comparable {
        /// `yyyyMMdd.HHmmss`.
        let time: [UInt8]
        /// The build number.
        let number: Int

        static func < (a: ID, b: ID) -> Bool {
            a.time == b.time ? a.number < b.number : a.time.lexicographicallyPrecedes(b.time)
        }
    }

    /// Which build.
    let id: ID
    /// The name up to and with the build number.
    let stem: [UInt8]
    /// What follows it: classifier and extension.
    let kind: [UInt8]

    /// The build number.
    var number: Int { id.number }

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
        id = ID(time: Array(name[(start + 1)..<(start + 16)]), number: number)
        stem = Array(name[..<digits.endIndex])
        kind = Array(rest)
    }
}

/// The builds in the directory of a SNAPSHOT, and which of them later ones replaced.
///
/// Maven resolves a SNAPSHOT to the build that `maven-metadata-<repository>.xml` names as last, and to the copy
/// `<artifact>-<base>-SNAPSHOT.<extension>`; nothing reads the older ones but who asks for them by their time. A
/// build counts as replaced where each of its artifacts has a newer one of the same classifier and extension, it is
/// not the newest of all, and no metadata name it. Where the metadata cannot be read, none does.
struct SnapshotBuilds {
    private var replaced: Set<SnapshotBuild.ID> = []

    /// Looks at the names in a directory, and into its metadata.
    ///
    /// - Parameter list: gives the names; asked for in a SNAPSHOT's directory only, as most are none.
    init(in directory: OpenDirectory, names list: () -> [[UInt8]]) {
        guard directory.name.suffix(9).elementsEqual("-SNAPSHOT".utf8) else { return }
        let names = list()
        var newest: [[UInt8]: SnapshotBuild.ID] = [:]
        var kinds: [SnapshotBuild.ID: [[UInt8]]] = [:]
        for build in names.lazy.compactMap(SnapshotBuild.init) {
            let isArtifact = build.kind.withUnsafeBufferPointer { FileNames.isArtifact($0) }
            guard isArtifact else { continue }
            kinds[build.id, default: []].append(build.kind)
            newest[build.kind] = max(newest[build.kind] ?? build.id, build.id)
        }
        guard kinds.count > 1, let last = kinds.keys.max() else { return }
        var old = Set(
            kinds.filter { id, kinds in id < last && kinds.allSatisfy { (newest[$0] ?? id) > id } }.keys)
        guard !old.isEmpty else { return }
        for name in names
        where name.starts(with: "maven-metadata".utf8) && name.suffix(4).elementsEqual(".xml".utf8) {
            guard let named = Self.builds(namedBy: name, in: directory) else { return }
            old.subtract(named)
        }
        replaced = old
    }

    /// The build that a file belongs to, where a later one replaced it.
    func replaced(_ name: UnsafeBufferPointer<UInt8>) -> SnapshotBuild? {
        guard !replaced.isEmpty, let build = SnapshotBuild(Array(name)), replaced.contains(build.id) else {
            return nil
        }
        return build
    }

    /// The builds that a metadata file names; nil where it cannot be read without a trace, or is no such file.
    private static func builds(namedBy name: [UInt8], in directory: OpenDirectory) -> Set<SnapshotBuild.ID>? {
        guard let (descriptor, stat) = try? directory.openFile(name.cString, O_RDONLY | larder_o_noatime),
            stat.size <= 1 << 20
        else { return nil }
        defer { close(descriptor) }
        let text = [UInt8](unsafeUninitializedCapacity: Int(stat.size)) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
        guard text.count == Int(stat.size) else { return nil }
        func value(of element: String) -> ArraySlice<UInt8>? {
            let open = Array("<\(element)>".utf8)
            guard let start = text.firstRange(of: open)?.upperBound else { return nil }
            return text[start...].prefix { $0 != UInt8(ascii: "<") }
        }
        var named: Set<SnapshotBuild.ID> = []
        if let time = value(of: "timestamp"), let digits = value(of: "buildNumber"),
            let number = Int(String(decoding: digits, as: UTF8.self))
        {
            named.insert(SnapshotBuild.ID(time: Array(time), number: number))
        }
        // `<value>1.0-20260901.000060-60</value>` of each classifier and extension.
        let value = Array("<value>".utf8)
        var rest = text[...]
        while let open = rest.firstRange(of: value) {
            rest = rest[open.upperBound...]
            let version = Array("-".utf8) + rest.prefix { $0 != UInt8(ascii: "<") } + Array(".".utf8)
            if let build = SnapshotBuild(version) { named.insert(build.id) }
        }
        return named
    }
}
