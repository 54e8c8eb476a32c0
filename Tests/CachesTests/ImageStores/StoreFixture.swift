import CacheModel
import Foundation
import TestSupport

@testable import Caches

/// A store's record files in a temporary directory, written as Podman writes them.
final class StoreFixture: Sendable {
    let folder: TemporaryDirectory
    let driver: any StoreDriver
    var root: String { folder.path }

    init(_ driver: any StoreDriver = VfsDriver()) throws {
        self.driver = driver
        folder = try TemporaryDirectory()
    }

    var reader: ImageStoreReader { ImageStoreReader(root: root) }

    func path(_ file: StoreRecordFile) -> String { "\(root)/\(file.path(of: driver))" }

    /// Replaces a file by a rename, as containers/storage does.
    func write(_ file: StoreRecordFile, _ text: String) throws {
        try write(file, Data(text.utf8))
    }

    func write(_ file: StoreRecordFile, _ data: Data) throws {
        try stage(file, data)
        try publish(file)
    }

    func write(_ file: StoreRecordFile, _ records: [JSON]) throws { try write(file, JSON.document(records)) }

    /// Writes the next version of a file under a temporary name.
    func stage(_ file: StoreRecordFile, _ data: Data) throws {
        let folder = "\(root)/\(driver.recordFolder(file.kind))"
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw POSIXError(.EIO) }
        try data.write(to: URL(fileURLWithPath: "\(folder)/.tmp-\(file.name)"))
    }

    /// Gives the staged version the file's name.
    func publish(_ file: StoreRecordFile) throws {
        guard rename("\(root)/\(driver.recordFolder(file.kind))/.tmp-\(file.name)", path(file)) == 0 else {
            throw POSIXError(.EIO)
        }
    }
}

/// An object whose values are given as JSON text.
struct JSON {
    var fields: [(String, String)]

    var text: String { "{\(fields.map { "\(quoted($0.0)):\($0.1)" }.joined(separator: ","))}" }

    static func document(_ records: [JSON]) -> String { "[\(records.map(\.text).joined(separator: ","))]" }

    static func image(
        _ id: String, layer: String, names: [String] = [], history: [String] = [], digest: String = "",
        mapped: [String] = [], created: String = "2020-01-01T00:00:00Z"
    ) -> JSON {
        JSON(fields: [
            ("id", quoted(id)), ("digest", quoted(digest)), ("names", list(names)),
            ("names-history", list(history)), ("layer", quoted(layer)), ("mapped-layers", list(mapped)),
            ("created", quoted(created)), ("big-data-names", list(["manifest"])),
        ])
    }

    static func layer(
        _ id: String, parent: String? = nil, size: Int64 = 0, incomplete: Bool = false,
        created: String = "2026-11-23T12:46:23.462391106Z"
    ) -> JSON {
        var fields = [("id", quoted(id)), ("created", quoted(created)), ("gidset", "[0,70]")]
        if let parent { fields.append(("parent", quoted(parent))) }
        if size != 0 { fields.append(("diff-size", "\(size)")) }
        if incomplete { fields.append(("flags", "{\"incomplete\":true,\"other\":[1]}")) }
        return JSON(fields: fields)
    }

    static func container(
        _ id: String, image: String, layer: String, created: String = "2026-11-23T12:00:00Z",
        metadata: String = ""
    ) -> JSON {
        JSON(fields: [
            ("id", quoted(id)), ("image", quoted(image)), ("layer", quoted(layer)),
            ("created", quoted(created)), ("metadata", quoted(metadata)), ("names", list(["job"])),
        ])
    }
}

/// A JSON string.
func quoted(_ text: String) -> String {
    (try? String(decoding: JSONEncoder().encode(text), as: UTF8.self)) ?? "\"\""
}

private func list(_ texts: [String]) -> String { "[\(texts.map(quoted).joined(separator: ","))]" }

/// A made-up ID of 64 digits that begins with the given ones.
func hex(_ digits: String) -> String { digits + String(repeating: "0", count: 64 - digits.count) }

extension StoreRecordFile {
    /// The file's path below the store's root.
    func path(of driver: any StoreDriver = VfsDriver()) -> String { "\(driver.recordFolder(kind))/\(name)" }
}
