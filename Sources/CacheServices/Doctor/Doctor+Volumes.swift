import CacheModel

extension Doctor {
    /// The volumes' mounts, and the evidence of use that they can give.
    func volumes() -> [Diagnosis.Finding] {
        var found: [Diagnosis.Finding] = []
        for volume in facts.volumes {
            guard let mount = volume.mount else {
                found.append(
                    .init(
                        .mounts, "present", .problem,
                        "\(volume.volume.name): nothing is mounted at \(volume.volume.path)",
                        why: "This volume is neither scanned nor pruned.",
                        cure: "mount it, or give its path with --build-cache or --image-root"))
                continue
            }
            found += self.mount(mount, of: volume) + permissions(volume, mount) + movable(volume)
            found += trash(volume)
            found += evidence(volume, mount)
        }
        return found + sharedDisks()
    }

    private func mount(_ mount: DoctorFacts.Mount, of volume: DoctorFacts.VolumeFacts) -> [Diagnosis.Finding]
    {
        let name = volume.volume.name
        let options = ["ro", "noatime", "relatime", "nodiratime"].filter(mount.options.contains)
        let words = ([mount.type] + options).joined(separator: ", ")
        var found = [
            Diagnosis.Finding(
                .mounts, "present",
                ok: "\(name): \(volume.volume.path), \(words), \(mount.capacity.available) free of "
                    + "\(mount.capacity.total)")
        ]
        if mount.options.contains("ro") {
            found.append(
                .init(
                    .mounts, "read-only", .problem, "\(name) is mounted read-only",
                    why: "It can be scanned and not pruned, and access times cannot be armed.",
                    cure: "mount it read-write (readOnly: false)"))
        }
        if let network = mount.network {
            found.append(
                .init(
                    .mounts, "network", .warning, "\(name) is on \(network)",
                    why: volume.volume.kind == .imageStore
                        ? "Podman does not support stores there, and user namespaces do not work on NFS."
                        : "Other clients' caches may hide their reads, and locks may not hold.",
                    cure: "use a block volume (ReadWriteOnce, jobs on the same node)"))
        }
        let capacity = mount.capacity
        if capacity.total > .zero, capacity.available.bytes < capacity.total.bytes / 50 {
            found.append(
                .init(
                    .mounts, "space", .warning, "\(name) has \(capacity.available) left",
                    why: "Jobs fail when it is full.", cure: "larder prune, or larder trash purge"))
        }
        if capacity.inodes > 0, capacity.freeInodes < capacity.inodes / 50 {
            found.append(
                .init(
                    .mounts, "inodes", .warning,
                    "\(name) has \(capacity.freeInodes) of \(capacity.inodes) inodes left",
                    why: "No file can be made without one, however much space there is.",
                    cure: "larder prune --to a smaller size"))
        }
        for sentence in volume.volume.limitsBeyond(capacity) {
            found.append(
                .init(
                    .mounts, "limit", .warning, sentence,
                    why: "Larder keeps to what the file system holds; the watermarks are parts of that.",
                    cure: "enlarge the volume (or wait until its file system has grown), or lower `limit`"))
        }
        return found
    }

    private func permissions(
        _ volume: DoctorFacts.VolumeFacts, _ mount: DoctorFacts.Mount
    ) -> [Diagnosis.Finding] {
        let name = volume.volume.name
        if volume.isHeld {
            return [
                .init(
                    .mounts, "lock", .unknown, "another Larder works on \(name) just now",
                    why: "Its folder and its access times could not be tried.", cure: "ask again later")
            ]
        }
        if mount.options.contains("ro") { return [] }
        if volume.volume.isReadOnly {
            return [
                .init(
                    .mounts, "writable",
                    ok: "\(name): Larder only looks at it, and changes nothing there")
            ]
        }
        if let failure = volume.folderFailure {
            return [
                .init(
                    .mounts, "writable", .problem,
                    "\(name) belongs to uid \(volume.owner), mode \(String(volume.mode, radix: 8)), and cannot be "
                        + "written: \(failure)",
                    why: "Nothing can be moved to the trash, so nothing can be pruned.",
                    cure:
                        "run Larder as uid \(volume.owner), or set fsGroup with fsGroupChangePolicy: OnRootMismatch"
                )
            ]
        }
        guard volume.owner == facts.process.uid || facts.process.uid == 0 else {
            return [
                .init(
                    .mounts, "owner", .warning, "\(name) belongs to uid \(volume.owner)",
                    why: "Access times of other users' files cannot be armed: uses are missed.",
                    cure: "run Larder as uid \(volume.owner)")
            ]
        }
        return [.init(.mounts, "writable", ok: "\(name): Larder's folder and trash can be written")]
    }

