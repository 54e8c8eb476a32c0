import CLinux
import CacheModel
import Digests
import Foundation
import Glibc

/// Reads the downloads that a job's log names, from a file or a stream, and knows them again in a log that grew.
///
/// A line ends at a line feed or a carriage return, for Maven's progress is written over itself. Logs are read
/// once, from front to end; what is no download is passed over.
package struct JobLog {
    /// What a log told.
    package struct Reading: Sendable, Equatable {
        /// The files downloaded, in the order of the log.
        package var downloads: [JobDownload] = []
        /// Downloads of what is no artifact: metadata, checksums, Gradle itself.
        package var others = 0
        /// Lines that are not empty.
        package var lines = 0
        /// Lines that begin as a download and cannot be read to their end, or are too long.
        package var damaged = 0
        /// The first of them.
        package var firstDamaged: Int?
        /// The job that the log itself names; nil where it holds those of several.
        package var job: String?
        /// The project that the log itself names: the first one, for what a job's script prints comes later; nil as
        /// the job.
        package var project: String?
        /// How many jobs' logs begin in it; 0 where no line says so.
        package var jobs = 0
        /// Whether there were more downloads than are taken from one log.
        package var isCut = false
        /// How much of it was read, where that is not all of it.
        package var readUpTo: ByteCount?

        /// Lines that tell of no download.
        package var skipped: Int { lines - damaged - others - downloads.count }
    }

    /// A longer line is no download.
    static let lineLimit = 1 << 16
    /// More downloads than any job makes; a log is written by a job, and may be made up.
    ///
    /// So many take less than two seconds of a processor. GitLab keeps 4 MiB of a log unless told otherwise (`output_limit`):
    /// some thirty thousand lines, and Maven writes two for each download.
    static let downloadLimit = 25_000
    /// No more of a log is read: GitLab takes 100 MB of one unless told otherwise (`ci_jobs_trace_size_limit`).
    static let sizeLimit: Int64 = 128 << 20
    /// How long a job may have run before the end of a log that tells no times.
    static let longestJob = Span.days(1)

    private let kind: JobLogKind
    private let reader: JobLogLineReader

    /// Reads logs of that kind.
    package init(_ kind: JobLogKind) {
        self.kind = kind
        reader = JobLogLineReader(kind: kind)
    }

    /// Reads a log to its end.
    ///
    /// - Parameters:
    ///   - descriptor: where the log comes from.
    ///   - job: tells logs of the same content apart; nil takes what the log says.
    ///   - endedAt: the time by which the log was written; times in it that are later count as this one.
    /// - Throws: `JobLogError`.
    package func read(_ descriptor: Int32, job: String?, endedAt: Timestamp) throws(JobLogError) -> Reading {
        var state = State(seed: job ?? "", endedAt: endedAt)
        var buffer = [UInt8](repeating: 0, count: Self.lineLimit + (1 << 18))
        var (filled, isTooLong) = (0, false)
        var rest = Self.sizeLimit
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                let room = min(bytes.count - filled, Int(rest))
                return Glibc.read(descriptor, bytes.baseAddress.map { $0 + filled }, room)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(reason: String(cString: strerror(errno))) }
            let isEnd = count == 0
            filled += count
            rest -= Int64(count)
            if isEnd, rest == 0 {
                var more: UInt8 = 0
                if Glibc.read(descriptor, &more, 1) == 1 {
                    state.reading.readUpTo = ByteCount(Self.sizeLimit)
                }
            }
            if state.reading.lines == 0, buffer.starts(with: [0x1f, 0x8b]) {
                throw .unreadable(reason: "it is compressed; send it through gzip -dc to standard input")
            }
            var used = 0
            buffer.withUnsafeBytes { bytes in
                while let end = Self.end(of: bytes, from: used, to: filled) ?? (isEnd ? filled : nil) {
                    let line = UnsafeRawBufferPointer(rebasing: bytes[used..<end])
                    isTooLong = isTooLong || line.count > Self.lineLimit
                    accept(line, isTooLong: isTooLong, isWhole: end < filled, &state)
                    isTooLong = false
                    state.hash.update(Self.lineFeed)
                    used = min(end + 1, filled)
                    if end == filled { break }
                }
                if used == 0, filled == bytes.count {
                    (used, isTooLong) = (filled, true)
                    state.hash.update(bytes)
                }
            }
            if isEnd { break }
            buffer.withUnsafeMutableBytes { bytes in
                if let base = bytes.baseAddress, used > 0 { memmove(base, base + used, filled - used) }
            }
            filled -= used
        }
        flush(&state)
        return state.finished()
    }

    /// Takes what stands before one line feed; what the runner writes in pieces is one line.
    private func accept(
        _ line: UnsafeRawBufferPointer, isTooLong: Bool, isWhole: Bool, _ state: inout State
    ) {
        guard !isTooLong, let piece = JobLogLineReader.piece(line) else {
            flush(&state)
            state.hash.update(line)
            return take(line, isTooLong: isTooLong, isWhole: isWhole, &state)
        }
        let goesOn = piece.goesOn && state.open?.stream == piece.stream
        if !goesOn { flush(&state) }
        state.hash.update(line)
        var open = state.open ?? State.OpenLine(stream: piece.stream)
        state.open = nil
        let bytes = goesOn ? UnsafeRawBufferPointer(rebasing: line[piece.start...]) : line
        if open.text.count <= Self.lineLimit { open.text += bytes }
        open.pieces += 1
        (open.isWhole, open.hash) = (isWhole, state.hash)
        state.open = open
    }

    /// Takes the line whose pieces have all come.
    private func flush(_ state: inout State) {
        guard let open = state.open else { return }
        state.open = nil
        let hash = state.hash
        state.hash = open.hash
        open.text.withUnsafeBytes {
            take($0, isTooLong: $0.count > Self.lineLimit, isWhole: open.isWhole, &state)
        }
        state.hash = hash
        state.reading.lines += open.pieces - 1
    }

    private static let lineFeed: [UInt8] = [10]

    private static func end(of bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int? {
        guard let base = bytes.baseAddress, start < end else { return nil }
        let feed = memchr(base + start, 10, end - start).map { base.distance(to: UnsafeRawPointer($0)) }
        let upTo = feed ?? end
        let back = memchr(base + start, 13, upTo - start).map { base.distance(to: UnsafeRawPointer($0)) }
        return back ?? feed
    }

    private func take(
        _ line: UnsafeRawBufferPointer, isTooLong: Bool, isWhole: Bool, _ state: inout State
    ) {
        guard !line.isEmpty || isTooLong else { return }
        state.reading.lines += 1
        if isTooLong { return state.damage() }
        func passStamp() {
            if let stamp = JobLogLineReader.stamp(line) { state.pass(stamp, to: stamp) }
        }
        guard Self.mayTell(line) else { return passStamp() }
        switch reader.read(line) {
        case .other: break
        case .damaged: state.damage()
        case .job(let job): state.reading.job = state.reading.job ?? job
        case .beginning:
            state.reading.jobs += 1
            passStamp()
        case .project(let project):
            state.reading.project = state.reading.project ?? project
            passStamp()
        case .time(let time): state.pass(time, to: time + .seconds(1))
        case .took(let span): state.took = span
        // Where the log is cut in an address, the rest of it looks like a whole one.
        case .download where kind == .gradle && !isWhole: state.damage()
        case .download(let url, let size):
            passStamp()
            state.download(url, size, kind.pool)
            passStamp()
        }
    }

    /// Whether a line is worth a closer look: most are not.
    private static func mayTell(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let base = line.baseAddress else { return false }
        return words.contains { word in
            let length = word.utf8CodeUnitCount
            var at = 0
            while at + length <= line.count,
                let start = memchr(base + at, Int32(word.utf8Start[0]), line.count - at - length + 1)
            {
                if memcmp(start, word.utf8Start, length) == 0 { return true }
                at = base.distance(to: UnsafeRawPointer(start)) + 1
            }
            return false
        }
    }

    private static let words: [StaticString] = [
        "Download", "section_", "Finished at: ", "Total time:", "CI_JOB_ID=", "CI_PROJECT_ID=",
        "Uploading artifacts",
        "Running on ", "Running with ", "Waiting for pod ",
    ]
}
