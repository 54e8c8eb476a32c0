import CacheModel

/// A container that Podman made, as its event log tells: a use of the container's image.
package struct PodmanEvent: Sendable, Hashable {
    /// The container's ID; empty where the line has none.
    package var container: String
    /// The reference the image was named by, or its ID.
    package var image: String
    /// When the container was made.
    package var at: Timestamp
    /// The project that the log is called after; nil where its name tells none.
    package var project: String?

    /// Makes an event from all it consists of.
    package init(container: String, image: String, at: Timestamp, project: String? = nil) {
        self.container = container
        self.image = image
        self.at = at
        self.project = project
    }

    /// Whether both tell of one container: a copy of a log under another name is no second use.
    package static func == (a: Self, b: Self) -> Bool {
        a.container == b.container && a.image == b.image && a.at == b.at
    }

    /// Hashes what makes them equal.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(container)
        hasher.combine(image)
        hasher.combine(at)
    }
}

/// What one line of an event log says: Podman writes one JSON object a line (libpod/events/logfile.go, v4.3.1).
///
/// Only the `create` of a container counts. A `pull` proves no download in 4.3.1, which logs failures and hits
/// as well, and no version tells of it what the store does not; a `remove` proves nothing.
enum PodmanEventLine: Equatable {
    /// A container was made.
    case create(PodmanEvent)
    /// An event that is no use.
    case other
    /// No event at all.
    case unreadable

    init(_ line: UnsafeRawBufferPointer) {
        var reader = FieldReader(line)
        guard reader.begin() else {
            self = .unreadable
            return
        }
        var type: Range<Int>?
        var status: Range<Int>?
        var time: Range<Int>?
        var image: Range<Int>?
        var id: Range<Int>?
        while let field = reader.next() {
            if reader.equals(field.key, "Type") { type = field.value }
            if reader.equals(field.key, "Status") { status = field.value }
            if reader.equals(field.key, "Time") { time = field.value }
            if reader.equals(field.key, "Image") { image = field.value }
            if reader.equals(field.key, "ID") { id = field.value }
        }
        guard reader.isAtEnd, let type, let status else {
            self = .unreadable
            return
        }
        guard reader.equals(type, "container"), reader.equals(status, "create"), let image, !image.isEmpty
        else {
            self = .other
            return
        }
        guard let time, let at = Self.instant(reader.text(time)) else {
            self = .unreadable
            return
        }
        self = .create(
            PodmanEvent(container: id.map { reader.text($0) } ?? "", image: reader.text(image), at: at))
    }

    /// An instant in RFC 3339 with any offset, as Go writes it.
    static func instant(_ text: String) -> Timestamp? {
        if text.hasSuffix("Z") { return Timestamp(rfc3339: text) }
        let offset = Array(text.suffix(6).utf8)
        guard text.utf8.count > 6, offset.count == 6, offset[0] == 43 || offset[0] == 45, offset[3] == 58,
            let hours = Int64(String(decoding: offset[1...2], as: UTF8.self)),
            let minutes = Int64(String(decoding: offset[4...5], as: UTF8.self)), hours < 24, minutes < 60,
            let local = Timestamp(rfc3339: text.dropLast(6) + "Z")
        else { return nil }
        let difference = Span.minutes(hours * 60 + minutes)
        return offset[0] == 43 ? local - difference : local + difference
    }
}

/// Gives the fields of one JSON object, one after the other.
///
/// It builds nothing, for a log may have a million lines. Texts are given as they stand, escapes and all; what
/// is nested is passed over.
package struct FieldReader {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0
    private var ended = false
    private var end = 0

    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// How many bytes the object has, with what stands before it; nil where it did not end.
    package var length: Int? { ended ? end : nil }

    /// Whether the object ended, and nothing but space follows it.
    package var isAtEnd: Bool { ended && at == bytes.count }

    package mutating func begin() -> Bool { take(UInt8(ascii: "{")) }

    /// The next field, the value without its quotes; nil at the end and at what is no JSON.
    package mutating func next() -> (key: Range<Int>, value: Range<Int>)? {
        if take(UInt8(ascii: "}")) {
            (ended, end) = (true, at)
            skipSpace()
            return nil
        }
        guard let key = string(), take(UInt8(ascii: ":")), let value = value() else { return nil }
        if !take(UInt8(ascii: ",")), at >= bytes.count || bytes[at] != UInt8(ascii: "}") { return nil }
        return (key, value)
    }

    package func equals(_ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count where bytes[range.lowerBound + offset] != word.utf8Start[offset] {
            return false
        }
        return true
    }

    package func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Whether a text is not yet as it reads.
    package func holdsEscape(_ range: Range<Int>) -> Bool { bytes[range].contains(UInt8(ascii: "\\")) }

    private mutating func skipSpace() {
        while at < bytes.count, [32, 9, 13].contains(bytes[at]) { at += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func string() -> Range<Int>? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = at
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                at += 1
                return start..<at - 1
            }
            if byte < 32 { return nil }
            at += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    private mutating func value() -> Range<Int>? {
        skipSpace()
        guard at < bytes.count else { return nil }
        if bytes[at] == UInt8(ascii: "\"") { return string() }
        let start = at
        var depth = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                guard depth > 0, string() != nil else { return nil }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return start == at ? nil : start..<at }
                depth -= 1
            case UInt8(ascii: ",") where depth == 0: return start == at ? nil : start..<at
            default: break
            }
            at += 1
        }
        return nil
    }
}
