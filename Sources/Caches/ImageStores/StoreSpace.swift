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
    package func unaccounted(at path: String) -> [UnaccountedSpace] {
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
        add(.scratch, ["tmp", "\(driver.name)/staging"])
        for other in others {
            guard let store = try? ImageStoreReader(root: path, driver: other.name).read(recordsOnly: true)
            else { continue }
            found.append(UnaccountedSpace(kind: .otherDriver, bytes: store.bytes, detail: other.name))
        }
        return found
    }
}
