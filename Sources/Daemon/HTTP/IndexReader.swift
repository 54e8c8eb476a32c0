import CacheIndex
import CacheModel
import Dispatch
import Foundation
import Synchronization

/// One connection to the index that only reads, on a thread of its own: queries block.
///
/// It opens the file when it is first asked, and again when another file took its place, as after damage.
final class IndexReader: Sendable {
    /// Too many questions wait already.
    struct Crowded: Error {}

    private struct Opened {
        var index: CacheIndex
        var inode: UInt64
    }

    private let stateDirectory: String
    private let patience: Span
    private let most: Int
    private let queue: DispatchQueue
    private let opened = Mutex<Opened?>(nil)
    private let waiting = Atomic<Int>(0)
    private let openings = Atomic<Int64>(0)

    /// How often the file was opened: another file counts its changes anew.
    var generation: Int64 { openings.load(ordering: .relaxed) }

    /// - Parameters:
    ///   - patience: how long a question waits for another process that holds the file.
    ///   - most: how many questions may wait.
    init(stateDirectory: String, patience: Span, most: Int, quality: DispatchQoS) {
        self.stateDirectory = stateDirectory
        self.patience = patience
        self.most = most
        queue = DispatchQueue(label: "larder.index-reader", qos: quality)
    }

    /// Asks the index something.
    ///
    /// - Throws: `IndexError`, `Crowded`, and what `body` throws.
    func read<T: Sendable>(_ body: @escaping @Sendable (CacheIndex) throws -> T) async throws -> T {
        guard waiting.add(1, ordering: .relaxed).newValue <= most else {
            waiting.subtract(1, ordering: .relaxed)
            throw Crowded()
        }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async {
                let result = Result { try self.answer(body) }
                self.waiting.subtract(1, ordering: .relaxed)
                continuation.resume(with: result)
            }
        }
    }

    private func answer<T>(_ body: (CacheIndex) throws -> T) throws -> T {
        let index = try current()
        do {
            return try body(index)
        } catch let error as IndexError {
            // A read-only connection cannot play back the journal of a process that died: opening does.
            if case .busy = error {} else { opened.withLock { $0 = nil } }
            throw error
        }
    }

    /// The open index.
    ///
    /// The lock is held by this object's own queue only, one question at a time.
    private func current() throws -> CacheIndex {
        var status = stat()
        let inode = stat(stateDirectory + "/larder.db", &status) == 0 ? UInt64(status.st_ino) : 0
        if let known = opened.withLock({ $0 }), known.inode == inode { return known.index }
        let index = try CacheIndex.open(
            stateDirectory: stateDirectory, now: Timestamp(seconds: 0), readOnly: true, patience: patience)
        opened.withLock { $0 = Opened(index: index, inode: inode) }
        openings.add(1, ordering: .relaxed)
        return index
    }
}
