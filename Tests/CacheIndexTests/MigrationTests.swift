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

    private func words<Word: Coded>(_ words: Word.Type) -> [String] {
        words.allCases.sorted { $0.code < $1.code }.map { "\($0.code)|\($0.rawValue)" }
    }
}
