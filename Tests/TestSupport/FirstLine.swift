import Foundation

extension FileHandle {
    /// The first line that comes through a pipe, such as the address of a server that began; nil where it ends before.
    public func firstLine() -> String? {
        var line = Data()
        while !line.contains(10) {
            let part = availableData
            if part.isEmpty { return nil }
            line += part
        }
        return String(decoding: line.prefix { $0 != 10 }, as: UTF8.self)
    }
}
