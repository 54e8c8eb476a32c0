import CacheModel
import Digests
import FileAccess
import Foundation
import TestSupport

@testable import CacheServices
@testable import Caches

// What jobs write besides the caches' own records: logs, archives, checksums, the names of files.
extension Parser {
    static let ofJobs: [Parser] =
        JobLogKind.allCases.map { kind in
            Parser(name: kind.rawValue, share: 0.1) { bytes, scratch in try jobLog(bytes, kind, scratch) }
        } + [
            Parser(name: "event-file", share: 0.05, check: eventFile),
            Parser(name: "zip", share: 0.2) { bytes, _ in try zip(bytes) },
            Parser(name: "gzip", share: 0.2) { bytes, _ in try gzip(bytes) },
            Parser(name: "pom-text", share: 0.3) { bytes, _ in verdict(PomText.verdict(on: bytes)) },
            Parser(name: "checksum", share: 0.2) { bytes, _ in checksum(bytes) },
            Parser(name: "maven-metadata", share: 0.1, check: mavenMetadata),
            Parser(name: "names", share: 0.2) { bytes, _ in names(bytes) },
            Parser(name: "manifest", share: 0.1, check: manifest),
        ]

    private static func file(_ bytes: [UInt8], _ path: String) throws -> Int32 {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return open(path, O_RDONLY | O_CLOEXEC)
    }

    private static func jobLog(
        _ bytes: [UInt8], _ kind: JobLogKind, _ scratch: TemporaryDirectory
    ) throws -> [String] {
        let endedAt = Timestamp(seconds: 1_800_000_000)
        func read(_ bytes: [UInt8]) throws -> JobLog.Reading {
            let log = try file(bytes, scratch.path + "/job.log")
            defer { close(log) }
            return try JobLog(kind).read(log, job: nil, endedAt: endedAt)
        }
        do {
            let reading = try read(bytes)
            var wrong = reading.skipped < 0 ? ["\(reading.skipped) lines tell nothing"] : []
            for made in reading.downloads {
                if made.earliest > made.latest || made.latest > endedAt {
                    wrong.append("\(made.file): from \(made.earliest) to \(made.latest)")
                }
                if made.bytes < .zero { wrong.append("\(made.file) has \(made.bytes.bytes) bytes") }
                if ([made.file] + made.directory).contains(where: { $0 == ".." || $0.contains("/") }) {
                    wrong.append("\(made.directory) / \(made.file) leads elsewhere")
                }
            }
            // A log that grew tells of the same downloads first. Pieces of one line and what writes over itself are not
            // read line by line.
            let plus = UInt8(ascii: "+")
            guard !bytes.contains(13), !bytes.contains(plus),
                let end = bytes[..<(bytes.count / 2)].lastIndex(of: 10)
            else { return wrong }
            let before = try read(Array(bytes[...end])).downloads.map(\.id)
            return before == reading.downloads.prefix(before.count).map(\.id)
                ? wrong : wrong + ["a log that grew tells of other downloads"]
        } catch { return judge(error, JobLogError.self) }
    }

    private static func eventFile(_ bytes: [UInt8], _ scratch: TemporaryDirectory) throws -> [String] {
        close(try file(bytes, scratch.path + "/events.log"))
        let folder = try OpenDirectory.open(root: scratch.path)
        let log = try PodmanEventFile("events.log".utf8.cString, in: folder)
        var given: [UInt8] = []
        let end = log.lines(from: 0) { line, start in
            if start == Int64(given.count), let line { given += line }
        }
        let whole = bytes.lastIndex(of: 10).map { $0 + 1 } ?? 0
        var wrong =
            end == Int64(whole) && given.elementsEqual(bytes[..<whole])
            ? [] : ["\(given.count) bytes of lines up to \(end), not \(whole)"]
        let logs = PodmanEventLogs(directory: scratch.path)
        let first = logs.read(after: [])
        let again = logs.read(after: first.cursors)
        if !again.events.isEmpty { wrong.append("\(again.events.count) events are new the second time") }
        wrong += (first.notices + again.notices).filter { hasControl($0) }
        // Cursors are read back from the index.
        _ = logs.read(after: bytes)
        return wrong
    }

    private static func verdict(_ verdict: FileVerdict?) -> [String] {
        switch verdict {
        case .damaged(_, let text)?, .unverifiable(let text)?:
            hasControl(text) ? ["raw control characters in a verdict: \(text)"] : []
        case .intact?, nil: []
        }
    }

    /// So many reads are as many as the time of a verification allows.
    private static func timed(
        _ bytes: [UInt8]
    ) -> (isOver: () -> Bool, read: (Int64, Int) -> [UInt8]?, wrong: () -> [String]) {
        var left = 2000
        var wrong: [String] = []
        return (
            { left <= 0 },
            { offset, count in
                left -= 1
                guard (0...Int64(bytes.count)).contains(offset), count >= 0 else {
                    wrong = ["\(count) bytes are asked for at \(offset) of \(bytes.count)"]
                    return []
                }
                return left <= 0 ? nil : Array(bytes[Int(offset)...].prefix(count))
            },
            { wrong }
        )
    }

