import CacheModel
import Testing

@testable import Caches

@Suite struct GoTimeTests {
    // The seconds are GNU date's: `date -ud … +%s`.
    @Test(arguments: [
        ("2026-11-23T12:00:00.123456789+01:00", 1_795_431_600, 123_456_789),
        ("2026-11-23T12:00:00.5-05:30", 1_795_455_000, 500_000_000),
        ("2026-11-23T12:46:23.462391106Z", 1_795_437_983, 462_391_106),
        ("2024-02-29T23:59:59.000000001+14:00", 1_709_200_799, 1),
        ("1970-01-01T00:00:00+00:00", 0, 0),
        ("2026-01-01T00:30:00+01:00", 1_767_223_800, 0),
        ("0001-01-01T00:00:00Z", 0, 0),
        ("", 0, 0),
    ])
    func reads(text: String, seconds: Int64, nanoseconds: Int64) {
        #expect(GoTime.read(text) == Timestamp(seconds: seconds, nanoseconds: nanoseconds))
    }

    @Test(arguments: [
        "2026-11-23", "2026-11-23T12:00:00", "2026-11-23T12:00:00+0100", "2026-11-23T12:00:00+24:00",
        "2026-11-23T12:00:00+01:60", "2026-02-30T12:00:00Z", "2026-11-23T12:00:00.1234567890Z",
        "2026-11-23T12:00:00é+01", "Z", "+01:00", "2026-11-23T12:00:00Z+01:00",
    ])
    func refuses(text: String) {
        #expect(GoTime.read(text) == nil)
    }
}
