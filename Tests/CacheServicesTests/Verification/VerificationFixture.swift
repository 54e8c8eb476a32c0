import CacheIndex
import CacheModel
import Digests
import FileAccess
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import CacheServices

/// A build volume with real files, an index, and the way from a scan to a verification.
struct VerificationFixture {
    let directory: TemporaryDirectory
    let state: TemporaryDirectory
    let index: CacheIndex
    var volume: Volume

    init() throws {
        directory = try TemporaryDirectory()
        state = try TemporaryDirectory()
        index = try CacheIndex.open(stateDirectory: state.path, now: Self.now())
        volume = Volume(name: "build", kind: .buildCache, path: directory.path)
    }

    static let now: @Sendable () -> Timestamp = {
        Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9))
    }

    /// Makes `g:<name>:1` with a real jar of some size, its checksum files and a pom, 40 days old.
    func add(_ name: String, checksums: [String] = ["sha1"], kilobytes: Int = 20) throws {
        let path = Self.path(name)
        try directory.write(
            "\(path)/\(name)-1.pom", "<project><groupId>g</groupId><artifactId>\(name)</artifactId></project>"
        )
        try directory.write(
            "\(path)/_remote.repositories", "\(name)-1.jar>central=\n\(name)-1.pom>central=\n")
        try directory.shell(
            """
            cd \(path); head -c \(kilobytes * 1024) /dev/urandom > data
            python3 -m zipfile -c \(name)-1.jar data \(name)-1.pom; rm data
            for sum in \(checksums.joined(separator: " ")); do
                for file in \(name)-1.jar \(name)-1.pom; do
                    ${sum}sum $file | cut -d' ' -f1 | tr -d '\\n' > $file.$sum
                done
            done
            """)
        try age(path)
    }

    /// Makes a module file in the directory that Gradle gives it.
    func addModule(_ name: String, content: String) throws {
        try directory.write("file", content)
        let digits = try directory.shell("sha1sum file | cut -c1-40").dropLast()
        let path = "caches/modules-2/files-2.1/org.x/\(name)/1.0"
        try directory.shell("mkdir -p \(path)/\(digits.drop { $0 == "0" })")
        try directory.shell("mv file \(path)/\(digits.drop { $0 == "0" })/\(name)-1.0.jar")
        try age(path)
    }

    static func path(_ name: String) -> String { ".m2/repository/g/\(name)/1" }

    /// Makes all below a path look 40 days old.
    func age(_ path: String) throws {
        try directory.shell("find '\(path)' -depth -exec touch -h -d '40 days ago' {} +")
    }

    /// Scans and reads what the index knows then.
    func usage() throws -> VolumeUsage {
        let locked = try LockedVolume(volume, now: Self.now())
        _ = try ScanService(index: index, clock: Self.now).run(locked)
        return try #require(try index.usage(of: volume.name))
    }

    /// Scans and verifies.
    func verify(
        pool: Pool? = nil, pace: ReadingPace = ReadingPace(), idleFloor: Span = .hours(24),
        uptime: @escaping @Sendable () -> Span = { .zero },
        wait: @escaping @Sendable (Span) -> Void = { _ in }
    ) throws -> VerifiedVolume {
        let verifier = Verifier(
            index: index, pace: pace, idleFloor: idleFloor, clock: Self.now, uptime: uptime, wait: wait)
        return try verifier.verify(volume, try usage(), pool: pool)
    }

    /// Scans, verifies and moves what is damaged into the trash.
    func quarantine(
        run: String = "20260101T000000Z-0000", limits: Pruner.Limits? = nil, idleFloor: Span = .hours(24),
        before change: () throws -> Void = {}
    ) throws -> VerifiedVolume {
        let usage = try usage()
        let verified = try Verifier(index: index, idleFloor: idleFloor, clock: Self.now).verify(volume, usage)
        try change()
        let locked = try LockedVolume(volume, now: Self.now())
        return try Pruner(index: index, limits: limits, idleFloor: idleFloor, clock: Self.now)
            .quarantine(locked, verified, usage: usage, run: run).verified
    }

    func digits(of name: String, _ algorithm: DigestFunction) throws -> String {
        let root = try OpenDirectory.open(root: directory.path)
        let file = try #require(try NoAtimeFile.open(name.utf8.cString, in: root))
        return try PacedReader(ReadingPace(), uptime: { .zero }, wait: { _ in }).digits(of: file, algorithm)
            ?? ""
    }

    /// What the sqlite3 command answers.
    func sql(_ query: String) throws -> String {
        try state.shell("sqlite3 -batch larder.db \"\(query)\"").trimmingCharacters(
            in: .whitespacesAndNewlines)
    }
}
