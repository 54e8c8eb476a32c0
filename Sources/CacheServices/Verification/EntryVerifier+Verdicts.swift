import CacheModel
import Caches
import Digests
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
        let isFetched = name.withUnsafeBufferPointer {
            folder.tracking?.isFetched($0) ?? UntrackedDownload(folder.path)?.isFetched($0) ?? false
        }
        var nonsense: String?
        for algorithm in DigestFunction.allCases where isFetched {
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
        guard file.opened.size <= 1 << 20 || file.opened.blocks * 512 >= file.opened.size / 16 else {
            return .unverifiable(
                "most of it is a hole: \(ByteCount(file.opened.size)) that occupy next to nothing")
        }
        guard let found = try reader.digits(of: file, checksum.algorithm) else {
            return .unverifiable("reading it takes longer than a verification may")
        }
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
            let archive = ZipArchive(size: file.opened.size, isTimeOver: reader.limit()) {
                [reader] offset, count in
                try reader.bytes(of: file, at: offset, count)
            }
            do { return try archive.verdict() } catch {
                throw error as? SystemError ?? SystemError(code: EIO)
            }
        }
        // Gradle's build cache keeps archives that are called by their hash alone (GZipBuildCacheEntryPacker).
        var isGzip = [".gz", ".tgz"].contains { name.suffix($0.utf8.count).elementsEqual($0.utf8) }
        if name.count == 32, !name.contains(UInt8(ascii: ".")) {
            isGzip = try reader.bytes(of: file, at: 0, 3).elementsEqual([0x1f, 0x8b, 8])
        }
        if isGzip { return try gzipVerdict(on: file) }
        guard name.suffix(4).elementsEqual(".pom".utf8) else { return nil }
        guard file.opened.size <= 4 << 20 else { return .unverifiable("a pom of more than 4 MiB") }
        return PomText.verdict(on: try reader.bytes(of: file, at: 0, Int(file.opened.size)))
    }

    private func gzipVerdict(on file: NoAtimeFile) throws(SystemError) -> FileVerdict {
        guard file.opened.size > 0 else { return .damaged(.truncated, "it is empty") }
        let isTimeOver = reader.limit()
        let allowance = ContentCheck.Allowance(fileSize: file.opened.size)
        let check = ContentCheck(allowance) { [reader] offset, count in
            isTimeOver() ? nil : try reader.bytes(of: file, at: offset, count)
        }
        do {
            let fault = try check.fault(in: 0..<file.opened.size, .gzip, expected: nil)
            return fault.map { .damaged(.malformed, "its content is damaged: \($0)") } ?? .intact
        } catch is ContentCheck.Unfinished {
            return .unverifiable("reading it takes longer than a verification may")
        } catch is ContentCheck.BeyondAllowance {
            return .unverifiable("it unpacks to more than \(allowance.all), and is looked into no further")
        } catch { throw error as? SystemError ?? SystemError(code: EIO) }
    }
}
