import CacheModel

extension Protection {
    /// What a person can do about it.
    ///
    /// - Parameter areImages: Whether the volume is an image store.
    func remedy(areImages: Bool) -> String {
        switch self {
        case .locallyInstalled where areImages:
            "Push them to a registry, or let them go by evict_local (a list of patterns) in the configuration."
        case .locallyInstalled: "Deploy them to a repository, or remove them by hand."
        case .inFlight: "Prune again when the running jobs are done."
        case .holdsEntries: "Nothing to do: the entries inside are judged one by one."
        case .unreadable: "Let Larder read them: run it as the user that owns the files."
        case .foreignOwner: "Run Larder as the user that owns the files."
        case .inUse: "Remove the containers of jobs that are over."
        case .damaged: "Pull them again, or remove them with podman rmi."
        case .gradleRunning: "Prune again when the build is done."
        case .idleFloor: "Enlarge the volume, or lower --idle-floor while no job runs."
        case .keepPattern: "Narrow the keep patterns in the configuration."
        case .warmed: "Warm fewer images, or wait until they were used."
        case .sharedLayers: "They go with the last image that shares their layers."
        case .sharedFiles:
            "They go with the last entry that shares their files; find -samefile shows other names."
        case .untracked:
            "Keep the tracking files: without them nothing tells what was fetched from what was installed."
        case .notMovable:
            "Run Larder as the user that owns the files, or let jobs write for its group (umask 002)."
        case .foreignFiles: "Remove those files by hand: larder explain KEY names one."
        case .handPlaced: "Remove them by hand where no build needs them."
        case .readOnlyCache: "Build a new one beside it and have the jobs mount that."
        case .noEvidence: "Mount the volume relatime, and run Larder as the user that owns the files."
        }
    }
}

/// What keeps a volume above its goal, the largest first.
struct GoalBlockers {
    let plan: EvictionPlan
    /// What is used afterwards: by the plan, or really.
    let usedAfter: ByteCount
    /// What was planned and refused.
    var refused: [EvictionOutcome.Line] = []
    /// What went of the directories that belong to no entry.
    var emptied = ByteCount.zero

    var lines: [(bytes: ByteCount, what: String, remedy: String)] {
        var lines = plan.kept.map { kept in
            (
                bytes: kept.bytes, what: "\(Figures.entries(kept.entries)): \(kept.reason.text)",
                remedy: remedy(for: kept.reason)
            )
        }
        var unmanaged = plan.unmanagedBytes - emptied
        for part in plan.unaccounted where part.kind != .unknown {
            lines.append((part.bytes, "no image: \(part.kind.name)", "\(part.text)."))
            unmanaged -= part.bytes
        }
        if unmanaged > .zero {
            lines.append(
                (
                    unmanaged, "unmanaged: belongs to no entry",
                    plan.unmanaged.isEmpty
                        ? "Larder leaves it alone; look with du."
                        : "Larder leaves it alone: \(plan.unmanaged.prefix(5).map(\.inWords).joined(separator: "; "))"
                ))
        }
        // What a protection keeps is counted with that, and what is gone is in nobody's way.
        let left = refused.filter { !$0.isGone && plan.protections[$0.entryID] == nil }
        let denied = left.filter(\.isDenied).reduce(ByteCount.zero) { $0 + $1.bytes }
        let other = left.filter { !$0.isDenied }.reduce(ByteCount.zero) { $0 + $1.bytes }
        if denied > .zero {
            lines.append(
                (denied, "refused: this user may not move it", Protection.notMovable.remedy(areImages: false))
            )
        }
        if other > .zero { lines.append((other, "refused, as said above", "Prune again later.")) }
        return lines.enumerated().sorted { a, b in
            (b.element.bytes, a.offset) < (a.element.bytes, b.offset)
        }.map(\.element)
    }

    /// What a person can do: a size that was asked for is no reason to enlarge the volume.
    private func remedy(for reason: Protection) -> String {
        reason == .idleFloor && plan.goal != plan.quota.low
            ? "Ask for a larger size, or lower --idle-floor while no job runs."
            : reason.remedy(areImages: plan.areImages)
    }

    /// Says by how much the goals are missed, what stands in the way and what to do about it.
    func write(to page: inout TextPage) {
        if plan.volumeIsOver, usedAfter > plan.goal {
            page.paragraph(
                "The goal of \(plan.goal) cannot be reached: "
                    + "\(Figures.change(from: usedAfter, to: plan.goal).difference) too much stays.",
                indent: 2,
                tone: .bad)
        }
        if let inodes = plan.inodes, inodes.areOver, !inodes.reachGoal {
            page.paragraph(
                "The goal of \(Figures.grouped(inodes.quota.low)) inodes cannot be reached: "
                    + "\(Figures.grouped(inodes.usedAfter - inodes.quota.low)) too many stay.", indent: 2,
                tone: .bad)
        }
        for pool in plan.poolsOverQuota where pool.usedAfter > pool.quota.low {
            page.paragraph(
                "Pool \(pool.pool.rawValue) cannot reach its goal of \(pool.quota.low): "
                    + "\(pool.usedAfter - pool.quota.low) too much stays.", indent: 2, tone: .bad)
        }
        guard !lines.isEmpty else { return }
        page.line("In the way:", indent: 2)
        for line in lines {
            let size = "\(line.bytes)"
            let gap = String(repeating: " ", count: max(0, 10 - size.count))
            page.line("\(gap)\(size)  \(line.what)", indent: 2)
            page.paragraph(line.remedy, indent: 14, tone: .faint)
        }
    }
}

extension UnmanagedDirectory {
    /// Its size, place and tool in a few words.
    var inWords: String {
        let place = path.bytes.isEmpty ? "the volume's root" : "\(path)"
        return "\(bytes) in \(place)" + (tool.isEmpty ? "" : " (\(tool))")
    }

    var jsonValue: JSONValue {
        [
            "path": .text(path.description), "bytes": .bytes(bytes), "files": .integer(files),
            "tool": tool.isEmpty ? .null : .text(tool),
        ]
    }
}

extension TextPage {
    /// Names what belongs to no pool, the largest directories first.
    mutating func unmanaged(_ directories: [UnmanagedDirectory], most: Int = 8) {
        guard !directories.isEmpty else { return }
        line("unmanaged, which belongs to no pool and is never pruned:", indent: 2, tone: .faint)
        for directory in directories.prefix(most) { line(directory.inWords, indent: 4) }
        more(directories.count - most, indent: 4)
    }
}

extension UnaccountedSpace.Kind {
    /// What it is, in a few words.
    fileprivate var name: String {
        switch self {
        case .volumes: "Podman's volumes"
        case .otherDriver: "another driver's store"
        case .scratch: "temporary files"
        case .oldScratch: "old temporary files"
        case .leftBehind: "directories without a record"
        case .containers: "containers"
        case .unknown: "not in any record"
        }
    }
}
