import CacheModel

/// An image store as its JSON records it, at one instant.
///
/// The layers' files are not read: many belong to other users of the container's user namespace, so that not even
/// the store's owner can walk them. Sizes are what the records say: for a layer the length of its uncompressed tar
/// stream, with the vfs driver that of all its ancestors' as well, which is within a few percent of what `du`
/// counts. On a file system with reflinks vfs's copies share blocks and occupy less.
package struct ImageStore: Sendable {
    /// An image's record.
    package struct Image: Sendable, Hashable {
        /// The image ID: 64 hexadecimal digits.
        package var id: String
        /// The digest of its manifest, `sha256:…`; empty where the store does not know it.
        package var digest: String
        /// Its present references, in the store's order.
        package var names: [String]
        /// References it once had.
        package var nameHistory: [String]
        /// Its top layer; empty for a manifest list.
        package var topLayer: String
        /// Copies of the top layer for other user namespaces.
        package var mappedLayers: [String]
        /// When the image was built, not when it was pulled.
        package var created: Timestamp
        /// The digests of all its manifests, those of lists that it was pulled by included.
        package var manifestDigests: [String]
        /// What else the store keeps of it, the manifest first.
        package var bigData: [BigData] = []
    }

    /// A piece of data that the store keeps of an image.
    package struct BigData: Sendable, Hashable {
        /// Its name: `manifest`, or the digest of the configuration.
        package var name: String
        /// Its length in bytes; nil where the record does not tell.
        package var size: Int64?
        /// Its digest; nil where the record does not tell.
        package var digest: String?
    }

    /// Whether a layer lies in an additional store.
    package func isShared(layer id: String) -> Bool { shared.layers[id] != nil }

    /// The directory that Podman calls its root.
    package let root: String
    /// How its layers lie on disk.
    package let driver: any StoreDriver
    /// The images, in the store's order.
    package let images: [Image]
    /// The layers, those of containers included, in the store's order.
    package let layers: [ScannedLayer]
    /// The containers, stable ones first.
    package let containers: [StoreContainer]
    /// What all layers occupy, those of containers included.
    package let bytes: ByteCount
    /// What is wrong with the records or wastes space, one sentence each with its remedy.
    ///
    /// Safe to print, and about a hundred at most. Images and layers concerned are in the lists above too.
    package let problems: [String]
    /// The versions of the files that this was read from: see `ImageStoreReader.generation()`.
    package let generation: [UInt8]
    /// When each image was last pulled, by its ID: Podman writes an image's manifest anew at every pull, also
    /// at one that finds all its layers there (seen with Podman 4.3.1).
    package internal(set) var pulled: [String: Timestamp] = [:]

    /// The places of each image's layers in `layers`: its top layer's chain, then its mapped layers.
    let imageLayers: [[Int]]
    let graph: LayerGraph
    /// What lies in additional stores.
    let shared: Shared
    /// The images of each manifest list that run on this machine, or all where none is for it, by the list's ID.
    var instances: [String: [String]] = [:]
    /// Every image that belongs to a manifest list.
    var allInstances: Set<String> = []
    /// The images that came from an archive.
    var loaded: Set<String> = []
    /// The top layers of images that containers mount.
    var mounted: Set<String> = []
    /// When a layer's directory was last read, which shows a use.
    var layerReads: [String: Timestamp] = [:]

    /// The images and layers of read-only stores beside this one.
    struct Shared: Sendable {
        /// What each layer occupies there.
        var layers: [String: ByteCount] = [:]
        var images: Set<String> = []
    }
    /// Whether a layer stands below one that no image and no container needs: Podman does not remove it.
    let pinned: [Bool]

    init(
        root: String, images records: [ImageRecord], containers containerRecords: [ContainerRecord],
        layers layerRecords: [LayerRecord], driver: any StoreDriver = VfsDriver(), generation: [UInt8] = [],
        notes: [String] = [], shared: Shared = Shared()
    ) throws {
        self.shared = shared
        let graph = LayerGraph(records: layerRecords, driver: driver, shared: shared.layers)
        let images = Self.lastOfEachID(records).map { record in
            Image(
                id: record.id, digest: record.digest, names: record.names, nameHistory: record.namesHistory,
                topLayer: record.layer, mappedLayers: record.mappedLayers, created: record.created,
                manifestDigests: record.manifestDigests, bigData: record.bigData)
        }
        let containers = containerRecords.map { record in
            StoreContainer(
                id: record.id, imageID: record.image, layerID: record.layer, created: record.created,
                imageName: record.imageName)
        }
        let imageTops = images.map { ([$0.topLayer] + $0.mappedLayers).compactMap { graph.places[$0] } }
        let containerTops = containers.compactMap { graph.places[$0.layerID] }
        // Real chains have at most 127 layers; this bounds time and memory for made-up ones.
        let steps = (imageTops.joined() + containerTops).reduce(0) { $0 + graph.depths[$1] }
        guard steps <= 4_000_000 else {
            throw ImageStoreError.implausible(
                root: root, reason: "its images stand on \(steps) layers in all")
        }

        let imageLayers = imageTops.map { graph.chain(from: $0) }
        var imageCounts = [Int](repeating: 0, count: graph.records.count)
        var containerCounts = imageCounts
        for place in imageLayers.joined() { imageCounts[place] += 1 }
        for top in containerTops { for place in graph.chain(from: [top]) { containerCounts[place] += 1 } }
        var pinned = [Bool](repeating: false, count: graph.records.count)
        for place in graph.records.indices where imageCounts[place] + containerCounts[place] == 0 {
            var next: Int? = place
            while let here = next, !pinned[here] {
                pinned[here] = true
                next = graph.parents[here]
            }
        }

        let layers = graph.records.enumerated().map { place, record in
            ScannedLayer(
                id: record.id, parent: record.parent.isEmpty ? nil : record.parent,
                diffBytes: ByteCount(record.diffSize), storedBytes: graph.stored[place],
                created: record.created, incomplete: record.incomplete, images: imageCounts[place],
                containers: containerCounts[place])
        }
        self.root = root
        self.driver = driver
        self.images = images
        self.layers = layers
        self.containers = containers
        self.bytes = layers.reduce(.zero) { $0 + $1.storedBytes }
        self.generation = generation
        self.imageLayers = imageLayers
        self.graph = graph
        self.pinned = pinned
        problems =
            notes
            + Self.problems(
                images: images, layers: layers, containers: containers, graph: graph, shared: shared)
    }

    private static func lastOfEachID(_ records: [ImageRecord]) -> [ImageRecord] {
        var places: [String: Int] = [:]
        var kept: [ImageRecord] = []
        for record in records {
            if let place = places[record.id] {
                kept[place] = record
            } else {
                places[record.id] = kept.count
                kept.append(record)
            }
        }
        return kept
    }
}

/// A container's record: Podman's, in whatever state it is, or an external one such as Buildah's.
package struct StoreContainer: Sendable, Hashable {
    /// The container ID.
    package var id: String
    /// The image it was made from; empty where it was made from none.
    package var imageID: String
    /// Its layer.
    package var layerID: String
    /// When it was made.
    package var created: Timestamp
    /// The reference it was made by, from Podman's metadata; empty where another tool made it.
    package var imageName: String
}
