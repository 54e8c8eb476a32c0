import CacheModel
import FileAccess

/// Counts what a store's records do not tell: what containers wrote, volumes, the store of another driver.
package struct StoreSpace: Sendable {
    private let root: OpenDirectory
    private let driver: any StoreDriver
    private let others: [any StoreDriver]

    /// So many files are looked at for each kind; what is beyond is not counted.
    private static let walkLimit = 200_000

    /// Looks at the store of that driver in that directory, with others' records beside it.
    package init(root: OpenDirectory, driver: any StoreDriver, others: [any StoreDriver] = []) {
        self.root = root
        self.driver = driver
        self.others = others
    }

    /// What containers' layers occupy, by their IDs, where that is more than the records tell.
    ///
    /// A layer's record does not tell what a container writes into it (containers/storage v1.43.0, layers.go).
    package func containerLayers(of store: ImageStore) -> [String: ByteCount] {
        guard !store.containers.isEmpty, let path = driver.layersFolder, let all = try? root.open(path) else {
            return [:]
        }
        let known = Dictionary(store.layers.map { ($0.id, $0.storedBytes) }, uniquingKeysWith: { $1 })
        var left = Self.walkLimit
        var found: [String: ByteCount] = [:]
        for container in store.containers where left > 0 {
            guard let recorded = known[container.layerID], found[container.layerID] == nil,
                let layer = try? all.open(container.layerID.utf8.cString),
                let own = driver.ownContents(of: layer)
            else { continue }
            var size = TreeSize(limit: left)
            size.add(own)
            left -= size.seen
            if size.bytes > recorded { found[container.layerID] = size.bytes }
        }
        return found
    }

    /// What lies in the store beside images and containers.
    ///
    /// - Parameters:
    ///   - path: The store's path.
    ///   - orphans: What was left behind: of that, directories without a record are in no other figure.
    ///   - now: Temporary files that nothing wrote to for a day before are told apart.
    package func unaccounted(
        at path: String, orphans: [Orphan], now: Timestamp
    ) -> [UnaccountedSpace] {
        var found: [UnaccountedSpace] = []
        func add(_ kind: UnaccountedSpace.Kind, _ names: [String]) {
            var size = TreeSize(limit: Self.walkLimit)
            for name in names {
                if let place = VolumePath(name), let directory = try? root.open(place) { size.add(directory) }
            }
            guard size.seen > 0 else { return }
            found.append(UnaccountedSpace(kind: kind, bytes: size.bytes, isLowerBound: size.isLowerBound))
        }
        add(.volumes, ["volumes"])
        found += scratch(["tmp", "\(driver.name)/staging"], now: now)
        let lost = orphans.filter { $0.kind == .directory }
        if !lost.isEmpty {
            found.append(
                UnaccountedSpace(
                    kind: .leftBehind, bytes: lost.reduce(.zero) { $0 + $1.bytes },
                    isLowerBound: lost.contains(where: \.isLowerBound)))
        }
        for other in others {
            guard let store = try? ImageStoreReader(root: path, driver: other.name).read(recordsOnly: true)
            else { continue }
            found.append(UnaccountedSpace(kind: .otherDriver, bytes: store.bytes, detail: other.name))
        }
        return found
    }

    /// Temporary files, those apart that nothing wrote to for a day.
    private func scratch(_ folders: [String], now: Timestamp) -> [UnaccountedSpace] {
        var young = TreeSize(limit: Self.walkLimit)
        var old = TreeSize(limit: Self.walkLimit)
        var places: [String] = []
        for folder in folders {
            guard let place = VolumePath(folder), let directory = try? root.open(place),
                let names = try? directory.names()
            else { continue }
            for name in names {
                var size = TreeSize(limit: Self.walkLimit)
                if let inside = try? directory.open(name) {
                    size.add(inside)
                } else {
                    size.addFile(name, in: directory)
                }
                if size.newest < now - .days(1) {
                    old.add(size)
                    if !places.contains(folder) { places.append(folder) }
                } else {
                    young.add(size)
                }
            }
        }
        return [
            UnaccountedSpace(kind: .scratch, bytes: young.bytes, isLowerBound: young.isLowerBound),
            UnaccountedSpace(
                kind: .oldScratch, bytes: old.bytes, isLowerBound: old.isLowerBound,
                detail: places.joined(separator: " and ")),
        ].filter { $0.bytes > .zero }
    }
}
