import CacheModel
import FileAccess
import Foundation

/// Reads an image store from its JSON files, without a lock and without a walk.
///
/// Podman's locks are not taken because a reader that holds one stalls every pull, and a pull holds the layers'
/// lock for as long as it extracts. They are not needed: Podman replaces each file by a rename (containers/storage
/// v1.43.0, pkg/ioutils/fswriters.go), so what is read is always one whole version. That the versions fit
/// together is made sure by looking at all files again after the last one was read: if none changed, all were in
/// place at once.
package struct ImageStoreReader: Sendable {
    /// The directory that Podman calls its root.
    package let root: String
    /// The driver that is known to be in use; nil where the store tells.
    private let driver: String?
    /// Read-only stores beside this one, whose images and layers its records may name.
    private let additional: [String]

    /// Makes a reader of the store in that directory, which need not exist yet.
    package init(root: String, driver: String? = nil, additional: [String] = []) {
        self.root = root
        self.driver = driver
        self.additional = additional
    }

    /// Makes a reader of a volume's store.
    package init(of volume: Volume) {
        self.init(root: volume.path, driver: volume.driver, additional: volume.additionalStores)
    }

    /// The driver whose records count, and the others that have records there.
    ///
    /// Where several have, the one that is named is in use, else the one whose records were written last.
    ///
    /// - Throws: `ImageStoreError.root` and `.driver`.
    package func drivers() throws -> (used: any StoreDriver, others: [any StoreDriver]) {
        let directory: OpenDirectory
        do { directory = try OpenDirectory.open(root: root) } catch {
            throw ImageStoreError.root(path: root, reason: error.message)
        }
        func written(_ driver: any StoreDriver) -> Int64? {
            ["images", "layers"].compactMap { kind -> Int64? in
                guard let folder = try? directory.open(driver.recordFolder(kind).utf8.cString) else {
                    return nil
                }
                return (try? folder.stat("\(kind).json".utf8.cString).mtime) ?? 0
            }.max()
        }
        let present = StoreDrivers.known.compactMap { driver in written(driver).map { (driver, $0) } }
        let named = driver.flatMap(StoreDrivers.named)
        if let driver, named == nil { throw ImageStoreError.driver(path: root, name: driver) }
        // What is configured says what Podman should use; the records say what it does.
        if present.isEmpty,
            let foreign = StoreDrivers.unknown.first(where: { name in
                (try? directory.stat("\(name)-images".utf8.cString)) != nil
            })
        {
            throw ImageStoreError.driver(path: root, name: foreign)
        }
        let used = named ?? present.max { $0.1 < $1.1 }?.0 ?? VfsDriver()
        return (used, present.map(\.0).filter { $0.name != used.name })
    }

    /// Reads the store.
    ///
    /// A root in which Podman has stored nothing yet is an empty store.
    ///
    /// - Throws: `ImageStoreError` where the root is no directory, where a file is damaged or is not what Podman
    ///   writes, and where the store changed during every attempt.
    ///
    /// - Parameter recordsOnly: leaves out what is read beside the records, which tells only of use and origin.
    package func read(recordsOnly: Bool = false) throws -> ImageStore {
        try read(attempts: 20, recordsOnly: recordsOnly)
    }

    func read(attempts: Int, recordsOnly: Bool = false) throws -> ImageStore {
        let (driver, others) = try drivers()
        let folder = try ImageStoreFolder(root: root, driver: driver)
        for attempt in 1...attempts {
            var opened: [StoreRecordFile: OpenStoreFile] = [:]
            var contents: [StoreRecordFile: Data] = [:]
            for file in StoreRecordFile.allCases {
                let version = try folder.opened(file)
                opened[file] = version
                if version.descriptor != nil { contents[file] = try folder.contents(version, of: file) }
            }
            // The files are still open here, so that no new version can have an old one's inode number.
            if try opened.allSatisfy({ file, seen in try folder.version(file) == seen.version }) {
                let versions = StoreRecordFile.allCases.flatMap { opened[$0]?.version.bytes ?? [] }
                return try store(
                    from: contents, in: folder, generation: versions, beside: others, recordsOnly: recordsOnly
                )
            }
            if attempt < attempts { sched_yield() }
        }
        throw ImageStoreError.restless(root: root, attempts: attempts)
    }

    /// What changes with every change of the store: the inode, time and size of its record files.
    ///
    /// Equal to `ImageStore.generation` as long as reading again would give the same store; nil where the files
    /// cannot be looked at.
    ///
    /// The last writer's stamp in Podman's lock files would be shorter but is no proof: it is written after the
    /// JSON by Podman 4.3 and before it by later versions.
    package func generation() -> [UInt8]? {
        guard let driver = try? drivers().used,
            let folder = try? ImageStoreFolder(root: root, driver: driver)
        else { return nil }
        return try? StoreRecordFile.allCases.flatMap { try folder.version($0).bytes }
    }

    private func store(
        from contents: [StoreRecordFile: Data], in folder: ImageStoreFolder, generation: [UInt8],
        beside others: [any StoreDriver], recordsOnly: Bool
    ) throws -> ImageStore {
        func records<Record: StoreRecord>(_ type: Record.Type, _ file: StoreRecordFile) throws -> [Record] {
            try folder.records(type, in: contents[file], of: file)
        }
        // The other drivers' stores are beside each other, too: of them only the records are read.
        var notes = recordsOnly ? [] : otherDrivers(others, in: folder)
        var shared = ImageStore.Shared()
        for path in additional {
            do {
                let other = try ImageStoreReader(root: path, driver: folder.driver.name).read(
                    recordsOnly: true)
                for layer in other.layers where !layer.incomplete {
                    shared.layers[layer.id] = layer.storedBytes
                }
                shared.images.formUnion(other.images.map(\.id))
            } catch {
                notes.append("the additional image store \(escaped(path.utf8)) cannot be read: \(error)")
            }
        }
        var store = try ImageStore(
            root: root,
            images: records(ImageRecord.self, .images),
            containers: records(ContainerRecord.self, .containers)
                + records(ContainerRecord.self, .volatileContainers),
            layers: records(LayerRecord.self, .layers) + records(LayerRecord.self, .volatileLayers),
            driver: folder.driver, generation: generation, notes: notes, shared: shared)
        if recordsOnly { return store }
        for image in store.images { store.pulled[image.id] = folder.manifestTime(ofImage: image.id) }
        store.readManifests(in: folder)
        store.readMounts(in: folder)
        store.readBuilds()
        store.readLayerTimes(in: folder)
        return store
    }

    private func otherDrivers(_ others: [any StoreDriver], in folder: ImageStoreFolder) -> [String] {
        let unknown = StoreDrivers.unknown.filter { folder.has("\($0)-images") }.map { driver in
            "the root also holds a store of the \(driver) driver, which Larder does not read: what lies in it is not "
                + "counted"
        }
        return unknown
            + others.map { driver in
                let bytes = (try? ImageStoreReader(root: root, driver: driver.name).read(recordsOnly: true))?
                    .bytes
                let size = bytes.map { ", \($0) by its records" } ?? ""
                return
                    "the root also holds a store of the \(driver.name) driver\(size), and the one in use is "
                    + "\(folder.driver.name): once nothing needs it, remove \(driver.name), \(driver.name)-images, "
                    + "\(driver.name)-layers and \(driver.name)-containers"
            }
    }
}
