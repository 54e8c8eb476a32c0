import CacheModel
import Caches
import Foundation
import PodmanClient
import Synchronization
import TestSupport

@testable import CacheServices

/// A small image store with records as Podman writes them, and a socket that answers as a test says.
final class StoreFixture: Sendable {
    static let removed = (200, #"{"Deleted":["x"],"Untagged":["x"]}"#)

    let directory: TemporaryDirectory
    let volume: Volume
    private let listener: Int32
    private let seen = Mutex<[String]>([])

    /// The requests so far, by their first lines.
    var requests: [String] { seen.withLock { $0 } }

    /// Makes a store with images `registry.test/<name>:1` on a layer of their own each.
    init(images: [String], script: @escaping @Sendable (StoreFixture, String) -> (Int, String)) throws {
        directory = try TemporaryDirectory()
        volume = Volume(name: "images", kind: .imageStore, path: directory.path + "/storage")
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try write(images: images)
        for name in images {
            try directory.write("storage/vfs-images/\(Self.id(name))/manifest", "{}")
            try directory.shell("touch -d '40 days ago' storage/vfs-images/\(Self.id(name))/manifest")
        }
        try listen(script)
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    static func id(_ name: String) -> String {
        name.utf8.map { String($0, radix: 16) }.joined().padding(toLength: 64, withPad: "0", startingAt: 0)
    }

    /// Replaces the records: the images and, by default, layers extracted long ago.
    func write(images: [String], tag: String = "1", extracted: String = "2020-01-01T00:00:00Z") throws {
        let layers = images.map {
            #"{"id":"\#(Self.id($0))","created":"\#(extracted)","diff-size":1000000}"#
        }
        let records = images.map {
            #"{"id":"\#(Self.id($0))","digest":"","names":["registry.test/\#($0):\#(tag)"],"#
                + #""layer":"\#(Self.id($0))","created":"2020-01-01T00:00:00Z"}"#
        }
        try directory.write("storage/vfs-layers/layers.json", "[\(layers.joined(separator: ","))]")
        try directory.write("storage/vfs-images/images.json", "[\(records.joined(separator: ","))]")
    }

    /// Makes a container of that image.
    func use(_ name: String) throws {
        let id = Self.id("container")
        try directory.write(
            "storage/vfs-containers/containers.json",
            #"[{"id":"\#(id)","image":"\#(Self.id(name))","layer":"\#(Self.id(name))","#
                + #""created":"2020-01-02T00:00:00Z"}]"#)
    }

    /// Plans the removal of every image, lets something happen, and prunes.
    func prune(after change: () throws -> Void = {}) async throws -> ImagePruner.Result {
        let locked = try LockedVolume(volume, now: BuildVolume.now())
        let store = try ImageStoreReader(root: volume.path).read()
        let capacity = Capacity(
            total: ByteCount(1 << 40), available: .zero, free: .zero, inodes: 0, freeInodes: 0)
        let usage = VolumeUsage(
            volume: "images", usedBytes: store.bytes, trashBytes: .zero, capacity: capacity,
            scan: ScanRecord(
                number: 1, startedAt: BuildVolume.now(), complete: true, unreadable: 0,
                identity: locked.identity, atimeTrust: EvidenceQuality(.high)),
            entries: store.entries().enumerated().map { number, entry in
                CacheEntry(
                    id: Int64(number), found: entry, firstSeen: entry.fetched,
                    lastUsed: max(entry.accessed, entry.fetched), evidence: .podmanEvents, confidence: .high,
                    uses: 0)
            }, layers: store.layers)
        let plan = EvictionPolicy(idleFloor: .hours(24), target: .zero)
            .plan(usage, under: volume.quota(capacity: capacity), now: BuildVolume.now())
        try change()
        let podman = try PodmanClient(socket: "unix://\(directory.path)/s")
        return try await ImagePruner(locked, podman: podman).apply(plan, scan: usage.scan)
    }

    private func listen(_ script: @escaping @Sendable (StoreFixture, String) -> (Int, String)) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("\(directory.path)/s".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, Glibc.listen(listener, 4) == 0 else { throw POSIXError(.EADDRINUSE) }
        let descriptor = listener
        Thread { [weak self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { break }
                var buffer = [UInt8](repeating: 0, count: 4096)
                var head: [UInt8] = []
                while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                    let count = read(connection, &buffer, buffer.count)
                    if count <= 0 { break }
                    head += buffer[..<count]
                }
                let line = String(decoding: head.prefix { $0 != 13 }, as: UTF8.self)
                if let self, !line.isEmpty {
                    seen.withLock { $0.append(line) }
                    let (status, body) = script(self, line)
                    let head = ["HTTP/1.1 \(status) -", "Content-Length: \(body.utf8.count)"]
                    let answer = (head + ["Connection: close", "", body]).joined(separator: "\r\n")
                    _ = answer.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
                }
                close(connection)
            }
            close(descriptor)
        }.start()
    }
}
