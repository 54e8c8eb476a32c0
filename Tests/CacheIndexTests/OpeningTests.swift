import CacheModel
import Foundation
import Synchronization
import Testing

@testable import CacheIndex

@Suite struct OpeningTests {
    /// An index with a few hundred entries, closed again.
    private func filled() throws -> IndexFixture {
        let bed = try IndexFixture()
        let entries = try (100..<500).map { try artifact("lib\($0)") }
        _ = try bed.open().record(scan(at: 0, entries), of: bed.volume)
        return bed
    }

    @Test func makesWhatIsMissingAndKeepsWhatIsThere() throws {
        let bed = try IndexFixture()
        try FileManager.default.removeItem(atPath: bed.directory)
        let index = try bed.open()
        #expect(index.notices.isEmpty)
        _ = try index.record(scan(at: 0, [artifact("a")]), of: bed.volume)
        #expect(try bed.open().usage(of: "build")?.entries.count == 1)
        #expect(try bed.sql("PRAGMA journal_mode") == ["delete"])
        #expect(try bed.files == ["larder.db"])
    }

    @Test(arguments: [Data("not a database".utf8), Data(repeating: 0xa5, count: 9000), Data()])
    func setsAsideWhatIsNoDatabase(_ rubbish: Data) throws {
        let bed = try IndexFixture()
        try rubbish.write(to: URL(fileURLWithPath: bed.database))
        let index = try bed.open()
        let kept = bed.database + ".damaged-20270115T080000Z"
        #expect(FileManager.default.contents(atPath: kept) == rubbish)
        #expect(index.notices.count == 1)
        #expect(index.notices.first?.contains(kept) == true)
        #expect(index.notices.first?.contains("lost") == true)
        #expect(try index.record(scan(at: 0, [artifact("a")]), of: bed.volume).baseline)
        #expect(try bed.open().notices.isEmpty)
    }

