import CacheModel

/// The tools that directories beside the known caches belong to.
///
/// Each is told by the last components of its path. The lists are what people found when a volume was full: logs of
/// Gradle's daemon (gradle/gradle#2688), Kotlin/Native (kdoctor#24), npm, Ivy, Coursier and the like.
enum KnownDirectories {
    private static let tools: [(suffix: [String], tool: String)] = [
        ([".gradle", "daemon"], "logs of Gradle's daemon"),
        ([".gradle", ".tmp"], "temporary files of Gradle"),
        ([".gradle", "native"], "native libraries of Gradle"), (["daemon"], "logs of Gradle's daemon"),
        ([".konan"], "Kotlin/Native"), (["_cacache"], "npm"), ([".npm"], "npm"), ([".ivy2"], "Ivy"),
        (["coursier"], "Coursier"), ([".sonar"], "Sonar scanner"), ([".m2", "wrapper"], "Maven's wrapper"),
        ([".m2", "build-cache"], "Maven's build cache"), (["p2", "osgi"], "Tycho's p2 bundles"),
        (["gradle-ro"], "a read-only cache of Gradle"), ([".yarn"], "Yarn"), ([".pnpm-store"], "pnpm"),
        ([".cache", "pip"], "pip"), ([".cargo"], "Cargo"), (["go", "pkg", "mod"], "Go modules"),
        ([".android"], "Android"), ([".locks"], "locks of Maven"),
        ([".checksums"], "trusted checksums of Maven"),
        ([".tmp"], "temporary files"), (["cache.zip"], "the runner's cache"),
    ]

    /// The tool that a directory belongs to; nil where it is none of those known.
    static func tool(of components: [ArraySlice<UInt8>]) -> String? {
        for known in tools where components.count >= known.suffix.count {
            let end = components.suffix(known.suffix.count)
            if zip(end, known.suffix).allSatisfy({ $0.elementsEqual($1.utf8) }) { return known.tool }
        }
        return nil
    }
}

extension EntryCollector {
    /// The directories that hold most of what belongs to no pool: those of known tools, else at most two levels
    /// below the root.
    func unmanaged(most: Int = 50) -> [UnmanagedDirectory] {
        var bytes = [Int64](repeating: 0, count: tree.records.count)
        var files = [Int64](repeating: 0, count: tree.records.count)
        for (index, record) in tree.records.enumerated() where owner[index] < 0 && !isLarders(index) {
            bytes[index] += record.ownBytes + record.fileBytes
            files[index] += Int64(record.files)
        }
        for link in tree.hardLinksByFirstPath() where owner[Int(link.directory)] < 0 {
            if isLarders(Int(link.directory)) { continue }
            bytes[Int(link.directory)] += link.bytes
            files[Int(link.directory)] += 1
        }
        var all: [Int32: (bytes: Int64, files: Int64, tool: String)] = [:]
        // The place where each directory is told, once its parent's is known.
        var toldAt = [Int32](repeating: 0, count: tree.records.count)
        var depth = [Int32](repeating: 0, count: tree.records.count)
        for index in tree.records.indices {
            let parent = tree.records[index].parent
            if index > 0, parent >= 0 {
                depth[index] = depth[Int(parent)] + 1
                let isSettled = all[toldAt[Int(parent)]]?.tool.isEmpty == false
                let tool = isSettled ? nil : KnownDirectories.tool(of: components(Int32(index)))
                let isOwn =
                    !isSettled && (tool != nil || depth[index] <= 2) && !tree.records[index].facts.areOfFiles
                toldAt[index] = isOwn ? Int32(index) : toldAt[Int(parent)]
                if let tool { all[Int32(index)] = (0, 0, tool) }
            }
            guard bytes[index] > 0 || files[index] > 0 else { continue }
            let known = all[toldAt[index]] ?? (0, 0, "")
            all[toldAt[index]] = (known.bytes + bytes[index], known.files + files[index], known.tool)
        }
        var found: [UnmanagedDirectory] = []
        for (directory, sum) in all where sum.files > 0 {
            let path = VolumePath(bytes: tree.path(directory)) ?? .root
            found.append(
                UnmanagedDirectory(path: path, bytes: ByteCount(sum.bytes), files: sum.files, tool: sum.tool))
        }
        found.sort { $0.bytes == $1.bytes ? $0.path < $1.path : $0.bytes > $1.bytes }
        return Array(found.prefix(most))
    }

    private func components(_ index: Int32) -> [ArraySlice<UInt8>] {
        var names: [ArraySlice<UInt8>] = []
        var at = index
        while at > 0, names.count < 3 {
            names.append(tree.name(at))
            at = tree.records[Int(at)].parent
        }
        return names.reversed()
    }
}