    private static func zip(_ bytes: [UInt8]) throws -> [String] {
        let source = timed(bytes)
        let archive = ZipArchive(size: Int64(bytes.count), isTimeOver: source.isOver) {
            source.read($0, $1) ?? []
        }
        return verdict(try archive.verdict()) + source.wrong()
    }

    private static func gzip(_ bytes: [UInt8]) throws -> [String] {
        let source = timed(bytes)
        let check = ContentCheck(.init(fileSize: Int64(bytes.count))) { source.read($0, $1) }
        do {
            let fault = try check.fault(in: 0..<Int64(bytes.count), .gzip, expected: nil)
            return verdict(fault.map { .unverifiable($0) }) + source.wrong()
        } catch is ContentCheck.Unfinished { return source.wrong() }
    }

    private static func checksum(_ bytes: [UInt8]) -> [String] {
        let sums = DigestFunction.allCases.compactMap { Checksum(bytes, algorithm: $0) }
        let wrong = (sums + [Checksum(gradleDirectory: bytes)].compactMap { $0 }).filter {
            $0.digits.utf8.count != 2 * $0.algorithm.byteCount
        }
        return wrong.map { "a checksum of \($0.digits.utf8.count) digits: \(escaped($0.digits.utf8))" }
    }

    /// Metadata can keep a build, and never have another one removed.
    private static func mavenMetadata(_ bytes: [UInt8], _ scratch: TemporaryDirectory) throws -> [String] {
        let path = scratch.path + "/1.0-SNAPSHOT"
        mkdir(path, 0o700)
        let names = (1...3).map { "lib-1.0-2026090\($0).120000-\($0).jar" }
        for name in names { close(try file([1], "\(path)/\(name)")) }
        close(try file(bytes, path + "/maven-metadata-central.xml"))
        let folder = try OpenDirectory.open(root: scratch.path).open("1.0-SNAPSHOT".utf8.cString)
        let all = (names + ["maven-metadata-central.xml"]).map { Array($0.utf8) }
        let builds = SnapshotBuilds(in: folder) { all }
        let replaced = all.filter { name in
            name.withUnsafeBufferPointer { builds.replaced($0) } != nil
        }
        return replaced.allSatisfy { all[..<2].contains($0) }
            ? [] : ["\(replaced.map { escaped($0) }) count as replaced"]
    }

    /// Jobs call their files whatever they like.
    private static func names(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: 0).flatMap { name -> [String] in
            let name = Array(name)
            var wrong: [String] = []
            name.withUnsafeBufferPointer { raw in
                if FileNames.isArtifact(raw), FileNames.isInFlight(raw) || FileNames.isChecksum(raw) {
                    wrong.append("\(escaped(name)) is an artifact and is none")
                }
                _ = FileNames.isBuildCacheEntry(raw)
                _ = FileNames.isMark(raw)
            }
            if let build = SnapshotBuild(name), build.stem + build.kind != name {
                wrong.append(
                    "\(escaped(name)) has the parts \(escaped(build.stem)) and \(escaped(build.kind))")
            }
            _ = ZipArchive.isArchive(name)
            if let project = JobPod.project(in: name),
                project.utf8.contains(where: { !(48...57).contains($0) })
            {
                wrong.append("\(escaped(name)) is of project \(project)")
            }
            guard let path = VolumePath(bytes: name) else { return wrong }
            if path.components.contains(where: { $0.isEmpty || $0.elementsEqual("..".utf8) }) {
                wrong.append("\(escaped(name)) is a path on a volume")
            }
            _ = UntrackedDownload(path)
            _ = MavenLocks.kinds(of: Array(path.name), in: path.parent)
            return wrong
        }
    }

    /// The manifest of a list and the mounts of a container, as the store keeps them beside its records.
    private static func manifest(_ bytes: [UInt8], _ scratch: TemporaryDirectory) throws -> [String] {
        let root = scratch.path + "/storage"
        let (list, layer) = (String(repeating: "a1", count: 32), String(repeating: "c3", count: 32))
        let image = String(repeating: "b2", count: 32)
        if access(root, F_OK) != 0 {
            let time = "2026-11-23T15:43:45Z"
            let records = [
                "layers": #"[{"id":"\#(layer)","created":"\#(time)"}]"#,
                "images": #"[{"id":"\#(list)","digest":"sha256:\#(list)","names":["r.example.com/a:1"]},"#
                    + #"{"id":"\#(image)","digest":"sha256:\#(image)","layer":"\#(layer)","created":"\#(time)"}]"#,
                "containers": #"[{"id":"\#(list)","image":"\#(image)","layer":"\#(layer)"}]"#,
            ]
            for folder in ["vfs-layers", "vfs-images/\(list)", "vfs-containers/\(list)/userdata"] {
                try FileManager.default.createDirectory(
                    atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
            }
            for (kind, text) in records {
                close(try file(Array(text.utf8), "\(root)/vfs-\(kind)/\(kind).json"))
            }
        }
        close(try file(bytes, "\(root)/vfs-images/\(list)/manifest"))
        close(try file(bytes, "\(root)/vfs-containers/\(list)/userdata/config.json"))
        let store = try ImageStoreReader(root: root).read()
        let entries = store.entries()
        return store.images.count == 2 && entries.count <= 3
            ? [] : ["\(store.images.count) images make \(entries.count) entries"]
    }
}
