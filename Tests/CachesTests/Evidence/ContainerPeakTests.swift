import CacheModel
import TestSupport
import Testing

@testable import Caches

/// How many containers were there at once, by the events of their coming and going.
@Suite struct ContainerPeakTests {
    private let image = "registry.example.com/ci/app:1"

    private func remove(_ number: Int, at seconds: Int) -> String {
        let time = Timestamp(seconds: 1_800_000_000 + Int64(seconds)).description
        return #"{"ID":"c\#(number)","Image":"\#(image)","Name":"n","Status":"remove","Time":"\#(time)","#
            + #""Type":"container"}"# + "\n"
    }

    private func peak(_ logs: [String: String]) throws -> ContainerPeak? {
        let directory = try TemporaryDirectory()
        for (name, text) in logs { try directory.write(name, text) }
        return ContainerPeak(logsIn: directory.path) { $0 == image ? ByteCount(100) : .zero }
    }

    @Test func containersOfAllLogsAreCountedTogether() throws {
        let one = EventFixture.create(1) + EventFixture.create(2) + remove(1, at: 3) + remove(2, at: 9)
        let two =
            EventFixture.create(4) + EventFixture.create(5, image: "unknown") + remove(4, at: 8)
            + remove(5, at: 8)
        let found = try #require(try peak(["a.log": one, "b.log": two, "a.log.lock": "", ".tmp": one]))
        // From 5 to 8: 2, 4 and 5.
        #expect(found.containers == 3 && found.at == Timestamp(seconds: 1_800_000_005))
        #expect(found.bytes == ByteCount(200) && found.since == Timestamp(seconds: 1_800_000_001))
    }

    @Test func aContainerWhoseCreationWasRotatedAwayWasThere() throws {
        let found = try #require(
            try peak(["a.log": EventFixture.create(2) + remove(1, at: 3) + remove(2, at: 4)]))
        #expect(found.containers == 2 && found.bytes == ByteCount(100))
    }

    @Test func aContainerThatWasNeverRemovedStays() throws {
        let log = (1...4).map { EventFixture.create($0) }.joined()
        #expect(try peak(["a.log": log, "copy.log": log])?.containers == 4)
    }

    @Test func otherEventsAndNoLogsTellNothing() throws {
        let pull = #"{"Name":"x","Status":"pull","Time":"2026-01-01T00:00:00Z","Type":"image","Image":"i"}"#
        let gone = #"{"ID":"i","Status":"remove","Time":"2026-01-01T00:00:00Z","Type":"image","Image":"i"}"#
        #expect(try peak(["a.log": "\(pull)\n\(gone)\nnonsense\n"]) == nil)
        #expect(ContainerPeak(logsIn: "/nowhere") { _ in .zero } == nil)
    }

    @Test(arguments: 0..<40) func agreesWithCountingAtEveryInstant(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var stays: [ClosedRange<Int>] = []
        for _ in 0..<30 {
            let start = Int.random(in: 0..<200, using: &random)
            stays.append(start...(start + Int.random(in: 1...40, using: &random)))
        }
        let events = stays.enumerated().flatMap { number, stay in
            [
                ContainerPeak.Event(
                    at: Timestamp(seconds: Int64(stay.lowerBound)), container: "\(number)", image: image),
                .init(at: Timestamp(seconds: Int64(stay.upperBound)), container: "\(number)", image: nil),
            ]
        }
        let most =
            (0..<250).map { instant in
                stays.count { $0.lowerBound <= instant && instant < $0.upperBound }
            }.max() ?? 0
        let found = try #require(ContainerPeak(events.shuffled(using: &random)) { _ in ByteCount(7) })
        #expect(found.containers == most && found.bytes == ByteCount(Int64(most) * 7))
    }
}
