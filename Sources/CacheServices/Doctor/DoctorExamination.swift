import CLinux
import CacheIndex
import CacheModel
import Caches
import FileAccess
import Foundation
import PodmanClient

/// Looks at volumes, stores, Podman and the kernel, and has `Doctor` judge it.
///
/// It writes nothing but what a scan writes to: Larder's own folder on each volume, for the probe of access times.
package struct DoctorExamination: Sendable {
    private let volumes: [Volume]
    private let sockets: [String: String]
    private let stateDirectory: String
    private let deadline: Span
    private let clock: @Sendable () -> Timestamp

    /// Examines those volumes; `sockets` has the URL of each image store's Podman by the volume's name.
    package init(
        volumes: [Volume], sockets: [String: String], stateDirectory: String, deadline: Span,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.volumes = volumes
        self.sockets = sockets
        self.stateDirectory = stateDirectory
        self.deadline = deadline
        self.clock = clock
    }

    /// Looks, and judges.
    package func diagnosis() async -> Diagnosis {
        var facts = DoctorFacts(
            now: clock(), process: ProcessExamination.process(), state: state())
        facts.kernel = ProcessExamination.kernel(of: facts.process)
        facts.files = PodmanFiles.read(environment: ProcessInfo.processInfo.environment)
        let index = try? CacheIndex.open(stateDirectory: stateDirectory, now: facts.now, readOnly: true)
        for volume in volumes {
            var found = DoctorFacts.VolumeFacts(volume: volume)
            examine(&found)
            found.lastScan = try? index?.lastScan(of: volume.name)
            found.immovable = (try? index?.scanWarnings(of: volume.name))?.first {
                $0.code == ScanService.immovableCode
            }
            if volume.kind == .imageStore {
                found.store = store(of: volume)
                found.store?.unaccounted =
                    (try? index?.figures())?.first { $0.name == volume.name }?.unaccounted ?? []
                if let url = sockets[volume.name] { found.store?.socket = await socket(url) }
            }
            facts.volumes.append(found)
        }
        return Doctor(facts: facts).diagnosis()
    }

    private func examine(_ found: inout DoctorFacts.VolumeFacts) {
        let volume = found.volume
        guard LockedVolume.isPresent(volume), let root = try? OpenDirectory.open(root: volume.path),
            let stat = try? root.stat()
        else { return }
        found.mount = Self.mount(root)
        (found.owner, found.mode) = (stat.uid, stat.mode & 0o7777)
        do throws(MaintenanceError) {
            let locked = try LockedVolume(volume, now: clock())
            switch locked.folder {
            case .success(let folder):
                if volume.kind == .buildCache {
                    found.evidence = AtimeProbe(in: folder.own).run()
                    found.unpurged = ((try? Trash(folder).runs()) ?? []).flatMap(\.unpurged)
                }
            case .failure where volume.isReadOnly: break
            case .failure(let error):
                found.folderFailure = error.description
                if volume.kind == .buildCache {
                    found.evidence = EvidenceQuality(.low, reason: "access times could not be probed")
                }
            }
        } catch {
            if case .held = error { found.isHeld = true } else { found.folderFailure = error.description }
        }
        switch volume.kind {
        case .buildCache: found.journals = Self.journals(below: root)
        case .imageStore:
            found.eventLogs = PodmanEventLogs(directory: volume.eventsPath).read(after: []).files
        }
    }

    static func mount(_ root: OpenDirectory) -> DoctorFacts.Mount {
        var mount = DoctorFacts.Mount(type: "unknown", options: [])
        mount.device = (try? root.stat().device) ?? 0
        mount.network = NetworkFileSystem.name(of: root)
        if let capacity = Capacity(descriptor: root.descriptor) { mount.capacity = capacity }
        let id = (try? root.stat().mount) ?? 0
        let table = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        // proc_pid_mountinfo(5): ID, parent, device, root, place, options, fields…, a dash, type, source, options.
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 8, UInt64(fields[0]) == id, let dash = fields.firstIndex(of: "-"),
                dash + 3 < fields.count
            else { continue }
            mount.type = String(fields[dash + 1])
            mount.options = Set(
                (fields[5].split(separator: ",") + fields[dash + 3].split(separator: ",")).map(String.init))
        }
        return mount
    }

    /// The Gradle homes at the volume's root and one directory below it, with what is wrong with their journals.
    private static func journals(below root: OpenDirectory) -> [String: String] {
        var found: [String: String] = [:]
        let names = ((try? root.names()) ?? []).prefix(1000)
        let homes =
            [("", root)]
            + names.compactMap { name in
                (try? root.open(name)).map { (escaped(name.dropLast().map(UInt8.init(bitPattern:))), $0) }
            }
        for (name, home) in homes {
            do {
                if try GradleJournal.read(home: home) != nil { found[name] = "" }
            } catch { found[name] = "\(error)" }
        }
        return found
    }

    private func store(of volume: Volume) -> DoctorFacts.Store {
        var found = DoctorFacts.Store()
        guard let root = try? OpenDirectory.open(root: volume.path) else { return found }
        let reader = ImageStoreReader(of: volume)
        let drivers = try? reader.drivers()
        let driver: any StoreDriver = drivers?.used ?? VfsDriver()
        found.driver = driver.name
        found.heldLock = StoreActivity(root: root, driver: driver).heldLock
        found.holdsPodmanRecords = ["libpod/bolt_state.db", "db.sql"].contains { name in
            access("\(volume.path)/\(name)", F_OK) == 0
        }
        found.otherDrivers =
            (drivers?.others.map(\.name) ?? [])
            + StoreDrivers.unknown.filter { access("\(volume.path)/\($0)-images", F_OK) == 0 }
        do {
            let store = try reader.read()
            found.images = store.images.count
            found.containers = store.containers.count
            // Other drivers and layers left behind have findings of their own.
            found.problems = store.problems.filter { problem in
                !found.otherDrivers.contains { problem.contains("of the \($0) driver") }
                    && !problem.contains("not completely written")
            }
            let entries = store.entries()
            found.idlePatterns = volume.keep.filter { pattern in
                let pattern = ImagePattern(pattern)
                return !entries.contains { pattern.matches($0, anyRegistry: true) }
            }
            let orphans = StoreOrphans(root: root, driver: driver)
            found.orphans = try orphans.find(in: store, now: clock()) { try reader.read() }
            found.layersWithoutDirectory = orphans.layersWithoutDirectory(in: store, now: clock())
        } catch { found.failure = "\(error)" }
        return found
    }

    func socket(_ url: String) async -> DoctorFacts.Socket {
        let path = String(url.dropFirst("unix://".count))
        var found = DoctorFacts.Socket(path: path)
        var status = stat()
        guard stat(path, &status) == 0 else { return found }
        found.mode = status.st_mode & 0o7777
        found.isSocket = status.st_mode & S_IFMT == S_IFSOCK
        let parent = (path as NSString).deletingLastPathComponent
        if let folder = try? OpenDirectory.open(root: parent) { found.fileSystem = Self.mount(folder).type }
        do {
            let podman = try PodmanClient(socket: url, deadline: deadline)
            found.version = try await podman.ping().version
            do { found.info = try await podman.info() } catch { found.infoFailure = "\(error)" }
        } catch { found.failure = "\(error)" }
        return found
    }

    private func state() -> DoctorFacts.State {
        var found = DoctorFacts.State(path: stateDirectory)
        // What is not there yet is made by the first scan, in the nearest directory that is.
        var at = stateDirectory
        while access(at, F_OK) != 0, at != "/", !at.isEmpty {
            at = (at as NSString).deletingLastPathComponent
            found.exists = false
        }
        found.isWritable = access(at, W_OK | X_OK) == 0
        if let folder = try? OpenDirectory.open(root: at) {
            found.network = NetworkFileSystem.name(of: folder)
            found.device = (try? folder.stat().device) ?? 0
            if let capacity = Capacity(descriptor: folder.descriptor) { found.available = capacity.available }
        }
        found.exists = found.exists && access(stateDirectory + "/larder.db", F_OK) == 0
        found.hasReserve = access(stateDirectory + "/reserve", F_OK) == 0
        if found.exists {
            do { _ = try CacheIndex.open(stateDirectory: stateDirectory, now: clock(), readOnly: true) } catch
            {
                found.indexFailure = (error as? IndexError)?.message ?? "\(error)"
            }
        }
        return found
    }
}
