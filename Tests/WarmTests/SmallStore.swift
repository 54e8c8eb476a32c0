import CacheModel
import Caches
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import CacheServices
@testable import PodmanClient

/// A Podman of its own on a store of its own (Tests/Testbed/small_store.py), which can be full and be killed.
final class SmallStore: Sendable {
    let podman: PodmanClient
    let root: String
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(_ bed: WarmFixture, size: String) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [
            "\(WarmFixture.testbed)/small_store.py", try bed.setting("LARDER_TESTBED"), size,
        ]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let words = try Self.line(of: output).split(separator: " ")
        try #require(words.count == 2, "small_store.py did not start")
        podman = try PodmanClient(socket: "unix://\(words[0])")
        root = String(words[1])
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Kills or starts the pod, and waits until that is done.
    func tell(_ word: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data("\(word)\n".utf8))
        try #require(try Self.line(of: output) == "done")
    }

    func warm(
        _ references: [ImageReference], limits: ImageWarmer.Limits = WarmFixture.limits,
        platform: ImagePlatform? = nil
    ) async throws -> [WarmedImage] {
        let volume = Volume(name: "images", kind: .imageStore, path: root)
        let locked = try LockedVolume(volume, now: Timestamp(seconds: Int64(Date().timeIntervalSince1970)))
        let tebibyte = ByteCount(1 << 40)
        let warmer = ImageWarmer(
            locked, podman: podman, limits: limits,
            quota: Quota(limit: tebibyte, high: tebibyte, low: tebibyte))
        return try await warmer.warm(
            references.map { .init(reference: $0, policy: .missing, platform: platform, why: "named") })
    }

    /// Waits until a layer that stands on another is being extracted: the middle of a pull.
    func isExtracting() async throws {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            let layers = try ImageStoreReader(root: root).read().layers
            if layers.contains(where: { $0.incomplete && $0.parent != nil }) { return }
            await Task.yield()
        }
        Issue.record("no layer was extracted for a minute")
    }

    private static func line(of pipe: Pipe) throws -> String {
        var line = Data()
        while true {
            let byte = try pipe.fileHandleForReading.read(upToCount: 1) ?? Data()
            if byte.isEmpty || byte.first == 10 { return String(decoding: line, as: UTF8.self) }
            line += byte
        }
    }
}
