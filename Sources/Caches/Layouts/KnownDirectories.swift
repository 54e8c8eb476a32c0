import CacheModel

/// The tools that directories beside the known caches belong to.
///
/// Each is told by the last components of its path, one of which may end in a star. The lists are what people found when
/// a volume was full: logs of Gradle's daemon (gradle/gradle#2688), Kotlin/Native (kdoctor#24), npm, Ivy, Coursier,
/// download-maven-plugin (its issue 208), the data of OWASP's dependency-check (its issue 2632) and the like.
enum KnownDirectories {
    private static let tools: [(suffix: [String], tool: String)] = [
        ([".gradle", "daemon"], "logs of Gradle's daemon"),
        ([".gradle", ".tmp"], "temporary files of Gradle"),
        ([".gradle", "native"], "native libraries of Gradle"), (["daemon"], "logs of Gradle's daemon"),
        ([".konan"], "Kotlin/Native"), (["_cacache"], "npm"), ([".npm"], "npm"), ([".ivy2"], "Ivy"),
        (["coursier"], "Coursier"), ([".sonar"], "Sonar scanner"), ([".m2", "wrapper"], "Maven's wrapper"),
        ([".m2", "build-cache"], "Maven's build cache"), (["build-cache", "v1*"], "Maven's build cache"),
        (["wrapper", "dists", "apache-maven-*"], "Maven's wrapper"), ([".mvnd"], "Maven's daemon"),
        ([".cache", "download-maven-plugin"], "downloads of download-maven-plugin"),
        (["org", "owasp", "dependency-check-data"], "data of OWASP's dependency-check"),
        ([".cache", "tycho"], "Tycho"), ([".cache", "m2e"], "Eclipse's m2e"),
        (["jdks"], "JDKs, and their archives"),
        ([".sdkman"], "SDKMAN"), (["ms-playwright"], "Playwright"), ([".cache", "Cypress"], "Cypress"),
        (["p2", "osgi"], "Tycho's p2 bundles"),
        (["gradle-ro"], "a read-only cache of Gradle"), ([".yarn"], "Yarn"), ([".pnpm-store"], "pnpm"),
        ([".cache", "pip"], "pip"), ([".cargo"], "Cargo"), (["go", "pkg", "mod"], "Go modules"),
        ([".android"], "Android"), ([".locks"], "locks of Maven"),
        ([".checksums"], "trusted checksums of Maven"),
        ([".tmp"], "temporary files"), (["cache.zip"], "the runner's cache"),
    ]

    /// The tools by the first letter of the last component: most names in a cache begin with another one.
    private static let byLetter: [[(suffix: [[UInt8]], isOpen: Bool, tool: String)]] = {
        var letters = [[(suffix: [[UInt8]], isOpen: Bool, tool: String)]](repeating: [], count: 256)
        for known in tools {
            guard let last = known.suffix.last, let letter = last.utf8.first else { continue }
            let isOpen = last.hasSuffix("*")
            var suffix = known.suffix.reversed().map { Array($0.utf8) }
            if isOpen { suffix[0].removeLast() }
            letters[Int(letter)].append((suffix, isOpen, known.tool))
        }
        return letters
    }()

    /// The tool that a directory belongs to; nil where it is none of those known.
    static func tool(of directory: Int32, in tree: DirectoryTree) -> String? {
        let name = tree.name(directory)
        guard let letter = name.first else { return nil }
        return byLetter[Int(letter)].first { known in
            guard known.isOpen ? name.starts(with: known.suffix[0]) : name.elementsEqual(known.suffix[0])
            else {
                return false
            }
            var at = directory
            return known.suffix.dropFirst().allSatisfy { part in
                at = tree.records[Int(at)].parent
                return at > 0 && tree.name(at).elementsEqual(part)
            }
        }?.tool
    }
}

extension EntryCollector {
    /// The directories that hold most of what belongs to no pool.
    ///
    /// They are those of known tools. Elsewhere they are two levels below the root, or deeper where a few directories
    /// hold nearly all that the one above them does: in a repository or a home the name of that one tells nothing.
    func unmanaged(most: Int = 50) -> [UnmanagedDirectory] {
        let sums = unmanagedSums()
        let deeper = heavyDirectories(sums.below)
        // The place where each directory is told, once its parent's is known, and what adds up there.
        var toldAt = [Int32](repeating: 0, count: tree.records.count)
        var depth = [UInt8](repeating: 0, count: tree.records.count)
        var bytes = [Int64](repeating: 0, count: tree.records.count)
        var files = bytes
        var tools: [Int32: String] = [:]
        for index in tree.records.indices {
            let parent = Int(tree.records[index].parent)
            if index > 0, parent >= 0 {
                depth[index] = min(depth[parent] + 1, 3)
                toldAt[index] = toldAt[parent]
                if !tree.records[index].facts.areOfFiles, tools[toldAt[parent]] == nil {
                    let tool = KnownDirectories.tool(of: Int32(index), in: tree)
                    if let tool { tools[Int32(index)] = tool }
                    if tool != nil || depth[index] <= 2 || deeper.contains(Int32(index)) {
                        toldAt[index] = Int32(index)
                    }
                }
            }
            bytes[Int(toldAt[index])].addPinned(sums.bytes[index])
            files[Int(toldAt[index])] += sums.files[index]
        }
        var found = files.indices.filter { files[$0] > 0 }.map { index in
            UnmanagedDirectory(
                path: VolumePath(bytes: tree.path(Int32(index))) ?? .root, bytes: ByteCount(bytes[index]),
                files: files[index], tool: tools[Int32(index)] ?? "")
        }
        found.sort { a, b in a.bytes == b.bytes ? a.path < b.path : a.bytes > b.bytes }
        return Array(found.prefix(most))
    }

    /// What belongs to no pool: in each directory itself, and in it and all below it.
    private func unmanagedSums() -> (bytes: [Int64], files: [Int64], below: [Int64]) {
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
        var below = bytes
        // Directories come after those that they are in.
        for index in tree.records.indices.reversed() {
            let parent = tree.records[index].parent
            if parent >= 0 { below[Int(parent)].addPinned(below[index]) }
        }
        return (bytes, files, below)
    }

    /// The directories of at least a mebibyte that with at most four others hold nine tenths of what the one above
    /// them does.
    private func heavyDirectories(_ below: [Int64]) -> Set<Int32> {
        var heavy: [Int32: [Int32]] = [:]
        for index in tree.records.indices.dropFirst() where below[index] >= 1 << 20 {
            if tree.records[index].facts.areOfFiles { continue }
            heavy[tree.records[index].parent, default: []].append(Int32(index))
        }
        let few = heavy.filter { parent, children in
            children.count <= 5
                && children.reduce(0) { $0 + below[Int($1)] } >= below[Int(parent)] / 10 * 9
        }
        return Set(few.values.joined())
    }
}
