import CacheModel
import Caches
import FileAccess
import Glibc

extension EntryVerifier {
    func verdict(
        on file: NoAtimeFile, _ name: [UInt8], _ check: FileCheck, in folder: Folder, _ newest: inout Int64
    ) throws(SystemError) -> FileVerdict {
        switch check {
        case .checksumOfDirectory:
            guard let checksum = Checksum(gradleDirectory: folder.path.name) else {
                return .unverifiable("the directory it is in is not named by a SHA-1")
            }
            return try compare(file, name, with: checksum, from: "as its directory says")
        case .checksumBeside: return try mavenVerdict(on: file, name, in: folder, &newest)
        case .structure:
            return try structure(of: file, name) ?? .unverifiable("it has no checksum")
        }
    }

    private func mavenVerdict(
        on file: NoAtimeFile, _ name: [UInt8], in folder: Folder, _ newest: inout Int64
    ) throws(SystemError) -> FileVerdict {
        // `mvn install` over a fetched version leaves the checksum of what was fetched.
        let isFetched = name.withUnsafeBufferPointer { folder.tracking?.isFetched($0) ?? false }
        var nonsense: String?
        for algorithm in Checksum.Algorithm.allCases where isFetched {
            let beside = name + Array(".\(algorithm.rawValue)".utf8)
            guard folder.has(beside),
                let source = try NoAtimeFile.open(beside.cString, in: folder.directory)
            else { continue }
            let text = try reader.bytes(of: source, at: 0, 4096)
            guard let checksum = Checksum(text, algorithm: algorithm) else {
                nonsense = nonsense ?? "the .\(algorithm.rawValue) file beside it holds no checksum"
                continue
            }
            newest = max(newest, source.opened.mtime)
            return try compare(file, name, with: checksum, from: "as its .\(algorithm.rawValue) says")
        }
        let structure = try structure(of: file, name)
        if case .damaged? = structure { return structure ?? .intact }
        if let nonsense { return .unverifiable(nonsense) }
        return structure
            ?? .unverifiable(
                isFetched ? "there is no checksum beside it" : "installed locally: nobody has its checksum")
    }

    /// Holds a file against its checksum; where it does not stand, its structure says what is wrong.
    private func compare(
        _ file: NoAtimeFile, _ name: [UInt8], with checksum: Checksum, from source: String
    ) throws(SystemError) -> FileVerdict {
        let found = try reader.digits(of: file, checksum.algorithm)
        if found == checksum.digits { return .intact }
        if case .damaged(.truncated, let detail)? = try structure(of: file, name) {
            return .damaged(.truncated, detail)
        }
        if file.opened.size == 0 { return .damaged(.truncated, "it is empty") }
        return .damaged(
            .checksumMismatch,
            "its \(checksum.algorithm.name) is \(found.prefix(12))…, not \(checksum.digits.prefix(12))… \(source)"
        )
    }

    /// What a file's own format says; nil for formats that are not known.
    private func structure(of file: NoAtimeFile, _ name: [UInt8]) throws(SystemError) -> FileVerdict? {
        if ZipArchive.isArchive(name) {
            let archive = ZipArchive(size: file.opened.size) { [reader] offset, count in
                try reader.bytes(of: file, at: offset, count)
            }
            do { return try archive.verdict() } catch {
                throw error as? SystemError ?? SystemError(code: EIO)
            }
        }
        guard name.suffix(4).elementsEqual(".pom".utf8) else { return nil }
        guard file.opened.size <= 16 << 20 else { return .unverifiable("a pom of more than 16 MiB") }
        return PomText.verdict(on: try reader.bytes(of: file, at: 0, Int(file.opened.size)))
    }
}
