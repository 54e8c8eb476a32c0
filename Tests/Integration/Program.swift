import Foundation
import TestSupport
import Testing

/// The built program on volumes of a test, run as a user would.
struct Program {
    let state = try? TemporaryDirectory()
    var options: [String]
    /// What must last as long as the program is asked.
    var folder: TemporaryDirectory?

    init(cache: String? = nil, store: String? = nil, socket: String? = nil) {
        options = [
            "--build-cache", cache ?? "/nowhere/cache", "--image-root", store ?? "/nowhere/storage",
            "--socket",
            "unix://" + (socket ?? "/nowhere.sock"),
        ]
    }

    /// A program by a configuration, with file and state in `directory`, that has scanned once.
    static func scanned(_ configuration: String, in directory: TemporaryDirectory) throws -> Program {
        try directory.write("larder.yaml", configuration)
        var program = Program()
        program.options = ["--config", directory.path + "/larder.yaml", "--state", directory.path + "/state"]
        program.folder = directory
        #expect(try program("scan").status == 0)
        return program
    }

    static let path = Testbed.packageRoot + "/.build/debug/larder"

    /// Runs a command with the volumes' options.
    @discardableResult
    func callAsFunction(_ arguments: String...) throws -> ProcessResult {
        let state = try #require(self.state)
        return try run(Self.path, ["--state", state.path + "/state"] + options + arguments)
    }

    /// Runs a command that must end with that status, and reads its JSON.
    func json(_ arguments: String..., status: Int32 = 0) throws -> JSON {
        let state = try #require(self.state)
        let result = try run(
            Self.path, ["--state", state.path + "/state"] + options + arguments + ["--format", "json"])
        #expect(result.status == status, "\(arguments): \(result.output)\(result.errors)")
        return try JSON(result.output)
    }
}

/// A JSON value read by Foundation, for a look at single keys.
struct JSON {
    let value: Any

    init(_ text: String) throws { value = try JSONSerialization.jsonObject(with: Data(text.utf8)) }

    private init(value: Any) { self.value = value }

    subscript(key: String) -> JSON { JSON(value: (value as? [String: Any])?[key] ?? NSNull()) }
    subscript(place: Int) -> JSON {
        let all = value as? [Any] ?? []
        return JSON(value: all.indices.contains(place) ? all[place] : NSNull())
    }
    var array: [JSON] { (value as? [Any] ?? []).map(JSON.init(value:)) }
    var string: String? { value as? String }
    var integer: Int64? { (value as? NSNumber)?.int64Value }
    var bool: Bool? { (value as? NSNumber)?.boolValue }
    var isNull: Bool { value is NSNull }

    /// The volume of that name.
    func volume(_ name: String) -> JSON {
        self["volumes"].array.first { $0["name"].string == name } ?? JSON(value: NSNull())
    }
}