    private func movable(_ volume: DoctorFacts.VolumeFacts) -> [Diagnosis.Finding] {
        guard let warning = volume.immovable else { return [] }
        return [
            .init(
                .mounts, "movable", .warning, "\(volume.volume.name): \(warning.text)",
                why: "A prune keeps them, however full the volume is.", cure: warning.hint)
        ]
    }

    private func trash(_ volume: DoctorFacts.VolumeFacts) -> [Diagnosis.Finding] {
        guard let first = volume.unpurged.first else { return [] }
        let bytes = volume.unpurged.reduce(ByteCount.zero) { $0 + $1.bytes }
        let count = volume.unpurged.count
        return [
            .init(
                .mounts, "trash", .warning,
                "\(volume.volume.name): \(bytes) of \(count == 1 ? "1 entry" : "\(count) entries") in the trash could not "
                    + "be purged: \(first.key): \(first.reason)",
                why: "They occupy the volume, and nothing can bring them back.",
                cure: "remove what is in the way, then larder trash purge")
        ]
    }

    private func evidence(
        _ volume: DoctorFacts.VolumeFacts, _ mount: DoctorFacts.Mount
    ) -> [Diagnosis.Finding] {
        let name = volume.volume.name
        var found: [Diagnosis.Finding] = []
        switch (volume.volume.kind, volume.evidence) {
        case (.buildCache, _) where volume.volume.isReadOnly:
            found.append(
                .init(
                    .evidence, "atime", .unknown,
                    "\(name): access times were not tried, as Larder only looks at it",
                    why: "Last uses rest on them.",
                    cure: "name the volume in a configuration file, under volumes, to have them tried"))
        case (.buildCache, let trust?) where trust.confidence == .high:
            found.append(.init(.evidence, "atime", ok: "\(name): a read moves the access time"))
        case (.buildCache, let trust?):
            found.append(
                .init(
                    .evidence, "atime", trust.confidence == .none ? .problem : .warning,
                    "\(name): \(trust.reason)",
                    why: "Last uses and hit rates of this volume are that much less certain.",
                    cure: mount.options.contains("noatime")
                        ? "mount it relatime: mountOptions of the StorageClass"
                        : "use a local file system, mounted read-write and relatime"))
        case (.buildCache, nil):
            found.append(
                .init(
                    .evidence, "atime", .unknown, "\(name): access times could not be tried",
                    why: "Last uses rest on them.", cure: "make the volume writable, then ask again"))
        case (.imageStore, _):
            guard volume.eventLogs == 0 else {
                found.append(
                    .init(
                        .evidence, "event-logs",
                        ok: "\(name): \(volume.eventLogs) event log\(volume.eventLogs == 1 ? "" : "s") in "
                            + volume.volume.eventsPath))
                break
            }
            found.append(
                .init(
                    .evidence, "event-logs", .warning, "\(name): no event log in \(volume.volume.eventsPath)",
                    why: "Jobs that remove their containers leave no other trace: hits are missed.",
                    cure: "containers.conf: events_logger = \"file\", events_logfile_path in that directory"))
        }
        for (home, failure) in volume.journals.sorted(by: { $0.key < $1.key }) {
            let place = home.isEmpty ? "its root" : home
            found.append(
                failure.isEmpty
                    ? .init(
                        .evidence, "gradle-journal", ok: "\(name): Gradle's journal in \(place) can be read")
                    : .init(
                        .evidence, "gradle-journal", .warning,
                        "\(name): Gradle's journal in \(place): \(failure)",
                        why: "Uses of Gradle's cache are known by access times only.",
                        cure: "see whether the Gradle version is a known one; nothing breaks"))
        }
        return found
    }

    private func sharedDisks() -> [Diagnosis.Finding] {
        var found: [Diagnosis.Finding] = []
        for (number, volume) in facts.volumes.enumerated() {
            for other in facts.volumes[..<number] {
                guard let here = volume.mount, let there = other.mount, here.device == there.device else {
                    continue
                }
                found.append(
                    .init(
                        .mounts, "same-disk", .warning,
                        "\(other.volume.name) and \(volume.volume.name) share one disk",
                        why: "Each sees the other's space as free: limits that are not set count it twice.",
                        cure: "set `limit` for both, or give each a volume of its own"))
            }
        }
        return found
    }
}