    @Test func setsAsideATruncatedDatabase() throws {
        let bed = try filled()
        let whole = try #require(FileManager.default.contents(atPath: bed.database))
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: bed.database))
        let kept = bed.database + ".damaged-20270115T080000Z"
        try Data("an earlier one".utf8).write(to: URL(fileURLWithPath: kept))
        let index = try bed.open()
        #expect(index.notices.first?.contains(kept + "-2") == true)
        #expect(FileManager.default.contents(atPath: kept) == Data("an earlier one".utf8))
        #expect(FileManager.default.contents(atPath: kept + "-2")?.count == whole.count / 2)
        #expect(try index.usage(of: "build") == nil)
    }

    @Test func setsAsideTheJournalToo() throws {
        let bed = try IndexFixture()
        try Data().write(to: URL(fileURLWithPath: bed.database))
        let journal = Data("left over".utf8)
        try journal.write(to: URL(fileURLWithPath: bed.database + "-journal"))
        _ = try bed.open()
        let kept = bed.database + ".damaged-20270115T080000Z-journal"
        #expect(FileManager.default.contents(atPath: kept) == journal)
    }

    @Test func damageThatAQueryMeetsIsMendedAtTheNextOpening() throws {
        let bed = try filled()
        var file = try #require(FileManager.default.contents(atPath: bed.database))
        let roots = try bed.sql("SELECT rootpage FROM sqlite_schema WHERE name = 'entries'")
        let root = try #require(roots.first)
        let page = (try #require(Int(root)) - 1) * 4096
        file.replaceSubrange(page..<page + 4096, with: Data(repeating: 0x5a, count: 4096))
        try file.write(to: URL(fileURLWithPath: bed.database))
        let index = try bed.open(readOnly: true)
        let error = #expect(throws: IndexError.self) { _ = try index.usage(of: "build") }
        #expect(error?.message.contains("is damaged") == true)
        #expect(error?.description.contains("larder scan") == true)
        #expect(try bed.open().notices.count == 1)
        #expect(try bed.open().notices.isEmpty)
    }

    /// `quick_check` passes over a bit of a path, in the table or in an order; scans would tell of entries that came and
    /// went for ever.
    @Test(arguments: [0, 1]) func aFlippedBitIsFoundAndPutInOrder(place: Int) throws {
        let bed = try IndexFixture()
        let entries = try (100..<300).map { try artifact("lib\($0)") }
        _ = try bed.open().record(scan(at: 0, entries), of: bed.volume)
        var file = try Data(contentsOf: URL(fileURLWithPath: bed.database))
        var found: [Data.Index] = []
        var from = file.startIndex
        while let range = file.range(of: Data("repository/lib150/1.0".utf8), in: from..<file.endIndex) {
            found.append(range.upperBound - 1)
            from = range.upperBound
        }
        #expect(found.count == 2)
        file[found[place]] ^= 1
        try file.write(to: URL(fileURLWithPath: bed.database))
        var told: [[Int64]] = []
        for time in 1...6 {
            do {
                let index = try CacheIndex.open(stateDirectory: bed.directory, now: hour(Int64(time) * 30))
                told += try index.record(scan(at: Int64(time) * 30, entries), of: bed.volume).pools.map {
                    [$0.entries, $0.new, $0.gone]
                }
            } catch IndexError.damaged {}
        }
        #expect(told.suffix(3) == [[200, 0, 0], [200, 0, 0], [200, 0, 0]])
        #expect(try bed.sql("PRAGMA integrity_check") == ["ok"])
        #expect(try bed.files == ["larder.db"])
    }

    @Test func aSuspicionWithoutDamageChangesNothing() throws {
        let bed = try filled()
        try Data().write(to: URL(fileURLWithPath: bed.database + ".suspect"))
        let index = try bed.open()
        #expect(index.notices.isEmpty)
        #expect(try index.usage(of: "build")?.entries.count == 400)
        #expect(try bed.files == ["larder.db"])
    }

    @Test(arguments: [false, true]) func refusesADirectory(_ readOnly: Bool) throws {
        let bed = try IndexFixture()
        try FileManager.default.createDirectory(atPath: bed.database, withIntermediateDirectories: false)
        #expect(throws: IndexError.notAFile(path: bed.database)) { _ = try bed.open(readOnly: readOnly) }
    }

    @Test(arguments: [false, true]) func refusesANewerSchemaAndOtherPrograms(_ readOnly: Bool) throws {
        let bed = try filled()
        _ = try bed.sql("PRAGMA user_version = 99")
        let known = Schema.migrations.count
        #expect(throws: IndexError.newerSchema(path: bed.database, found: 99, known: known)) {
            _ = try bed.open(readOnly: readOnly)
        }
        _ = try bed.sql("PRAGMA application_id = 5")
        #expect(throws: IndexError.foreign(path: bed.database)) { _ = try bed.open(readOnly: readOnly) }
        #expect(try bed.files == ["larder.db"])
    }

    /// The file of one that is just beginning is empty, and no damaged one for the others.
    @Test func manyMayBeginOneAtOnce() throws {
        for _ in 0..<20 {
            let bed = try IndexFixture()
            let (directory, now) = (bed.directory, Timestamp(seconds: 1_700_000_000))
            let errors = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: 6) { _ in
                do {
                    let index = try CacheIndex.open(stateDirectory: directory, now: now)
                    errors.withLock { $0 += index.notices }
                    _ = try index.volumes()
                } catch {
                    errors.withLock { $0.append("\(error)") }
                }
            }
            #expect(errors.withLock { $0 } == [])
        }
    }

    /// Reading takes a shared lock, which a writer that has not begun to commit allows.
    @Test func neitherReadingNorOpeningWaitsForAWriter() throws {
        let bed = try filled()
        let writer = Process()
        writer.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        writer.arguments = ["sqlite3", "-batch", bed.database]
        let (input, output) = (Pipe(), Pipe())
        (writer.standardInput, writer.standardOutput) = (input, output)
        try writer.run()
        defer {
            try? input.fileHandleForWriting.close()
            writer.waitUntilExit()
        }
        input.fileHandleForWriting.write(Data("BEGIN IMMEDIATE; SELECT 'begun';\n".utf8))
        #expect(output.fileHandleForReading.availableData == Data("begun\n".utf8))
        let index = try bed.open()
        #expect(try index.usage(of: "build")?.entries.count == 400)
        #expect(throws: IndexError.busy(path: bed.database)) {
            _ = try index.record(scan(at: 1, []), of: bed.volume)
        }
    }

    @Test func readsWithoutChangingAnything() throws {
        let bed = try IndexFixture()
        #expect(throws: IndexError.missing(path: bed.database)) { _ = try bed.open(readOnly: true) }
        _ = try bed.open().record(scan(at: 0, [artifact("a")]), of: bed.volume)
        let directory: [FileAttributeKey: Any] = [.posixPermissions: 0o555]
        try FileManager.default.setAttributes(directory, ofItemAtPath: bed.directory)
        defer {
            let restored: [FileAttributeKey: Any] = [.posixPermissions: 0o755]
            try? FileManager.default.setAttributes(restored, ofItemAtPath: bed.directory)
        }
        let index = try bed.open(readOnly: true)
        #expect(try index.usage(of: "build")?.entries.count == 1)
        let refused = #expect(throws: IndexError.self) {
            _ = try index.record(scan(at: 1, [artifact("a")]), of: bed.volume)
        }
        guard case .failed = refused else {
            Issue.record("not the error of a database that is only read: \(String(describing: refused))")
            return
        }
        #expect(try bed.files == ["larder.db"])
    }

    /// No user may make a directory there, root included.
    @Test func namesAStateDirectoryThatCannotBeMade() throws {
        let error = #expect(throws: IndexError.self) {
            _ = try CacheIndex.open(stateDirectory: "/proc/larder", now: hour(0))
        }
        #expect(error?.message.contains("/proc/larder") == true)
        #expect(error?.remedy.contains("--state") == true)
    }
}
