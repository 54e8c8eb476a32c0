import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Daemon

@Suite struct LockedIndexTests {
    /// Another process that holds the index for itself until it is told to end.
    private final class Holder {
        private let process = Process()
        private let input = Pipe()

        init(_ database: String) throws {
            let output = Pipe()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["sqlite3", "-batch", database]
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            input.fileHandleForWriting.write(Data("BEGIN EXCLUSIVE; SELECT 'held';\n".utf8))
            try #require(output.fileHandleForReading.availableData == Data("held\n".utf8))
        }

        func end() throws {
            try input.fileHandleForWriting.close()
            process.waitUntilExit()
        }
    }

    @Test func searchesAreToldToComeBackAndFiguresStand() async throws {
        let bed = try await WebFixture()
        let holder = try Holder(bed.directory.path + "/larder.db")
        for path in ["/api/v1/entries", "/api/v1/runs", "/entries", "/entries/org.example:part3:1.0"] {
            let answer = try await bed.ask(path)
            #expect(answer.status == 503)
            #expect(answer.headers["retry-after"] == "5")
            #expect(!answer.body.contains(bed.directory.path))
        }
        #expect(try await bed.ask("/metrics").status == 200)
        #expect(try await bed.ask("/").status == 200)
        try holder.end()
        #expect(try await bed.ask("/api/v1/entries").status == 200)
        try await bed.stop()
    }

    @Test func figuresThatCannotBeCheckedAnyMoreAreNotShown() async throws {
        // The clock of the bed stands still: whatever is older than less than nothing cannot be trusted.
        let bed = try await WebFixture(pace: .init(trusted: .seconds(-1)))
        for path in ["/metrics", "/", "/api/v1/status"] {
            let answer = try await bed.ask(path)
            #expect(answer.status == 503)
            #expect(answer.headers["retry-after"] == "5")
        }
        #expect(try await bed.ask("/readyz").body.contains("the index, which another process holds"))
        #expect(try await bed.ask("/healthz").status == 200)
        try await bed.stop()
    }

    @Test func anIndexThatTookTheOldOnesPlaceIsRead() async throws {
        let bed = try await WebFixture()
        #expect(try await bed.ask("/api/v1/entries").json["total_entries"] as? Int == 6)
        try bed.directory.shell("cp larder.db other; sqlite3 other 'DELETE FROM entries'; mv other larder.db")
        #expect(try await bed.ask("/api/v1/entries").json["total_entries"] as? Int == 0)
        await bed.server.figures.refresh()
        #expect(try await bed.server.figures.current().volumes.first?.figures.entries == 0)
        try await bed.stop()
    }

    @Test func aChangeOfTheIndexIsSeen() async throws {
        let bed = try await WebFixture()
        _ = try bed.sql("UPDATE volumes SET used_bytes = 12345")
        await bed.server.figures.refresh()
        #expect(
            try await bed.ask("/metrics").body.contains(
                "larder_volume_used_bytes{cluster=\"east\",node=\"n1\",volume=\"build\"} 12345\n"))
        try await bed.stop()
    }
}
