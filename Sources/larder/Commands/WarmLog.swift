import CacheModel
import CacheServices
import Caches
import Foundation
import Glibc
import Reporting
import Synchronization

/// Shows a warm-up as it goes on a terminal's standard error: a line for each image under way and a total, written
/// over.
final class WarmLog: WarmDisplay {
    private struct Shown {
        var board: WarmBoard
        var lines = 0
        var done: Set<String> = []
        var generation: [UInt8]?
    }

    private let shown: Mutex<Shown>
    private let store: ImageStoreReader

    /// - Parameter root: the store's, which tells what layers are done.
    init(_ requests: [ImageWarmer.Request], root: String) {
        shown = Mutex(
            Shown(board: WarmBoard(images: requests.map { ($0.reference.name, $0.layers) })))
        store = ImageStoreReader(root: root)
    }

    /// A board where standard error is a terminal, else a line for each image that begins, waits or ends.
    static func display(
        _ services: Services, _ volume: Volume, _ requests: [ImageWarmer.Request]
    ) -> any WarmDisplay {
        isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
            ? WarmLog(requests, root: volume.path) : WarmLines(services, volume, of: requests.count)
    }

    /// Takes what happens.
    func show(_ progress: ImageWarmer.Progress) {
        shown.withLock { shown in
            switch progress {
            case .began(let name): shown.board.began(name)
            case .layer(let name, let digest): shown.board.announced(digest, of: name)
            case .retrying(let name, let pause, _): shown.board.paused(name, for: pause)
            case .ended(let image):
                shown.board.ended(image)
                draw(&shown, above: [WarmBoard.ending(image, width: Terminal.errorWidth)])
            }
        }
    }

    /// Does the work, with the board drawn anew twice a second.
    func following<Result: Sendable>(
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        defer { shown.withLock { erase(&$0) } }
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await work() }
            group.addTask { [self] in
                while !Task.isCancelled {
                    shown.withLock { draw(&$0) }
                    try? await Task.sleep(for: .milliseconds(500))
                }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    private func draw(_ shown: inout Shown, above: [String] = []) {
        if let generation = store.generation(), generation != shown.generation,
            let read = try? store.read()
        {
            shown.done = read.completeDigests
            shown.generation = generation
        }
        let lines = shown.board.lines(width: Terminal.errorWidth, done: shown.done)
        let back = shown.lines > 0 ? "\u{1b}[\(shown.lines)A\r\u{1b}[J" : ""
        Terminal.draw(back + (above + lines).map { $0 + "\n" }.joined())
        shown.lines = lines.count
    }

    private func erase(_ shown: inout Shown) {
        if shown.lines > 0 { Terminal.draw("\u{1b}[\(shown.lines)A\r\u{1b}[J") }
        shown.lines = 0
    }
}

extension Terminal {
    /// The columns of standard error's terminal less one, so that no line wraps; 79 at most.
    static var errorWidth: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20 else { return 79 }
        return min(Int(size.ws_col) - 1, 79)
    }

    /// Writes to standard error as it is.
    static func draw(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
