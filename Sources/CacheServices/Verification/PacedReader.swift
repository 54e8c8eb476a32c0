import CacheModel
import Digests
import FileAccess

/// Reads files at a pace, through one buffer.
final class PacedReader {
    /// What was read until now.
    private(set) var bytes: Int64 = 0

    private let pace: ReadingPace
    private let uptime: () -> Span
    private let wait: (Span) -> Void
    private let startedAt: Span
    private let buffer: UnsafeMutableRawBufferPointer

    /// Begins; `uptime` never goes back, and `wait` waits.
    init(_ pace: ReadingPace, uptime: @escaping () -> Span, wait: @escaping (Span) -> Void) {
        self.pace = pace
        self.uptime = uptime
        self.wait = wait
        startedAt = uptime()
        buffer = .allocate(byteCount: 1 << 20, alignment: 4096)
    }

    deinit { buffer.deallocate() }

    /// Whether the time is over.
    var isOver: Bool { pace.isOver(after: Span(nanoseconds: uptime().nanoseconds - startedAt.nanoseconds)) }

    /// A whole file's checksum; nil where as long a time as all may take is over before its end.
    ///
    /// The time that was left as it began does not count: a file that was begun late has its turn.
    func digits(of file: NoAtimeFile, _ function: DigestFunction) throws(SystemError) -> String? {
        let isTimeOver = limit()
        var checksum = Digest(function)
        var offset: Int64 = 0
        while true {
            let count = try file.read(into: buffer, at: offset)
            checksum.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += Int64(count)
            account(for: count)
            if count < buffer.count { return checksum.hex }
            if isTimeOver() { return nil }
            file.release(upTo: offset)
        }
    }

    /// A look at the clock from here on: whether as long a time as all may take is over.
    ///
    /// A file that was begun late has its turn.
    func limit() -> () -> Bool {
        let begun = uptime()
        return { [pace, uptime] in
            pace.isOver(after: Span(nanoseconds: uptime().nanoseconds - begun.nanoseconds))
        }
    }

    /// Some bytes of a file, fewer at its end only.
    func bytes(of file: NoAtimeFile, at offset: Int64, _ count: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { space, filled in
            guard count > 0 else { return }
            do throws(SystemError) {
                filled = try file.read(into: UnsafeMutableRawBufferPointer(space), at: offset)
            } catch { failure = error }
        }
        if let failure { throw failure }
        account(for: bytes.count)
        return bytes
    }

    private func account(for count: Int) {
        bytes += Int64(count)
        let pause = pace.pause(
            after: bytes, in: Span(nanoseconds: uptime().nanoseconds - startedAt.nanoseconds))
        if pause > .zero { wait(pause) }
    }
}
