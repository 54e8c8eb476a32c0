import CacheModel
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
    private let driver: any StoreDriver

    /// Makes a reader of the store in that directory, which need not exist yet.
    package init(root: String) {
        self.root = root
        driver = VfsDriver()
    }

    /// Reads the store.
    ///
    /// A root in which Podman has stored nothing yet is an empty store.
    ///
    /// - Throws: `ImageStoreError` where the root is no directory, where a file is damaged or is not what Podman
    ///   writes, and where the store changed during every attempt.
    package func read() throws -> ImageStore { try read(attempts: 20) }

    func read(attempts: Int) throws -> ImageStore {
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
                return try store(from: contents, in: folder, generation: versions)
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
        guard let folder = try? ImageStoreFolder(root: root, driver: driver) else { return nil }
        return try? StoreRecordFile.allCases.flatMap { try folder.version($0).bytes }
    }

    private func store(
        from contents: [StoreRecordFile: Data], in folder: ImageStoreFolder, generation: [UInt8]
    ) throws -> ImageStore {
        func records<Record: StoreRecord>(_ type: Record.Type, _ file: StoreRecordFile) throws -> [Record] {
            try folder.records(type, in: contents[file], of: file)
        }
        var store = try ImageStore(
            root: root,
            images: records(ImageRecord.self, .images),
            containers: records(ContainerRecord.self, .containers)
                + records(ContainerRecord.self, .volatileContainers),
            layers: records(LayerRecord.self, .layers) + records(LayerRecord.self, .volatileLayers),
            driver: driver, generation: generation,
            notes: otherDrivers(in: folder))
        for image in store.images { store.pulled[image.id] = folder.manifestTime(ofImage: image.id) }
        return store
    }

    private func otherDrivers(in folder: ImageStoreFolder) -> [String] {
        ["overlay", "btrfs", "zfs"].filter { folder.has("\($0)-images") }.map { driver in
            "the root also holds a store of the \(driver) driver, which Larder does not count; "
                + "remove it, or set `driver = \"vfs\"` wherever this root is used"
        }
    }
}
