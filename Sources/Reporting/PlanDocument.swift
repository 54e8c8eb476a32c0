import CacheModel
import Foundation

/// A `larder.plan/1` file read back, for `prune --plan`.
package struct PlanDocument: Sendable, Hashable {
    /// What goes from one volume.
    package struct Volume: Sendable, Hashable {
        /// Its name.
        package var name: String
        /// What was used when the plan was made.
        package var usedBytes: ByteCount
        /// The quota the plan was made under.
        package var quota: Quota
        /// The size the plan comes down to.
        package var goal: ByteCount
        /// What goes, in order.
        package var evict: [Line]
        /// What the plan frees.
        package var freedBytes: ByteCount
        /// Whether the plan reaches its goal.
        package var reachesGoal: Bool
    }

    /// One entry that goes.
    package struct Line: Sendable, Hashable {
        /// The pool it belongs to.
        package var pool: Pool
        /// Its name in the tool's own notation.
        package var key: String
        /// Where it lies; for an image, its ID.
        package var path: VolumePath
        /// The inode of its directory; zero for an image.
        package var inode: UInt64
        /// What it occupied.
        package var bytes: ByteCount
        /// What its removal frees at its place in the order.
        package var exclusiveBytes: ByteCount
        /// The newest access time among its files when the plan was made.
        package var accessed: Timestamp
        /// Its last use, to the second.
        package var lastUsed: Timestamp
        /// Why it goes.
        package var reason: String
    }

    /// The plan's ID.
    package var plan: String
    /// When it was made.
    package var createdAt: Timestamp
    /// The volumes.
    package var volumes: [Volume]

    /// Reads a plan file.
    ///
    /// Throws `PlanDocumentError`, which names what is wrong and where.
    package static func read(_ data: [UInt8]) throws -> PlanDocument {
        let decoder = JSONDecoder()
        do {
            // The schema first: another one may have any other keys.
            let schema = try decoder.decode(PlanFile.Header.self, from: Data(data)).schema
            guard schema == "larder.plan/1" else {
                throw PlanDocumentError(place: "schema", problem: "larder.plan/1 expected, not \(schema)")
            }
            return try decoder.decode(PlanFile.self, from: Data(data)).document()
        } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
            throw PlanDocumentError(place: "", problem: flaw(in: data))
        } catch let error as DecodingError {
            throw PlanDocumentError(error)
        }
    }
}

extension PlanDocument {
    /// Where the data stops being JSON: Foundation's other reader says so, its decoder does not.
    private static func flaw(in data: [UInt8]) -> String {
        do {
            _ = try JSONSerialization.jsonObject(with: Data(data), options: .fragmentsAllowed)
            return "a JSON object expected"
        } catch {
            let message = (error as NSError).userInfo["NSDebugDescription"] as? String
            return "no JSON: \(message ?? error.localizedDescription)"
        }
    }
}

/// What is wrong with a plan file, and where.
package struct PlanDocumentError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The place: `volumes[0].evict[12].path`; empty for the file as a whole.
    package var place: String
    /// What is wrong there, and what was expected.
    package var problem: String

    /// Makes an error from its two texts.
    package init(place: String, problem: String) {
        self.place = place
        self.problem = problem
    }

    /// What is wrong, where, and what to do.
    package var description: String {
        let at = place.isEmpty ? "" : " at \(place)"
        return "not a plan\(at): \(problem); make one with larder plan --output FILE"
    }
}

extension PlanDocumentError {
    fileprivate init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self.init(place: Self.place(context.codingPath + [key]), problem: "missing")
        case .valueNotFound(_, let context):
            self.init(place: Self.place(context.codingPath), problem: "null, a value expected")
        case .typeMismatch(let type, let context):
            self.init(place: Self.place(context.codingPath), problem: "\(Self.name(of: type)) expected")
        case .dataCorrupted(let context):
            self.init(place: Self.place(context.codingPath), problem: context.debugDescription)
        @unknown default: self.init(place: "", problem: "\(error)")
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.reduce("") { place, key in
            if let index = key.intValue { return "\(place)[\(index)]" }
            return place.isEmpty ? key.stringValue : "\(place).\(key.stringValue)"
        }
    }

    private static func name(of type: Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is Bool.Type: "true or false"
        case is any FixedWidthInteger.Type: "a whole number"
        case is [Any].Type: "a list"
        default: "an object"
        }
    }
}
