import CLinux
import CacheModel
import FileAccess
import Glibc

/// Finds what killed pulls and dead pods left in a store.
package struct StoreOrphans: Sendable {
    private let root: OpenDirectory
    private let driver: any StoreDriver
    private let activity: StoreActivity

    /// A directory without a record is walked as far as this many files; what is beyond is not counted.
    private static let walkLimit = 200_000

    /// Looks at the store of that driver in that directory.
    package init(root: OpenDirectory, driver: any StoreDriver = VfsDriver()) {
        self.root = root
        self.driver = driver
        activity = StoreActivity(root: root, driver: driver)
    }

    /// The orphans of a store that was just read, by kind and then by name.
    ///
    /// - Parameter reread: reads the store again: a directory that has a record by then is none.
    package func find(
        in store: ImageStore, now: Timestamp, reread: () throws -> ImageStore
    ) rethrows -> [Orphan] {
        let found =
            layers(of: store) + containers(of: store, now: now)
            + (try directories(store, reread: reread))
        let order = Orphan.Kind.allCases
        return found.sorted { a, b in
            let (first, second) = (order.firstIndex(of: a.kind) ?? 0, order.firstIndex(of: b.kind) ?? 0)
            return first == second ? a.name < b.name : first < second
        }
    }

    /// The IDs of layers whose records say that they are being written, for some time, and whose directories are
    /// not there.
    ///
    /// A Podman that was serving while a pull was killed keeps such a record and takes the layer for a finished
    /// one (seen with 4.3.1). A pull just begun looks the same for a moment.
    package func layersWithoutDirectory(in store: ImageStore, now: Timestamp) -> [String] {
        guard let all = directory(nil) else { return [] }
        return store.layers.filter { layer in
            guard layer.incomplete, layer.created < now - .minutes(10) else { return false }
            do throws(SystemError) {
                _ = try all.stat(layer.id.utf8.cString)
                return false
            } catch { return error.code == ENOENT }
        }.map { escaped($0.id.utf8) }
    }

    private func layers(of store: ImageStore) -> [Orphan] {
        store.layers.filter { $0.incomplete || $0.images == 0 && $0.containers == 0 }.map { layer in
            guard layer.incomplete else {
                return Orphan(
                    kind: .unreferencedLayer, name: escaped(layer.id.utf8), bytes: layer.storedBytes,
                    created: layer.created)
            }
            // Nobody knows yet how much its own part is: what is there is measured.
            let measured = directory(layer.id.utf8.cString).map { size(of: $0) }
            return Orphan(
                kind: .incompleteLayer, name: escaped(layer.id.utf8),
                bytes: measured?.bytes ?? layer.storedBytes, isLowerBound: measured?.isLowerBound ?? true,
                created: layer.created)
        }
    }

    /// Those old enough to be told from what a job is about to start, and whose process is known to have ended.
    private func containers(of store: ImageStore, now: Timestamp) -> [Orphan] {
        let images = Dictionary(store.images.map { ($0.id, $0.key) }, uniquingKeysWith: { $1 })
        let bytes = Dictionary(store.layers.map { ($0.id, $0.storedBytes) }, uniquingKeysWith: { $1 })
        return store.containers.compactMap { container in
            var orphan = Orphan(
                kind: .deadContainer, name: escaped(container.id.utf8),
                bytes: bytes[container.layerID] ?? .zero, created: container.created,
                pins: images[container.imageID] ?? escaped(container.imageName.utf8))
            guard orphan.isOld(at: now) else { return nil }
            guard activity.life(of: container) == .ended else { return nil }
            guard activity.isOfABuild(container) else { return orphan }
            // No build takes a day: it was killed, and what it wrote is of no use to another one.
            orphan.kind = .workingContainer
            return orphan
        }
    }

    private func directories(_ store: ImageStore, reread: () throws -> ImageStore) rethrows -> [Orphan] {
        guard let all = try? directory(nil)?.names() else { return [] }
        func unrecorded(_ names: [[CChar]], in store: ImageStore) -> [[CChar]] {
            let known = Set(store.layers.map { $0.id.utf8.cString })
            return names.filter { driver.isLayerDirectory($0) && !known.contains($0) }
        }
        var names = unrecorded(all, in: store)
        // A pull writes the record before the directory, but ours may be older than both.
        if !names.isEmpty { names = unrecorded(names, in: try reread()) }
        return names.compactMap { name in
            guard let found = directory(name), let stat = try? found.stat() else { return nil }
            let (bytes, isLowerBound) = size(of: found)
            return Orphan(
                kind: .directory, name: escaped(name.dropLast().map(UInt8.init(bitPattern:))), bytes: bytes,
                isLowerBound: isLowerBound,
                // An image says what its root directory's mtime is, not what its ctime is.
                created: Timestamp(nanoseconds: stat.ctime))
        }
    }

    private func directory(_ name: [CChar]?) -> OpenDirectory? {
        let all = driver.layersFolder.flatMap { try? root.open($0) }
        guard let name else { return all }
        return try? all?.open(name)
    }

    private func size(of directory: OpenDirectory) -> (bytes: ByteCount, isLowerBound: Bool) {
        var size = TreeSize(limit: Self.walkLimit)
        size.add(directory)
        return (size.bytes, size.isLowerBound)
    }
}

extension ImageStore {
    /// The digests of a layer's contents and of those it stands on, the base first; nil where one is not known
    /// or not whole.
    ///
    /// Only for layers whose IDs follow from those digests, as of pulled images (containers/image v5.23.1,
    /// storage/storage_dest.go, commitLayer): no image can be made that stands on others.
    package func contents(ofLayer id: String, chainID: (_ below: String, _ digest: String) -> String)
        -> [(digest: String, bytes: ByteCount)]?
    {
        guard let top = graph.places[id], graph.whole[top] else { return nil }
        var below = ""
        var contents: [(digest: String, bytes: ByteCount)] = []
        for place in graph.chain(from: [top]).reversed() {
            let record = graph.records[place]
            let parts = record.diffDigest.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == "sha256", parts[1].utf8.count == 64,
                parts[1].utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
            else { return nil }
            below = below.isEmpty ? String(parts[1]) : chainID(below, String(parts[1]))
            guard below == record.id else { return nil }
            contents.append((record.diffDigest, ByteCount(record.diffSize)))
        }
        return contents
    }
}
