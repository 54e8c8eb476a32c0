import CacheModel

/// What one line of a job's log says.
enum JobLogLine: Equatable {
    /// A file was downloaded from `url`; `size` is zero where the line tells none.
    case download(url: String, size: ByteCount)
    /// It begins as a download and does not end as one: cut, or broken.
    case damaged
    /// The job of that number wrote this log.
    case job(String)
    /// A job's log begins.
    case beginning
    /// A job of the project of that number wrote this log.
    case project(String)
    /// The clock stood there, to the second.
    case time(Timestamp)
    /// The build that ends now took that long.
    case took(Span)
    /// Nothing that counts here.
    case other
}

/// The tools whose logs are read.
package enum JobLogKind: String, Sendable, Hashable, CaseIterable {
    /// Maven 3: `Downloaded from central: URL (4.7 kB at 128 kB/s)` for what it fetched
    /// (maven-embedder `AbstractMavenTransferListener`), with `[INFO]` before it in batch mode. Nothing under
    /// `-ntp` and `-q`.
    case maven = "maven-log"
    /// Gradle: `Download URL` before 4.10, with `--info` or `--debug` also `Downloading URL to FILE`
    /// (`DefaultCacheAwareExternalResourceAccessor`). Without `--info` a later Gradle tells nothing.
    case gradle = "gradle-log"

    /// The pool that it fills.
    package var pool: Pool { self == .maven ? .maven : .gradle }
}

/// Reads lines of one kind of log.
struct JobLogLineReader {
    let kind: JobLogKind

    /// Reads a line without its end.
    func read(_ line: UnsafeRawBufferPointer) -> JobLogLine {
        let text = Self.plain(line)
        let (stamp, rest) = Self.withoutPrefix(text[...])
        let read = body(rest)
        if read == .other, let stamp { return .time(stamp) }
        return read
    }

    /// The time that GitLab writes before each line (runner feature `FF_TIMESTAMPS`); nil where there is none.
    static func stamp(_ line: UnsafeRawBufferPointer) -> Timestamp? {
        guard line.count >= 20, line[4] == UInt8(ascii: "-"), line[10] == UInt8(ascii: "T") else {
            return nil
        }
        return PodmanEventLine.instant(String(decoding: line.prefix(40).prefix { $0 != 32 }, as: UTF8.self))
    }

    /// What a line is a piece of that GitLab wrote a time before: `2026-11-23T15:13:20.123456Z 00O text`, and with `+` for
    /// the space behind it where it goes on with the line before of the same stream (runner feature `FF_TIMESTAMPS`, in
    /// whose documentation the format is); nil where there is no time.
    static func piece(_ line: UnsafeRawBufferPointer) -> (stream: [UInt8], goesOn: Bool, start: Int)? {
        guard line.count >= 24, line[4] == UInt8(ascii: "-"), line[10] == UInt8(ascii: "T"),
            let space = line.prefix(40).firstIndex(of: 32), space + 4 <= line.count,
            isStream(line[(space + 1)..<(space + 4)])
        else { return nil }
        let goesOn = space + 4 < line.count && line[space + 4] == UInt8(ascii: "+")
        return (Array(line[(space + 1)..<(space + 4)]), goesOn, space + 5)
    }

    private func body(_ text: ArraySlice<UInt8>) -> JobLogLine {
        switch kind {
        case .maven:
            if let rest = after("Downloaded from ", text) { return maven(rest, hasRepository: true) }
            if let rest = after("Downloaded: ", text) { return maven(rest, hasRepository: false) }
            if let rest = after("Total time:", text), let span = Self.duration(rest) { return .took(span) }
            if let rest = after("Finished at: ", text),
                let at = PodmanEventLine.instant(String(decoding: rest.prefix { $0 != 32 }, as: UTF8.self))
            {
                return .time(at)
            }
        case .gradle:
            if let rest = after("Downloading ", text) { return gradle(rest, isInfo: true) }
            if let rest = after("Download ", text) { return gradle(rest, isInfo: false) }
        }
        return gitLab(text)
    }

