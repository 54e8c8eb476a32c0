import CacheModel
import GRDB

extension CacheIndex {
    /// What webhooks were last told of a state of a volume, and when; nil where nothing was, or the state was over since.
    ///
    /// - Throws: `IndexError`.
    package func told(of event: String, on volume: String) throws -> (state: String, at: Timestamp)? {
        try reading { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT state, at FROM told WHERE event = ? AND volume = ?",
                arguments: [event, volume])
            return try row.map { (try $0.text(0), try $0.time(1)) }
        }
    }

    /// Takes down what webhooks were told of a state of a volume.
    ///
    /// - Parameter state: what was told; nil where the state is over.
    /// - Throws: `IndexError`.
    package func recordTold(of event: String, on volume: String, state: String?, at: Timestamp) throws {
        try writing { db in
            if let state {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO told (event, volume, state, at) VALUES (?, ?, ?, ?)",
                    arguments: [event, volume, state, at.nanoseconds])
            } else {
                try db.execute(
                    sql: "DELETE FROM told WHERE event = ? AND volume = ?", arguments: [event, volume])
            }
        }
    }
}
