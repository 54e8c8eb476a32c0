import CacheModel
import GRDB

/// What a row holds that no Larder wrote: a sign of damage.
struct UnreadableRow: Error {
    var what: String
}

/// A word of the contract that the index keeps as a number; `migrations/` lists the words.
protocol Coded: CaseIterable, RawRepresentable, Sendable where RawValue == String {
    /// The number; it never changes once released.
    var code: Int64 { get }
    /// The words at the places of their numbers: every row that is read asks for three.
    static var byCode: [Self?] { get }
}

extension Coded {
    /// The word of that number.
    init(code: Int64) throws {
        guard Self.byCode.indices.contains(Int(code)), let word = Self.byCode[Int(code)] else {
            throw UnreadableRow(what: "no \(Self.self) has the code \(code)")
        }
        self = word
    }

    static func inOrderOfCodes() -> [Self?] {
        (0...7).map { code in allCases.first { $0.code == code } }
    }
}

extension Pool: Coded {
    static let byCode = inOrderOfCodes()
    var code: Int64 {
        switch self {
        case .maven: 1
        case .gradle: 2
        case .gradleOther: 3
        case .images: 4
        case .own(let name): name.code
        }
    }

    /// The pool of that number; those of the user's own are known by what the index told of them.
    init(code: Int64) throws {
        if Self.byCode.indices.contains(Int(clamping: code)), let pool = Self.byCode[Int(code)] {
            self = pool
        } else if let name = OwnPoolName(code: code) {
            self = .own(name)
        } else {
            throw UnreadableRow(what: "no pool has the code \(code)")
        }
    }

    /// Takes note of the pools of the user's own that an index has: they may be of an older configuration, or of another
    /// process.
    @discardableResult static func learnOwn(from db: Database) throws -> [Pool] {
        try String.fetchAll(db.cachedStatement(sql: "SELECT name FROM pools WHERE code > 7")).compactMap(
            Pool.init(named:))
    }
}

extension Evidence: Coded {
    static let byCode = inOrderOfCodes()
    var code: Int64 {
        switch self {
        case .atime: 1
        case .gradleJournal: 2
        case .podmanEvents: 3
        case .firstSeen: 4
        case .mtime: 5
        case .jobLog: 6
        }
    }
}

extension Confidence: Coded {
    static let byCode = inOrderOfCodes()
    var code: Int64 {
        switch self {
        case .none: 0
        case .low: 1
        case .medium: 2
        case .high: 3
        }
    }
}

// Columns are read by position: by name costs a dictionary look-up each, and an entry has eighteen.
extension Row {
    func integer(_ column: Int) throws -> Int64 { try decode(Int64.self, atIndex: column) }
    func time(_ column: Int) throws -> Timestamp { Timestamp(nanoseconds: try integer(column)) }
    func size(_ column: Int) throws -> ByteCount { ByteCount(try integer(column)) }
    func unsigned(_ column: Int) throws -> UInt64 { UInt64(bitPattern: try integer(column)) }
    func text(_ column: Int) throws -> String { try decode(String.self, atIndex: column) }
    func flag(_ column: Int) throws -> Bool { try integer(column) != 0 }
    func pool(_ column: Int) throws -> Pool { try Pool(code: integer(column)) }
    func evidence(_ column: Int) throws -> Evidence { try Evidence(code: integer(column)) }
    func confidence(_ column: Int) throws -> Confidence { try Confidence(code: integer(column)) }

    func bytes(_ column: Int) throws -> [UInt8] {
        try withUnsafeData(atIndex: column) { $0.map { [UInt8]($0) } ?? [] }
    }

    func path(_ column: Int) throws -> VolumePath {
        guard let path = VolumePath(bytes: try bytes(column)) else {
            throw UnreadableRow(what: "a path that leads nowhere")
        }
        return path
    }
}

extension String {
    /// The text in a pattern of LIKE with `ESCAPE '\'`, where it stands for itself.
    var escapedForLike: String {
        replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
    }
}
