import CacheModel
import Digests
import FileAccess
import Foundation

/// Looks whether what a store's records name is there, and is what they say.
package struct StoreParts {
    private let root: OpenDirectory
    private let driver: any StoreDriver
    private let folder: ImageStoreFolder?
    private let allLayers: OpenDirectory?

    /// What is wrong with a part.
    package struct Fault: Sendable, Hashable {
        /// What it is, in a sentence.
        package var text: String
        /// Whether it is not there, rather than another than it should be.
        package var isMissing: Bool
    }

    /// Looks at the parts of a store in that directory.
    package init(root: OpenDirectory, of store: ImageStore) {
        self.root = root
        driver = store.driver
        folder = try? ImageStoreFolder(root: store.root, driver: store.driver)
        allLayers = store.driver.layersFolder.flatMap { try? root.open($0) }
    }

    /// What is missing of a layer; nil where it is whole, or may not be looked at.
    package func fault(ofLayer layer: ScannedLayer) -> String? {
        guard let path = driver.layersFolder else { return nil }
        let short = escaped(layer.id.utf8.prefix(12))
        let gone = "the directory of its layer \(short) is gone"
        guard let allLayers else {
            do throws(SystemError) { _ = try root.open(path) } catch { return error.isVanished ? gone : nil }
            return nil
        }
        do throws(SystemError) { _ = try allLayers.stat(layer.id.utf8.cString) } catch {
            return error.isVanished ? gone : nil
        }
        guard let own = try? allLayers.open(layer.id.utf8.cString) else { return nil }
        return driver.missingPart(of: own, hasParent: layer.parent != nil).map { part in
            "\(part) of its layer \(short) is gone"
        }
    }

    /// What is wrong with the data that the store keeps of an image, its manifest and configuration first; nil where
    /// all is as its record says.
    package func fault(of image: ImageStore.Image) -> Fault? {
        guard let folder, let place = driver.path("images", image.id) else { return nil }
        guard !image.bigData.isEmpty else { return nil }
        let directory: OpenDirectory
        do throws(SystemError) { directory = try root.open(place) } catch {
            return error.isVanished ? Fault(text: "its directory in the store is gone", isMissing: true) : nil
        }
        for part in image.bigData {
            let name = Self.fileName(of: part.name)
            let size: Int64
            do throws(SystemError) { size = try directory.stat(name.utf8.cString).size } catch {
                if error.isVanished { return Fault(text: "its \(part.title) is gone", isMissing: true) }
                continue
            }
            if let expected = part.size, expected != size {
                return Fault(
                    text: "its \(part.title) has \(size) bytes, and its record says \(expected)",
                    isMissing: false)
            }
            guard let digest = part.digest, digest.hasPrefix("sha256:"),
                let data = folder.smallFile(name, in: place)
            else { continue }
            if DigestFunction.sha256.hex(of: data) != digest.dropFirst(7) {
                return Fault(text: "its \(part.title) is not what its digest says", isMissing: false)
            }
        }
        return nil
    }

    /// The name of the file that holds big data of that name (containers/storage v1.43.0, images.go,
    /// makeBigDataBaseName): itself where it is of lower-case letters, digits and dots, else `=` and its Base64.
    static func fileName(of name: String) -> String {
        let isPlain = name.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 46 }
        return isPlain ? name : "=" + Data(name.utf8).base64EncodedString()
    }
}

extension ImageStore.BigData {
    /// What it is, for a person.
    fileprivate var title: String {
        if name.hasPrefix("manifest") { return name == "manifest" ? "manifest" : "copy of the manifest" }
        if name.hasPrefix("sha256:") { return "configuration" }
        return "data \(escaped(name.utf8))"
    }
}
