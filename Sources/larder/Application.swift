import ArgumentParser
import CacheIndex
import CacheModel
import CacheServices
import Caches
import Foundation
import Glibc
import Logging
import PodmanClient
import Reporting

/// Everything a command works with, put together in one place.
struct Application: Sendable {
    var configuration: Configuration
    let format: OutputFormat
    let clock: @Sendable () -> Timestamp
    /// Gets the results instead of standard output; nil for a command that a person ran.
    var listener: (@Sendable (any Report) -> Void)?
    /// What the daemon saw at the volume's path a moment ago; nil for a command that a person ran.
    var seen: RootPresence?

    /// Runs a command's body; an error becomes its message and the contract's exit code.
    static func run(
        _ global: GlobalOptions, _ format: FormatOptions, idleFloor: String? = nil,
        body: (Application) async throws -> Failure.Code?
    ) async throws {
        try await run(global.flags(idleFloor: idleFloor), format, body: body)
    }

    /// The same with flags that are put together already.
    static func run(
        _ flags: ConfigurationFlags, _ format: FormatOptions,
        body: (Application) async throws -> Failure.Code?
    ) async throws {
        do {
            let configuration = try Configuration.load(
                flags: flags, environment: ProcessInfo.processInfo.environment)
            for warning in configuration.warnings {
                Terminal.complain("larder: warning: \(warning)", .warning)
            }
            let application = Application(
                configuration: configuration, format: format.format, clock: systemClock)
            if let code = try await body(application) { throw ExitCode(code.rawValue) }
        } catch let code as ExitCode {
            throw code
        } catch {
            let failure = Failure(error)
            failure.report(as: format.format)
            throw ExitCode(failure.code.rawValue)
        }
    }

    /// The system's clock.
    @Sendable static func systemClock() -> Timestamp {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Timestamp(seconds: Int64(now.tv_sec), nanoseconds: Int64(now.tv_nsec))
    }

    /// Opens the index; says what happened to a damaged one.
    func index(readOnly: Bool = false) throws -> CacheIndex {
        let index = try CacheIndex.open(
            stateDirectory: configuration.stateDirectory, now: clock(), readOnly: readOnly)
        warn(index.notices)
        return index
    }

    /// Takes a volume's lock.
    ///
    /// - Throws: `MaintenanceError`.
    func lock(_ volume: Volume) throws -> LockedVolume { try LockedVolume(volume, now: clock(), seen: seen) }

    /// The volumes that are mounted, and those that are not.
    ///
    /// - Throws: `Failure` where none is.
    func presentVolumes(named name: String? = nil) throws -> (present: [Volume], skipped: [SkippedVolume]) {
        let chosen = configuration.volumes.filter { name == nil || $0.name == name }
        if chosen.isEmpty, let name {
            let known = configuration.volumes.map(\.name).joined(separator: ", ")
            throw Failure.usage("no volume is called \(name); there are: \(known)")
        }
        let present = chosen.filter(LockedVolume.isPresent)
        let skipped = chosen.filter { !LockedVolume.isPresent($0) }
            .map { SkippedVolume(name: $0.name, path: $0.path, reason: "nothing is mounted there") }
        guard !present.isEmpty else {
            throw Failure(
                code: .failed, message: "no volume is mounted: \(chosen.map(\.path).joined(separator: ", "))",
                hint: "mount one, or name its path with --build-cache or --image-root")
        }
        return (present, skipped)
    }

    /// What the index knows of the volumes, in the order of the configuration.
    ///
    /// - Throws: `Failure` where none was ever scanned.
    func usages(_ index: CacheIndex) throws -> [(volume: Volume, usage: VolumeUsage)] {
        let known = try configuration.volumes.compactMap { volume in
            try index.usage(of: volume.name).map { (volume, $0) }
        }
        guard !known.isEmpty else { throw nothingKnown }
        return known.map { ($0.0, $0.1) }
    }

    /// Why nothing can be said before the first scan.
    var nothingKnown: Failure {
        Failure(
            code: .failed, message: "the index in \(configuration.stateDirectory) knows no volume yet",
            hint: "run 'larder scan' first")
    }

    /// The eviction policy of a volume.
    func policy(
        for volume: Volume, target: ByteCount? = nil, selection: EntrySelection? = nil
    ) -> EvictionPolicy {
        EvictionPolicy(
            idleFloor: configuration.idleFloor, keep: volume.keep, poolQuotas: volume.poolQuotas,
            target: target, selection: selection)
    }

    /// Writes a command's result to standard output.
    ///
    /// The only place that tells the formats apart.
    func say(_ report: some Report) throws {
        if let listener { return listener(report) }
        switch format {
        case .text:
            Terminal.say(report.text(width: Terminal.width, color: Terminal.isColoured, now: clock()))
        case .json: Terminal.say(try report.json())
        }
    }

    /// Shows notices on standard error.
    func warn(_ notices: [String]) {
        for notice in notices { Terminal.complain("larder: \(notice)", .warning) }
    }
}
