import CacheModel
import FileAccess

/// How many containers were there at once, by the event logs of the jobs' Podmans.
///
/// A container has its own copy of its image in a vfs store from its `create` until its `remove`, whether it
/// runs or not. A `remove` without a `create` in the logs is of a container that was there when they begin. A pod
/// that dies logs no `remove`, and its containers go with what cleans up after it: such a container counts for as
/// long as the longest other one was there, at least the hour that a GitLab job may run. Those that really stay in
/// the store are counted as what is there now. Logs are rotated, so what was before the first event is not known.
extension ContainerPeak {
    /// A container that came or went.
    struct Event: Hashable {
        var at: Timestamp
        var container: String
        /// Its image's reference; nil where it went.
        var image: String?
    }

    /// Counts what the logs in a directory tell; nil where they tell of no container.
    ///
    /// - Parameter size: what an image of that reference occupies; zero where that is not known.
    package init?(logsIn directory: String, size: (String) -> ByteCount) {
        guard let folder = try? OpenDirectory.open(root: directory), let names = try? folder.names() else {
            return nil
        }
        var events: Set<Event> = []
        for name in names where name.first != 46 {
            guard let file = try? PodmanEventFile(name, in: folder) else { continue }
            _ = file.lines(from: 0) { line, _ in
                if let line, let event = Event(line) { events.insert(event) }
            }
        }
        self.init(Array(events), size: size)
    }

    init?(_ unsorted: [Event], size: (String) -> ByteCount) {
        // At the same instant what goes makes room for what comes.
        var events = unsorted.sorted {
            ($0.at, $0.image == nil ? 0 : 1, $0.container) < ($1.at, $1.image == nil ? 0 : 1, $1.container)
        }
        guard let first = events.first else { return nil }
        var begun: [String: Timestamp] = [:]
        var ended: Set<String> = []
        var longest = Span.hours(1)
        for event in events {
            if event.image != nil {
                if begun[event.container] == nil { begun[event.container] = event.at }
            } else if let start = begun[event.container], ended.insert(event.container).inserted {
                longest = max(longest, event.at - start)
            }
        }
        let open = begun.keys.filter { !ended.contains($0) }
        let assumed = open.compactMap { name in
            begun[name].map { Event(at: $0 + longest, container: name, image: nil) }
        }
        let made = Set(begun.keys)
        events = (events + assumed).sorted {
            ($0.at, $0.image == nil ? 0 : 1, $0.container) < ($1.at, $1.image == nil ? 0 : 1, $1.container)
        }
        var present: [String: ByteCount] = [:]
        for event in events where !made.contains(event.container) { present[event.container] = .zero }
        var (peak, peakAt, bytes, most) = (present.count, first.at, ByteCount.zero, ByteCount.zero)
        for event in events {
            if let image = event.image {
                guard present[event.container] == nil else { continue }
                present[event.container] = size(image)
                bytes += size(image)
            } else if let copy = present.removeValue(forKey: event.container) {
                bytes -= copy
            }
            if present.count > peak { (peak, peakAt) = (present.count, event.at) }
            most = max(most, bytes)
        }
        self.init(
            containers: peak, at: peakAt, bytes: most, since: first.at, assumedEnds: open.count,
            longest: longest)
    }
}

extension ContainerPeak.Event {
    /// Reads a line of an event log; nil for what is no coming or going of a container.
    init?(_ line: UnsafeRawBufferPointer) {
        let line = UnsafeRawBufferPointer(rebasing: line.dropLast())
        if case .create(let event) = PodmanEventLine(line) {
            guard !event.container.isEmpty else { return nil }
            self.init(at: event.at, container: event.container, image: event.image)
            return
        }
        var reader = FieldReader(line)
        guard reader.begin() else { return nil }
        var fields: [String: String] = [:]
        while let field = reader.next() { fields[reader.text(field.key)] = reader.text(field.value) }
        guard reader.isAtEnd, fields["Type"] == "container", fields["Status"] == "remove",
            let container = fields["ID"], !container.isEmpty,
            let at = fields["Time"].flatMap(PodmanEventLine.instant)
        else { return nil }
        self.init(at: at, container: container, image: nil)
    }
}
