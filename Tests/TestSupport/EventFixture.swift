import CacheModel
import Caches
import Foundation

/// A directory with event logs, and a reader that remembers where it stopped.
package final class EventFixture {
    package let directory: TemporaryDirectory
    private var cursors: [UInt8] = []
    package private(set) var last = PodmanEventLogs.Reading()

    package init() throws { directory = try TemporaryDirectory() }

    /// The line of a container's creation.
    package static func create(_ number: Int, image: String = "registry.example.com/ci/app:1") -> String {
        let time = Timestamp(seconds: 1_800_000_000 + Int64(number)).description
        return #"{"ID":"c\#(number)","Image":"\#(image)","Name":"n","Status":"create","Time":"\#(time)","#
            + #""Type":"container","Attributes":{"a":"}","b":{"c":["]"]}}}"# + "\n"
    }

    package func append(_ numbers: Range<Int>, to name: String = "job.log") throws {
        try append(numbers.map { Self.create($0) }.joined(), to: name)
    }

    package func append(_ text: String, to name: String = "job.log") throws {
        let path = directory.path + "/" + name
        if !directory.exists(name) { try directory.write(name, "") }
        guard let handle = FileHandle(forWritingAtPath: path) else { return }
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    /// Reads, and keeps the cursors unless the process dies before they are.
    package func read(dying: Bool = false, needed: Timestamp? = nil) -> [String] {
        last = PodmanEventLogs(directory: directory.path).read(after: cursors, needed: needed)
        if !dying { cursors = last.cursors }
        return last.events.map(\.container)
    }

    package func ids(_ numbers: Range<Int>) -> [String] { numbers.map { "c\($0)" } }
}
