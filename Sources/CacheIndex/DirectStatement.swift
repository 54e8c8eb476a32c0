import GRDB
import GRDBSQLite

/// A prepared statement whose values go straight to SQLite and come straight from it.
///
/// For the two loops over all entries of a volume: boxing 17 values a row costs as much as writing it. The
/// tables are STRICT, so a column holds what its type says. It must not outlive the block that the connection
/// was given to.
struct DirectStatement {
    private let owner: Statement
    private let handle: SQLiteStatement
    private let db: Database

    /// Prepares a statement, or takes it from the connection's cache.
    init(_ sql: String, _ db: Database) throws {
        owner = try db.cachedStatement(sql: sql)
        handle = owner.sqliteStatement
        self.db = db
        reset()
    }

    /// Makes it ready for the next values.
    func reset() { sqlite3_reset(handle) }

    /// Binds an integer to a parameter, the first of which is 1.
    func bind(_ value: Int64, at parameter: Int32) { sqlite3_bind_int64(handle, parameter, value) }

    /// Binds bytes, which must stay until the next step is done.
    func bind(blob bytes: UnsafeBufferPointer<UInt8>, at parameter: Int32) {
        // An empty blob must not be null.
        guard let start = bytes.baseAddress, !bytes.isEmpty else {
            sqlite3_bind_zeroblob(handle, parameter, 0)
            return
        }
        sqlite3_bind_blob(handle, parameter, start, Int32(bytes.count), nil)
    }

    /// Binds text in UTF-8, which must stay until the next step is done.
    func bind(text: UnsafeBufferPointer<UInt8>, at parameter: Int32) {
        let start = text.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
        sqlite3_bind_text(handle, parameter, start, Int32(text.count), nil)
    }

    /// Runs it to its next row.
    ///
    /// Returns whether there is one.
    func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            let message = db.sqliteConnection.map { String(cString: sqlite3_errmsg($0)) }
            reset()
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message)
        }
    }

    /// An integer of the row, by its column from 0.
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    /// The bytes of a blob or text of the row, until the next step.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
    }
}
