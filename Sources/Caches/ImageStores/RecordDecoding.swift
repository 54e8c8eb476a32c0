import CacheModel
import Foundation

/// A record that is made from the fields of a JSON object.
protocol StoreRecord: Decodable, Sendable {
    init(fields: RecordFields) throws
}

extension StoreRecord {
    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: RecordKey.self)
        do {
            try self.init(fields: RecordFields(object))
        } catch let error as RecordFieldError {
            let place = (decoder.codingPath.last?.intValue).map { "record \($0 + 1)" } ?? "record"
            let id = (try? object.decode(String.self, forKey: RecordKey("id"))) ?? "without an ID"
            let reason = "\(error.key) \(error.reason)"
            throw StoreRecordError(record: "\(place) (\(id.prefix(64)))", reason: reason)
        }
    }
}

/// A key of a record, by its name in the file.
struct RecordKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}

/// The fields of one record.
///
/// An absent key and a null give the empty value, as in Go; a value of another type
/// is an error that names the key.
struct RecordFields {
    private let object: KeyedDecodingContainer<RecordKey>

    init(_ object: KeyedDecodingContainer<RecordKey>) { self.object = object }

    func id() throws -> String {
        let id = try text("id")
        // An ID becomes a path of one component and part of messages.
        guard let path = VolumePath(id), path.components.count == 1, id.utf8.count <= 255 else {
            throw RecordFieldError(
                key: "id", reason: id.isEmpty ? "is absent" : "is no name of one component")
        }
        return id
    }

    func text(_ key: String) throws -> String { try value(key, as: String.self, "a text") ?? "" }

    func texts(_ key: String) throws -> [String] {
        try value(key, as: [String].self, "a list of texts") ?? []
    }

    func integer(_ key: String) throws -> Int64 { try value(key, as: Int64.self, "a whole number") ?? 0 }

    func time(_ key: String) throws -> Timestamp {
        guard let time = GoTime.read(try text(key)) else {
            throw RecordFieldError(key: key, reason: "is no time in RFC 3339")
        }
        return time
    }

    /// The values of one kind in an object; empty where it is none.
    func map<Value: Decodable>(_ key: String, of type: Value.Type) -> [String: Value] {
        (try? object.decodeIfPresent([String: Value].self, forKey: RecordKey(key))) ?? [:]
    }

    /// A flag in an object of flags; what is not `true` is not set (layers.go, Load).
    func flag(_ name: String, in key: String) throws -> Bool {
        let key = RecordKey(key)
        guard object.contains(key), try !object.decodeNil(forKey: key) else { return false }
        guard let flags = try? object.nestedContainer(keyedBy: RecordKey.self, forKey: key) else {
            throw RecordFieldError(key: key.stringValue, reason: "is not an object")
        }
        return (try? flags.decode(Bool.self, forKey: RecordKey(name))) ?? false
    }

    private func value<Value: Decodable>(
        _ key: String, as type: Value.Type, _ expected: String
    ) throws -> Value? {
        do {
            return try object.decodeIfPresent(type, forKey: RecordKey(key))
        } catch {
            throw RecordFieldError(key: key, reason: "is not \(expected)")
        }
    }
}

/// What is wrong with one field of a record.
struct RecordFieldError: Error {
    var key: String
    var reason: String
}

/// What is wrong with one record.
struct StoreRecordError: Error {
    var record: String
    var reason: String
}

extension ImageStoreFolder {
    /// The records in the contents of a file.
    ///
    /// A missing file holds none, and so does an empty volatile one, which is what a crash leaves of it. An
    /// empty stable one is damaged, although Podman would accept it: its images must not pass for gone.
    func records<Record: StoreRecord>(
        _ type: Record.Type, in contents: Data?, of file: StoreRecordFile
    ) throws -> [Record] {
        guard let contents, !(contents.isEmpty && file.isVolatile) else { return [] }
        do {
            // Go writes an empty list that was never made as null.
            return try JSONDecoder().decode([Record]?.self, from: contents) ?? []
        } catch let error as StoreRecordError {
            throw ImageStoreError.record(file: absolutePath(file), record: error.record, reason: error.reason)
        } catch DecodingError.typeMismatch(_, let context) {
            let index = context.codingPath.last?.intValue
            throw ImageStoreError.record(
                file: absolutePath(file), record: index.map { "record \($0 + 1)" } ?? "the whole file",
                reason: index == nil ? "is not a list" : "is not an object")
        } catch {
            throw ImageStoreError.notJSON(file: absolutePath(file), position: faultPosition(contents))
        }
    }

    // JSONDecoder does not tell where the fault is, JSONSerialization does.
    private func faultPosition(_ contents: Data) -> String {
        if contents.isEmpty { return "the file is empty" }
        var message = ""
        do {
            _ = try JSONSerialization.jsonObject(with: contents, options: .fragmentsAllowed)
        } catch let error as NSError {
            message = error.userInfo["NSDebugDescription"] as? String ?? ""
        }
        if message.isEmpty { return "\(contents.count) bytes long" }
        if message.hasPrefix("Unexpected end of file") { return "cut off at byte \(contents.count)" }
        return "\(message.replacing("character", with: "byte")) The file has \(contents.count) bytes"
    }
}
