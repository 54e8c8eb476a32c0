import CacheModel
import FileAccess
import Foundation
import Reporting
import RunnerLint
import TestSupport

@testable import CacheServices
@testable import Caches
@testable import PodmanClient
@testable import larder

/// Something that reads what others wrote: takes any bytes, and says what it did that it must not do.
struct Parser: Sendable {
    /// The corpus's folder.
    let name: String
    /// Inputs for each one of the cheapest parser: the slow ones get fewer.
    let share: Double
    /// A sentence for each violation.
    let check: @Sendable ([UInt8], TemporaryDirectory) async throws -> [String]

    /// All of them.
    static let all: [Parser] =
        [("layers", StoreRecordFile.layers), ("images", .images), ("containers", .containers)].map {
            name, file in
            Parser(name: name, share: 0.4) { bytes, scratch in try store(bytes, as: file, scratch) }
        } + [
            Parser(name: "events", share: 1) { bytes, _ in events(bytes) },
            Parser(name: "times", share: 1) { bytes, _ in times(bytes) },
            Parser(name: "journal", share: 1) { bytes, _ in journal(bytes) },
            Parser(name: "tracking", share: 1) { bytes, _ in tracking(bytes) },
            Parser(name: "pom", share: 1) { bytes, _ in pom(bytes) },
            Parser(name: "configuration", share: 0.1, check: configuration),
            Parser(name: "runner", share: 0.1) { bytes, _ in runner(bytes) },
            Parser(name: "registries", share: 0.3, check: registries),
            Parser(name: "auth", share: 0.5, check: auth), Parser(name: "trash", share: 0.5, check: trash),
            Parser(name: "plan", share: 0.5) { bytes, _ in plan(bytes) },
            Parser(name: "reference", share: 1) { bytes, _ in reference(bytes) },
            Parser(name: "podman-images", share: 0.3) { bytes, scratch in
                try await podman(bytes, scratch, "images")
            },
            Parser(name: "podman-containers", share: 0.3) { bytes, scratch in
                try await podman(bytes, scratch, "containers")
            },
            Parser(name: "podman-pull", share: 0.3) { bytes, scratch in
                try await podman(bytes, scratch, "pull")
            },
            Parser(name: "podman-info", share: 0.1) { bytes, scratch in
                try await podman(bytes, scratch, "info")
            },
        ] + ofJobs + ofRequests

    /// What an error must be: of that type, and fit for a terminal.
    static func judge<E: Error>(_ error: any Error, _ type: E.Type) -> [String] {
        guard error is E else { return ["an error of type \(Swift.type(of: error)): \(error)"] }
        return hasControl("\(error)") ? ["raw control characters in an error: \(error)"] : []
    }

    static func hasControl(_ text: String) -> Bool {
        text.unicodeScalars.contains { ($0.value < 32 && $0 != "\n") || (0x7f..<0xa0).contains($0.value) }
    }
}

// Files on a volume.
extension Parser {
    private static func store(
        _ bytes: [UInt8], as file: StoreRecordFile, _ scratch: TemporaryDirectory
    ) throws -> [String] {
        let root = scratch.path + "/storage"
        mkdir(root, 0o700)
        for (other, sample) in [
            (StoreRecordFile.layers, "layers"), (.images, "images"), (.containers, "containers"),
        ] {
            mkdir("\(root)/vfs-\(other.kind)", 0o700)
            let data = other == file ? Data(bytes) : Data(try Corpus.files(of: sample)[0])
            try data.write(to: URL(fileURLWithPath: "\(root)/vfs-\(other.kind)/\(other.name)"))
        }
        do {
            let store = try ImageStoreReader(root: root).read()
            var wrong = store.bytes.bytes < 0 ? ["a store of \(store.bytes.bytes) bytes"] : []
            wrong += store.layers.filter { $0.storedBytes.bytes < 0 }.map {
                "layer \($0.id) has \($0.storedBytes.bytes)"
            }
            for entry in store.entries() {
                let exclusive = entry.image?.exclusiveBytes.bytes ?? 0
                if entry.bytes.bytes < 0 || !(0...entry.bytes.bytes).contains(exclusive) {
                    wrong.append("image \(entry.key): \(entry.bytes.bytes) bytes, \(exclusive) of its own")
                }
            }
            return wrong
        } catch { return judge(error, ImageStoreError.self) }
    }

