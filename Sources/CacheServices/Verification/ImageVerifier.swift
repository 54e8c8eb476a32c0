import CacheModel
import Caches
import FileAccess

/// Looks for images whose layers are missing or were not written to their end, from the store's records and the
/// names of the layers' directories.
///
/// It only reports: what is to be done with an image is Podman's.
struct ImageVerifier {
    let volume: Volume

    /// Verifies the images among `entries`, in their order.
    ///
    /// What is damaged is looked at twice: the store may have been read as an image was being removed.
    func verify(_ entries: [CacheEntry]) throws -> VerifiedVolume {
        let first = try look(at: entries)
        return first.damaged.isEmpty ? first : try look(at: entries)
    }

    private func look(at entries: [CacheEntry]) throws -> VerifiedVolume {
        let store = try ImageStoreReader(root: volume.path).read()
        let images = Dictionary(store.images.map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
        let layers = Dictionary(store.layers.map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
        let root = try? OpenDirectory.open(root: volume.path)
        var verified = VerifiedVolume(name: volume.name)
        for entry in entries {
            guard let image = images[entry.found.path.description] else { continue }
            verified.entries += 1
            verified.checked += 1
            let tops = (image.topLayer.isEmpty ? [] : [image.topLayer]) + image.mappedLayers
            if let fault = tops.lazy.compactMap({ fault(below: $0, layers, root) }).first {
                verified.damaged.append(
                    DamagedFile(
                        entryID: entry.id, pool: .images, key: entry.key, path: image.id, kind: .missingPart,
                        detail: fault))
            }
        }
        return verified
    }

    /// What is wrong with a layer or one below it; nil where they are whole.
    private func fault(
        below top: String, _ layers: [String: ScannedLayer], _ root: OpenDirectory?
    ) -> String? {
        var next: String? = top
        var steps = 0
        while let id = next {
            let short = escaped(id.utf8.prefix(12))
            guard let layer = layers[id] else { return "its layer \(short) is gone" }
            if layer.incomplete { return "its layer \(short) was not written to its end" }
            if let root, Self.isGone(id, in: root) { return "the directory of its layer \(short) is gone" }
            steps += 1
            guard steps <= layers.count else { return "its layers stand on each other in a circle" }
            next = layer.parent
        }
        return nil
    }

    /// Whether the layer's tree is not there; what may not be looked at counts as there.
    private static func isGone(_ layer: String, in root: OpenDirectory) -> Bool {
        do {
            guard let path = VolumePath("vfs/dir/\(layer)") else { return false }
            _ = try root.open(path.parent).stat(layer.utf8.cString)
            return false
        } catch { return error.isVanished }
    }
}
