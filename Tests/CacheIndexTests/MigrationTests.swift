import CacheModel
import Foundation
import Testing

@testable import CacheIndex

@Suite struct MigrationTests {
    @Test func embeddedFilesAreThoseOfTheFolder() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("migrations")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(files == Schema.migrations.map(\.file))
        for migration in Schema.migrations {
            let file = try Data(contentsOf: folder.appendingPathComponent(migration.file))
            #expect(Array(file) == migration.sql)
        }
    }

    @Test func codesAreThoseOfTheSchema() throws {
        let bed = try IndexFixture()
        _ = try bed.open()
        #expect(try bed.sql("SELECT code, name FROM pools ORDER BY code") == words(Pool.self))
        #expect(try bed.sql("SELECT code, name FROM evidences ORDER BY code") == words(Evidence.self))
        #expect(try bed.sql("SELECT code, name FROM confidences ORDER BY code") == words(Confidence.self))
        let marks = try bed.sql("PRAGMA user_version; PRAGMA application_id")
        #expect(marks == ["\(Schema.migrations.count)", "\(Schema.applicationID)"])
    }

    @Test func everyTableIsStrict() throws {
        let bed = try IndexFixture()
        _ = try bed.open()
        let lax = "SELECT name FROM pragma_table_list WHERE NOT strict AND name NOT LIKE 'sqlite_%'"
        #expect(try bed.sql(lax).isEmpty)
    }

    /// SQLite's integrity_check finds damage where there is none in tables whose primary key is not their first columns.
    @Test func primaryKeysAreTheFirstColumns() throws {
        let bed = try IndexFixture()
        _ = try bed.open()
        let behind = """
            SELECT tables.name, columns.name FROM pragma_table_list AS tables, pragma_table_info(tables.name) AS columns
            WHERE tables.wr AND columns.pk > 0 AND columns.pk <> columns.cid + 1
            """
        #expect(try bed.sql(behind).isEmpty)
        #expect(try bed.sql("SELECT count(*) > 10 FROM pragma_table_list WHERE wr") == ["1"])
    }

    /// An index of a release whose table had the other order keeps all it knows, also where its check is due.
    @Test func anIndexWithWhatNoRecordExplainsIsNotSetAside() throws {
        let bed = try IndexFixture()
        var found = scan(at: 0, [try artifact("a")])
        found.unaccounted = [UnaccountedSpace(kind: .volumes, bytes: ByteCount(4096), detail: "data")]
        _ = try bed.open().record(found, of: bed.volume)
        #expect(try bed.sql("PRAGMA integrity_check") == ["ok"])
        let older = """
            CREATE TABLE other (volume INTEGER NOT NULL REFERENCES volumes (id), kind TEXT NOT NULL, bytes INTEGER NOT NULL,
                lower_bound INTEGER NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (volume, kind, detail)) STRICT, WITHOUT ROWID;
            INSERT INTO other (volume, kind, bytes, lower_bound, detail)
            SELECT volume, kind, bytes, lower_bound, detail FROM unaccounted;
            DROP TABLE unaccounted; ALTER TABLE other RENAME TO unaccounted; PRAGMA user_version = 13
            """
        // What later migrations made is made by them again.
        for migration in Schema.migrations[14...] {
            let sql = String(decoding: migration.sql, as: UTF8.self)
            for made in sql.matches(of: #/CREATE TABLE (\w+)/#) { _ = try bed.sql("DROP TABLE \(made.1)") }
            for made in sql.matches(of: #/ALTER TABLE (\w+) ADD COLUMN (\w+)/#) {
                _ = try bed.sql("ALTER TABLE \(made.1) DROP COLUMN \(made.2)")
            }
        }
        _ = try bed.sql(older)
        try? FileManager.default.removeItem(atPath: bed.database + ".checked")
        let index = try bed.open()
        #expect(index.notices.isEmpty)
        let usage = try #require(try index.usage(of: "build"))
        #expect(usage.entries.count == 1 && usage.unaccounted.map(\.detail) == ["data"])
    }

    private func words<Word: Coded>(_ words: Word.Type) -> [String] {
        words.allCases.sorted { $0.code < $1.code }.map { "\($0.code)|\($0.rawValue)" }
    }
}
