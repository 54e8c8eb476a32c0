import CacheModel
import Foundation
import Glibc

/// Notices that the clock was set: by the time that the kernel counted since the last scan.
///
/// The wall clock can be set, the time since boot cannot. Both are noted after each scan, in the file
/// `clock.json` of the state directory, with the ID of the boot; while the machine was not booted anew and no
/// other one has the volume, both must have moved by the same. After a leap forward every entry would look
/// idle for long.
struct ClockJumpDetector {
    /// What is noted.
    struct Note: Codable, Equatable {
        /// The boot's ID, as in `/proc/sys/kernel/random/boot_id`.
        var boot: String
        /// The wall clock.
        var wall: Timestamp
        /// Nanoseconds since boot, sleep included.
        var uptime: Int64
    }

    private let path: String

    /// How far the clock may be set without harm: as far as the idle floor's default reaches.
    static let tolerance = Span.days(1)

    /// How far the clock may be ahead of the volume's own: a read that the volume dates so much earlier than it is
    /// looks that much longer ago.
    static let aheadOfVolume = Span.hours(1)

    /// The detector in a state directory.
    init(stateDirectory: String) { path = stateDirectory + "/clock.json" }

    /// What both clocks show now; nil where the kernel does not tell.
    static func note(now: Timestamp) -> Note? {
        var uptime = timespec()
        guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
            clock_gettime(CLOCK_BOOTTIME, &uptime) == 0
        else { return nil }
        return Note(
            boot: boot.trimmingCharacters(in: .whitespacesAndNewlines), wall: now,
            uptime: Int64(uptime.tv_sec) * 1_000_000_000 + Int64(uptime.tv_nsec))
    }

    /// The time that the clock should show, where it shows one more than a day away from it; else nil.
    static func expected(_ now: Note, since last: Note) -> Timestamp? {
        let elapsed = now.uptime.subtractingReportingOverflow(last.uptime)
        guard now.boot == last.boot, !elapsed.overflow, elapsed.partialValue >= 0 else { return nil }
        let should = last.wall + Span(nanoseconds: elapsed.partialValue)
        return now.wall < should - tolerance || now.wall > should + tolerance ? should : nil
    }

    /// The same for this moment; nil as well where nothing was noted.
    func expected(now: Timestamp) -> Timestamp? {
        guard let data = FileManager.default.contents(atPath: path),
            let last = try? JSONDecoder().decode(Note.self, from: data), let note = Self.note(now: now)
        else { return nil }
        return Self.expected(note, since: last)
    }

    /// Notes both clocks.
    ///
    /// Where that cannot be written, the last note stands, which holds as well.
    func record(now: Timestamp) {
        guard let note = Self.note(now: now), let data = try? JSONEncoder().encode(note) else { return }
        // Under a name of its own: what a kill leaves is written over by the next note.
        let draft = path + ".new"
        guard (try? data.write(to: URL(fileURLWithPath: draft))) != nil else {
            unlink(draft)
            return
        }
        rename(draft, path)
    }
}