    /// `central: URL (4.7 kB at 128 kB/s)`; without a rate where it took no time.
    private func maven(_ text: ArraySlice<UInt8>, hasRepository: Bool) -> JobLogLine {
        var rest = text
        if hasRepository {
            guard let colon = find(": ", in: rest) else { return .damaged }
            rest = rest[(colon + 2)...]
        }
        guard let end = find(" (", in: rest), rest.last == UInt8(ascii: ")") else { return .damaged }
        let size = rest[(end + 2)...].dropLast()
        let words = String(decoding: size, as: UTF8.self).split(separator: " ", maxSplits: 2)
        guard words.count >= 2, let bytes = Self.size(words[0], words[1]),
            let url = Self.url(rest[..<end])
        else { return .damaged }
        return .download(url: url, size: bytes)
    }

    /// `URL`, or `URL to FILE`.
    private func gradle(_ text: ArraySlice<UInt8>, isInfo: Bool) -> JobLogLine {
        let words = text.split(separator: 32, maxSplits: 2)
        guard let first = words.first, let url = Self.url(first) else { return .other }
        if !isInfo { return words.count == 1 ? .download(url: url, size: .zero) : .other }
        // The wrapper says so too, of Gradle itself: without a file.
        guard words.count == 3, words[1].elementsEqual("to".utf8) else { return .other }
        return .download(url: url, size: .zero)
    }

    /// What the runner and its helpers write: sections with their times, the name of the job's pod, which is its host's
    /// (gitlab-runner `shells/bash.go`, `executors/kubernetes/util.go`), and the job's number where it uploads artifacts
    /// (`shared/build_section.go`, `network/gitlab.go`) or prints its variables.
    private func gitLab(_ text: ArraySlice<UInt8>) -> JobLogLine {
        for mark in ["section_start:", "section_end:"] {
            guard let rest = after(mark, text) else { continue }
            let digits = rest.prefix { (48...57).contains($0) }
            guard digits.count <= 11, let seconds = Int64(String(decoding: digits, as: UTF8.self)) else {
                return .other
            }
            return .time(Timestamp(seconds: seconds))
        }
        if after("Running with gitlab-runner ", text) != nil { return .beginning }
        for mark in ["Running on ", "Waiting for pod "] {
            guard let rest = after(mark, text) else { continue }
            return JobPod.project(in: rest.prefix(400).prefix { $0 != 32 }).map { .project($0) } ?? .other
        }
        if let rest = after("CI_PROJECT_ID=", text) { return number(rest).map { .project($0) } ?? .other }
        if let rest = after("CI_JOB_ID=", text) { return job(rest) }
        if after("Uploading artifacts", text) != nil, let id = find(" id=", in: text) {
            return job(text[(id + 4)...])
        }
        return .other
    }

    private func job(_ text: ArraySlice<UInt8>) -> JobLogLine { number(text).map { .job($0) } ?? .other }

    private func number(_ text: ArraySlice<UInt8>) -> String? {
        let digits = text.drop { $0 == 34 || $0 == 39 }.prefix { (48...57).contains($0) }
        return (1...19).contains(digits.count) ? String(decoding: digits, as: UTF8.self) : nil
    }

    private func after(_ word: String, _ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        text.starts(with: word.utf8) ? text.dropFirst(word.utf8.count) : nil
    }

    private func find(_ word: String, in text: ArraySlice<UInt8>) -> Int? {
        let word = Array(word.utf8)
        return text.indices.first { text[$0...].starts(with: word) }
    }
}

