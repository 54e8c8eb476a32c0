import CacheModel
import PodmanClient

extension Doctor {
    /// The image stores and the Podmans that serve them.
    func stores() -> [Diagnosis.Finding] {
        facts.volumes.flatMap { volume -> [Diagnosis.Finding] in
            guard let store = volume.store, volume.mount != nil else { return [] }
            return contents(store, of: volume) + (store.socket.map { socket($0, of: volume) } ?? [])
        }
    }

    private func contents(
        _ store: DoctorFacts.Store, of volume: DoctorFacts.VolumeFacts
    ) -> [Diagnosis.Finding] {
        let name = volume.volume.name
        var found: [Diagnosis.Finding] = []
        if let failure = store.failure {
            found.append(
                .init(
                    .store, "records", .problem, failure, why: "No image of it can be counted or pruned.",
                    cure:
                        "run Larder as the user that Podman runs as; a damaged file needs `podman system reset`"
                ))
            return found
        }
        found.append(
            .init(
                .store, "records",
                ok: "\(name): \(store.images) images, \(store.containers) containers, driver \(store.driver)")
        )
        for driver in store.otherDrivers {
            found.append(
                .init(
                    .store, "driver", .problem, "\(name) also holds a store of the driver \(driver)",
                    why: "Some Podman there does not use \(store.driver): what it stores is not seen.",
                    cure:
                        "storage.conf of every pod: driver = \"\(store.driver)\"; once nothing needs it, remove "
                        + "\(driver), \(driver)-images, \(driver)-layers and \(driver)-containers"))
        }
        if store.holdsPodmanRecords {
            found.append(
                .init(
                    .store, "shared-records", .problem,
                    "\(name): a Podman keeps its containers' records in the store itself (started with --root?)",
                    why:
                        "Each Podman that starts takes the others' containers for leftovers of a reboot, and "
                        + "resets or removes them.",
                    cure:
                        "no --root; storage.conf rootless_storage_path, containers.conf static_dir, tmp_dir and "
                        + "volume_path in the pod; then remove libpod/ from the store"))
        }
        if let lock = store.heldLock {
            found.append(.init(.store, "locks", ok: "\(name): \(lock) is held just now: a pull is under way"))
        }
        for problem in store.problems where !problem.contains("larder prune --orphans") {
            found.append(
                .init(
                    .store, "damage", .warning, "\(name): \(problem)",
                    why: "Podman's own lists may fail on it.", cure: "as said"))
        }
        if let first = store.layersWithoutDirectory.first {
            let more = store.layersWithoutDirectory.count - 1
            found.append(
                .init(
                    .store, "layer-directory", .warning,
                    "\(name): the directory of layer \(first.prefix(12)), half pulled, is gone"
                        + (more > 0 ? " (and of \(more) more)" : ""),
                    why: "A running Podman takes the layer for whole: pulls that need it fail.",
                    cure: "restart the podman sidecar, and pull again"))
        }
        let unaccounted = store.unaccounted.reduce(ByteCount.zero) { $0 + $1.bytes }
        if let mount = volume.mount, unaccounted.bytes > mount.capacity.total.bytes / 20 {
            let parts = store.unaccounted.map { "\($0.bytes): \($0.text)" }
            found.append(
                .init(
                    .store, "unaccounted", .warning,
                    "\(name): \(unaccounted) of what is used is no image and no container",
                    why: "It counts against the quota, and evicting images does not give it back.",
                    cure: parts.joined(separator: "; ")))
        }
        for pattern in store.idlePatterns {
            found.append(
                .init(
                    .store, "keep-pattern", .warning, "\(name): the keep pattern \(pattern) matches no image",
                    why: "What it should keep may be evicted.",
                    cure: "correct it, or take it out: 'larder list --pool images' shows the names"))
        }
        guard !store.orphans.isEmpty else {
            return found + [
                .init(.store, "orphans", ok: "\(name): no layer and no container was left behind")
            ]
        }
        let bytes = store.orphans.reduce(ByteCount.zero) { $0 + $1.bytes }
        let old = store.orphans.count { $0.isOld(at: facts.now) }
        let all = store.orphans.count
        return found + [
            .init(
                .store, "orphans", old > 0 ? .warning : .ok,
                "\(name): killed pulls and dead pods left \(bytes) (\(all) orphan\(all == 1 ? "" : "s"), \(old) "
                    + "older than a day)",
                why: old > 0 ? "Podman 4 never gives that space back by itself." : "",
                cure: old > 0 ? cure(of: store.orphans) : "")
        ]
    }

    /// Podman 4.3 removes no directory without a record, so that there a prune of orphans would leave them.
    private func cure(of orphans: [Orphan]) -> String {
        let old = orphans.filter { $0.isOld(at: facts.now) }
        let external = "podman system prune --external (Podman 4.4 and later) while no job runs"
        let directories = old.count { $0.kind == .directory }
        if directories == old.count { return external }
        return "larder prune --orphans"
            + (directories > 0 ? "; for directories without a record: \(external)" : "")
    }