    private static func events(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: 10).flatMap { line -> [String] in
            let event = Array(line).withUnsafeBytes { PodmanEventLine($0) }
            guard case .create(let made) = event else { return [] }
            return made.image.isEmpty ? ["a container of no image"] : []
        }
    }

    private static func times(_ bytes: [UInt8]) -> [String] {
        let text = String(decoding: bytes, as: UTF8.self)
        _ = PodmanEventLine.instant(text)
        _ = GoTime.read(text)
        _ = Span(text)
        _ = ByteCount(quantity: text)
        guard let time = Timestamp(rfc3339: text), time.nanoseconds % 1_000_000_000 == 0,
            time.seconds > -62_135_596_800
        else { return [] }
        return Timestamp(rfc3339: "\(time)") == time
            ? [] : ["\(escaped(bytes)) reads as \(time), which reads otherwise"]
    }

    private static func journal(_ bytes: [UInt8]) -> [String] {
        do {
            let journal = try GradleJournal(bytes)
            _ = journal.lastUse(of: "/cache/caches/modules-2/files-2.1/a/b/1")
            return journal.count <= bytes.count / 20
                ? [] : ["\(journal.count) paths from \(bytes.count) bytes"]
        } catch { return judge(error, GradleJournalError.self) }
    }

    private static func tracking(_ bytes: [UInt8]) -> [String] {
        let file = TrackingFile(bytes)
        let absent = Array("not-in-it.jar".utf8)
        return absent.withUnsafeBufferPointer { file.isFetched($0) }
            ? ["what is not named counts as fetched"] : []
    }

    private static func pom(_ bytes: [UInt8]) -> [String] {
        guard let group = PomFile.groupID(bytes) else { return [] }
        return group.allSatisfy { $0 > 32 } && group.count <= bytes.count
            ? [] : ["a group of \(escaped(group))"]
    }

    private static func trash(_ bytes: [UInt8], _ scratch: TemporaryDirectory) throws -> [String] {
        try Data(bytes).write(to: URL(fileURLWithPath: scratch.path + "/journal.json"))
        do {
            let journal = try TrashJournal.read(from: try OpenDirectory.open(root: scratch.path))
            return journal.entries.contains { $0.bytes.bytes < 0 } ? ["an entry of less than no bytes"] : []
        } catch { return judge(error, SystemError.self) }
    }
}

// What people and other programs hand in.
extension Parser {
    private static func configuration(_ bytes: [UInt8], _ scratch: TemporaryDirectory) throws -> [String] {
        var flags = ConfigurationFlags()
        flags.config = scratch.path + "/larder.yaml"
        try Data(bytes).write(to: URL(fileURLWithPath: scratch.path + "/larder.yaml"))
        do {
            let loaded = try Configuration.load(
                flags: flags, environment: ["HOME": "/home/ci"], deployedState: "/nowhere/at/all")
            return loaded.volumes.filter { ($0.limit?.bytes ?? 0) < 0 }.map {
                "volume \($0.name): limit below nothing"
            }
        } catch { return judge(error, ConfigurationError.self) }
    }

    private static func runner(_ bytes: [UInt8]) -> [String] {
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).count
        return RunnerLint().check(String(decoding: bytes, as: UTF8.self)).filter {
            !(0...lines + 1).contains($0.line)
        }
        .map { "\($0.rule): line \($0.line) of \(lines)" }
    }

    private static func auth(_ bytes: [UInt8], _ scratch: TemporaryDirectory) throws -> [String] {
        let path = scratch.path + "/config.json"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o600)
        do {
            let file = try AuthFile(contentsOf: path)
            let credentials = file.credentials(for: try ImageReference("registry.example.com/team/app:1"))
            return "\(file)\(String(describing: credentials))".contains("pass\"")
                ? ["a password is printed"] : []
        } catch { return judge(error, AuthFileError.self) }
    }

    private static func registries(_ bytes: [UInt8], _ scratch: TemporaryDirectory) throws -> [String] {
        let path = scratch.path + "/registries.conf"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        do {
            let places = try RegistriesFile(contentsOf: path).places(
                of: try ImageReference("registry.example.com/team/app:1"))
            return places.contains { $0.host.contains("/") } ? ["a host with a path: \(places)"] : []
        } catch { return judge(error, RegistriesFileError.self) }
    }

    private static func plan(_ bytes: [UInt8]) -> [String] {
        do { _ = try PlanDocument.read(bytes) } catch { return judge(error, PlanDocumentError.self) }
        return []
    }

    private static func reference(_ bytes: [UInt8]) -> [String] {
        do {
            let reference = try ImageReference(String(decoding: bytes, as: UTF8.self))
            let again = try ImageReference(reference.name)
            return again.name == reference.name ? [] : ["\(reference.name) reads as \(again.name)"]
        } catch { return judge(error, InvalidReference.self) }
    }

    /// Over a real socket: half of the answers are whole, the others are the mutated bytes themselves.
    private static func podman(
        _ bytes: [UInt8], _ scratch: TemporaryDirectory, _ request: String
    ) async throws -> [String] {
        let isWhole = bytes.count % 2 == 0
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(bytes.count)\r\n\r\n"
        let server = try OneAnswer(
            in: scratch, Array(isWhole ? head.utf8 : "HTTP/1.1 200 OK\r\n".utf8) + bytes)
        defer { server.stop() }
        let client = try PodmanClient(socket: "unix://\(server.path)", deadline: .seconds(20))
        do {
            switch request {
            case "images":
                let images = try await client.images()
                return images.filter { $0.size.bytes < 0 }.map { "image \($0.id) has \($0.size.bytes) bytes" }
            case "containers": _ = try await client.containers()
            case "info": _ = try await client.info()
            default:
                let id = try await client.pull(
                    try ImageReference("r.example.com/a:1"), policy: .missing, deadline: .seconds(20))
                return id.isEmpty ? ["a pull of nothing"] : []
            }
        } catch let error as PullFailure { return judge(error, PullFailure.self) } catch {
            return judge(error, PodmanError.self)
        }
        return []
    }
}