extension JobLogLineReader {
    /// The bytes without the escape sequences of a terminal (ECMA-48) and the spaces at both ends.
    static func plain(_ line: UnsafeRawBufferPointer) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(line.count)
        var at = 0
        while at < line.count {
            let byte = line[at]
            at += 1
            guard byte == 27 else {
                text.append(byte)
                continue
            }
            guard at < line.count else { break }
            let isSequence = line[at] == UInt8(ascii: "[")
            at += 1
            while isSequence, at < line.count {
                at += 1
                if (64...126).contains(line[at - 1]) { break }
            }
        }
        // What Windows puts before a text in UTF-8.
        if text.starts(with: [0xef, 0xbb, 0xbf]) { text.removeFirst(3) }
        while let last = text.last, last == 32 || last == 9 { text.removeLast() }
        return Array(text.drop { $0 == 32 || $0 == 9 })
    }

    /// The text behind times, levels and names in brackets, and the time where it is a whole one: GitLab writes
    /// `2026-11-23T15:13:20.123456Z 00O ` before a line, and `00O+` where the line goes on.
    static func withoutPrefix(_ text: ArraySlice<UInt8>) -> (Timestamp?, ArraySlice<UInt8>) {
        var rest = text
        var stamp: Timestamp?
        for _ in 0..<8 {
            if rest.first == UInt8(ascii: "["), let end = rest.firstIndex(of: UInt8(ascii: "]")) {
                rest = rest[(end + 1)...]
            } else if isStream(rest) {
                rest = rest.dropFirst(rest.dropFirst(3).first == UInt8(ascii: "+") ? 4 : 3)
            } else {
                let word = rest.prefix { isClock($0) }
                let next = rest.dropFirst(word.count).first
                guard word.count >= 5, next == nil || next == 32 else { break }
                if stamp == nil { stamp = PodmanEventLine.instant(String(decoding: word, as: UTF8.self)) }
                rest = rest.dropFirst(word.count)
            }
            rest = rest.drop { $0 == 32 }
        }
        return (stamp, rest)
    }

    private static func isStream(_ text: some Sequence<UInt8>) -> Bool {
        let word = Array(text.prefix(3))
        return word.count == 3 && word[..<2].allSatisfy { isHex($0) } && (word[2] == 79 || word[2] == 69)
    }

    private static func isHex(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...102).contains(byte) }

    // Digits and what stands between them in a time.
    private static func isClock(_ byte: UInt8) -> Bool {
        (48...58).contains(byte) || [43, 44, 45, 46, 84, 90].contains(byte)
    }

    /// `675 B`, `4.7 kB`, `1.2 MB`: powers of 1000, as Maven writes them; Maven 2 wrote `KB`.
    static func size(_ number: Substring, _ unit: Substring) -> ByteCount? {
        let units: [Substring: Double] = ["B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12]
        guard let factor = units[unit], number.utf8.count <= 12,
            number.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 }), let value = Double(number)
        else { return nil }
        return value * factor < 1e15 ? ByteCount(Int64((value * factor).rounded())) : nil
    }

    /// `6.123 s`, `01:23 min`, `02:03 h`, `1 d 02:03 h`: how Maven writes a time (`CLIReportingUtils`), rounded up.
    static func duration(_ text: ArraySlice<UInt8>) -> Span? {
        var words = String(decoding: text.prefix(64), as: UTF8.self).split(separator: " ")
        var days: Int64 = 0
        if words.count == 4, words[1] == "d", let count = Int64(words[0]), (0...365).contains(count) {
            days = count
            words.removeFirst(2)
        }
        guard words.count == 2 else { return nil }
        let parts = words[0].split(separator: ":").map { Double($0) ?? -1 }
        guard parts.allSatisfy({ (0...100_000).contains($0) }) else { return nil }
        let seconds: Double
        switch (words[1], parts.count) {
        case ("s", 1): seconds = parts[0]
        case ("min", 2): seconds = parts[0] * 60 + parts[1] + 1
        case ("h", 2): seconds = (parts[0] * 60 + parts[1] + 1) * 60
        default: return nil
        }
        return .seconds(days * 86_400 + Int64(seconds.rounded(.up)))
    }

    /// An address of any scheme, without spaces.
    static func url(_ text: ArraySlice<UInt8>) -> String? {
        guard text.count <= 4096, text.allSatisfy({ (33...126).contains($0) }) else { return nil }
        let url = String(decoding: text, as: UTF8.self)
        return url.contains("://") ? url : nil
    }
}