    private func socket(
        _ socket: DoctorFacts.Socket, of volume: DoctorFacts.VolumeFacts
    ) -> [Diagnosis.Finding] {
        let name = volume.volume.name
        guard let mode = socket.mode else {
            return [
                .init(
                    .podman, "socket", .problem, "\(name): there is no socket at \(socket.path)",
                    why: "Images change only through Podman: none can be pruned or pulled.",
                    cure: "start the podman sidecar and mount the volume with its socket, or give --socket")
            ]
        }
        guard socket.isSocket else {
            return [
                .init(
                    .podman, "socket", .problem, "\(name): \(socket.path) is no socket",
                    why: "Images change only through Podman.", cure: "give the socket's path with --socket")
            ]
        }
        guard let version = socket.version else {
            return [
                .init(
                    .podman, "socket", .problem, socket.failure ?? "the socket does not answer",
                    why: "Images change only through Podman: none can be pruned or pulled.",
                    cure: "see the podman sidecar's log; it must run as the same user as Larder")
            ]
        }
        var found = [Diagnosis.Finding(.podman, "socket", ok: "\(name): Podman \(version) answers")]
        if mode & 0o077 != 0 {
            found.append(
                .init(
                    .podman, "socket-mode", .warning,
                    "\(socket.path) has the mode \(String(mode & 0o777, radix: 8))",
                    why: "Whoever may use it may run containers as this user.",
                    cure: "umask 077 for the sidecar"))
        }
        if let fileSystem = socket.fileSystem, fileSystem != "tmpfs", facts.process.isInCluster {
            found.append(
                .init(
                    .podman, "socket-place", .warning, "the socket is on \(fileSystem)",
                    why: "On a claim, other pods can reach it.",
                    cure: "an emptyDir with medium: Memory and a sizeLimit"))
        }
        return found + limits(version) + setup(socket, of: volume)
    }

    /// What is known of versions.
    private func limits(_ version: String) -> [Diagnosis.Finding] {
        let parts = version.split(separator: ".").prefix(2).compactMap { Int($0) }
        guard parts.count == 2 else { return [] }
        if (parts[0], parts[1]) < (4, 0) {
            return [
                .init(
                    .podman, "version", .problem, "Podman \(version)",
                    why: "Its API is older than what Larder speaks.", cure: "Podman 4.3 or later")
            ]
        }
        if (parts[0], parts[1]) < (4, 6) {
            return [
                .init(
                    .podman, "version", .warning, "Podman \(version)",
                    why:
                        "Before 4.5, events tell of pulls that failed too; before 4.6, one damaged image makes every "
                        + "list of images fail.", cure: "Podman 4.6 or later in the sidecar")
            ]
        }
        return []
    }

    private func setup(
        _ socket: DoctorFacts.Socket, of volume: DoctorFacts.VolumeFacts
    ) -> [Diagnosis.Finding] {
        let name = volume.volume.name
        guard let info = socket.info else {
            return [
                .init(
                    .podman, "setup", .unknown, socket.infoFailure ?? "Podman did not tell how it is set up",
                    why: "Whether it shares the store safely is not known.", cure: "see the sidecar's log")
            ]
        }
        var found: [Diagnosis.Finding] = []
        let driver = volume.store?.driver ?? "vfs"
        if info.driver != driver {
            found.append(
                .init(
                    .podman, "driver", .problem, "\(name): this Podman uses the driver \(info.driver)",
                    why:
                        "The records that Larder reads are those of \(driver): it would prune one store and look at "
                        + "another.",
                    cure: "storage.conf: driver = \"\(driver)\", or driver: \(info.driver) for the volume"))
        }
        if info.root != volume.volume.path {
            found.append(
                .init(
                    .podman, "root", .problem, "\(name): this Podman's root is \(info.root)",
                    why: "Larder would prune one store and look at another.",
                    cure: "mount the store at the same path in both, or correct --image-root"))
        } else if info.volumePath == info.root + "/volumes" {
            found.append(
                .init(
                    .podman, "private-records", .problem,
                    "\(name): this Podman keeps its records in the store, not in its pod",
                    why: "Its next start resets the running containers of all other pods.",
                    cure: "no --root; rootless_storage_path, and private static_dir, tmp_dir and volume_path")
            )
        } else {
            found.append(
                .init(.podman, "private-records", ok: "\(name): this Podman's records are private to its pod")
            )
        }
        if info.isTransient == true {
            found.append(
                .init(
                    .podman, "transient", .warning, "\(name): a transient store",
                    why: "Containers leave no record on the volume: images in use look unused to Larder.",
                    cure: "one store for each job slot, or transient_store off"))
        }
        if info.eventLogger != "file" {
            found.append(
                .init(
                    .podman, "event-logger", .warning, "\(name): events go to \(info.eventLogger)",
                    why: "Larder learns of uses from event files.",
                    cure: "containers.conf: events_logger = \"file\""))
        }
        found.append(
            info.userIDs >= 65536
                ? .init(.podman, "user-ids", ok: "\(name): containers have \(info.userIDs) user IDs")
                : .init(
                    .podman, "user-ids", .warning, "\(name): containers have \(info.userIDs) user ID(s)",
                    why: "Images that drop root, such as databases, do not start.",
                    cure: "65536 subordinate IDs for uid \(facts.process.uid) in /etc/subuid and /etc/subgid")
        )
        return found + singleIDNeeds(info.userIDs)
    }
}
