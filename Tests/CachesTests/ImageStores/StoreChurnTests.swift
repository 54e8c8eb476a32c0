import CacheModel
import Foundation
import Synchronization
import Testing

@testable import Caches

/// Reading while another process pulls and removes images.
@Suite struct StoreChurnTests {
    /// The writer keeps Podman's order: layers before the image that needs them, the image away before its layers.
    ///
    /// So at every instant each image has its layers, and what is read must show that.
    @Test(.timeLimit(.minutes(2))) func everyReadIsOneInstant() throws {
        let fixture = try StoreFixture()
        // Read between images and layers: its length makes time for the store to change there.
        try fixture.write(.containers, "[" + String(repeating: " ", count: 2_000_000) + "]")
        // Four images are pulled one by one, then all but one removed, over and over.
        let states = (1...4).map { count in
            let numbers = (1...count).map(String.init)
            let layers = numbers.flatMap { number in
                [
                    JSON.layer("base\(number)", size: 9),
                    .layer("top\(number)", parent: "base\(number)", size: 1),
                ]
            }
            let images = numbers.map { JSON.image("image\($0)", layer: "top\($0)") }
            return (images: Data(JSON.document(images).utf8), layers: Data(JSON.document(layers).utf8))
        }
        try fixture.write(.layers, states[0].layers)
        try fixture.write(.images, states[0].images)
        let writer = Repeating { round in
            let state = states[(round + 1) % 4]
            let removes = (round + 1) % 4 == 0
            try fixture.stage(.layers, state.layers)
            try fixture.stage(.images, state.images)
            try fixture.publish(removes ? .images : .layers)
            try fixture.publish(removes ? .layers : .images)
            usleep(100)
        }
        defer { writer.stop() }
        var versions: Set<[UInt8]> = []
        while versions.count < 300 {
            guard let store = try read(fixture) else { continue }
            #expect(store.problems.filter { $0.hasPrefix("image") } == [])
            #expect(store.images.allSatisfy { image in store.layers.contains { $0.id == image.topLayer } })
            versions.insert(store.generation)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aStoreThatNeverRestsIsGivenUp() throws {
        let fixture = try StoreFixture()
        try fixture.write(.images, "[]")
        let toucher = Repeating { _ in utimensat(AT_FDCWD, fixture.path(.images), nil, 0) }
        defer { toucher.stop() }
        while true {
            do {
                _ = try fixture.reader.read(attempts: 1)
            } catch {
                #expect(error as? ImageStoreError == .restless(root: fixture.root, attempts: 1))
                #expect("\(error)".contains("try again"))
                break
            }
        }
    }

    /// Nil where the writer was faster at each attempt.
    private func read(_ fixture: StoreFixture) throws -> ImageStore? {
        do {
            return try fixture.reader.read()
        } catch ImageStoreError.restless {
            return nil
        }
    }
}

/// Does something over and over in a thread of its own.
private final class Repeating: Sendable {
    private let isStopped = Atomic(false)
    private let end = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable (Int) throws -> Void) {
        Thread { [self] in
            var round = 0
            do {
                while !isStopped.load(ordering: .relaxed) {
                    try body(round)
                    round += 1
                }
            } catch {
                Issue.record("round \(round) failed: \(error)")
            }
            end.signal()
        }.start()
    }

    /// Returns when the last round is over.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        end.wait()
    }
}
