import CacheModel
import Caches
import FileAccess
import Foundation

/// Looks for images of which something is missing or damaged: a layer, its record or its parent, the manifest, the
/// configuration or other data that the store keeps of it.
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
        let store = try ImageStoreReader(of: volume).read()
        let images = Dictionary(store.images.map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
        let layers = Dictionary(store.layers.map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
        let parts = (try? OpenDirectory.open(root: volume.path)).map { StoreParts(root: $0, of: store) }
        var verified = VerifiedVolume(name: volume.name)
        // Many images stand on the same layers.
        var known: [String: String?] = [:]
        for entry in entries {
            guard let image = images[entry.found.path.description] else { continue }
            verified.entries += 1
            verified.checked += 1
            let tops = (image.topLayer.isEmpty ? [] : [image.topLayer]) + image.mappedLayers
            let missing = tops.lazy.compactMap { fault(below: $0, layers, parts, store, &known) }.first
            let damage: (kind: DamagedFile.Kind, detail: String)? =
                missing.map { (.missingPart, $0) }
                ?? parts?.fault(of: image).map { ($0.isMissing ? .missingPart : .checksumMismatch, $0.text) }
            if let damage {
                verified.damaged.append(
                    DamagedFile(
                        entryID: entry.id, pool: .images, key: entry.key, path: image.id, kind: damage.kind,
                        detail: damage.detail))
            }
        }
        return verified
    }

    /// What is wrong with a layer or one below it; nil where they are whole.
    private func fault(
        below top: String, _ layers: [String: ScannedLayer], _ parts: StoreParts?, _ store: ImageStore,
        _ known: inout [String: String?]
    ) -> String? {
        var next: String? = top
        var steps = 0
        while let id = next {
            let short = escaped(id.utf8.prefix(12))
            guard let layer = layers[id] else {
                return store.isShared(layer: id) ? nil : "its layer \(short) is gone"
            }
            if layer.incomplete { return "its layer \(short) was not written to its end" }
            let own = known[id] ?? parts?.fault(ofLayer: layer)
            known.updateValue(own, forKey: id)
            if let own { return own }
            steps += 1
            guard steps <= layers.count else { return "its layers stand on each other in a circle" }
            next = layer.parent
        }
        return nil
    }
}
