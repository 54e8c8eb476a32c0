import CacheModel
import FileAccess

/// A storage driver of Podman: where layers lie, what they occupy and what must be there of each.
///
/// All drivers keep the same records (containers/storage v1.43.0, images.go, layers.go, containers.go), in folders
/// that begin with the driver's name.
package protocol StoreDriver: Sendable {
    /// Its name, as `storage.conf` has it: `vfs`.
    var name: String { get }
    /// The directory below the store's root that holds one directory for each layer, named by its ID.
    var layersFolder: VolumePath? { get }
    /// What a layer occupies, from what it adds itself and from what the layer below it occupies.
    func storedBytes(own: ByteCount, below: ByteCount) -> ByteCount
    /// Whether a name in `layersFolder` stands for a layer; the driver's own folders do not.
    func isLayerDirectory(_ name: [CChar]) -> Bool
    /// What is missing of a layer whose directory is there, in a few words; nil where it is whole.
    func missingPart(of layer: OpenDirectory, hasParent: Bool) -> String?
    /// The file below a layer's directory that is read where a container is made of the layer or something is built
    /// on it, so that its access time shows that; empty for the directory itself.
    var useTrace: String { get }
    /// The directory that holds what a container's layer occupies beyond its image.
    func ownContents(of layer: OpenDirectory) -> OpenDirectory?
}

extension StoreDriver {
    /// The folder with the records of `images`, `layers` or `containers`.
    func recordFolder(_ kind: String) -> String { "\(name)-\(kind)" }

    /// The path of something below the folder of one record, such as a container's `userdata`; nil where the ID is
    /// no name.
    func path(_ kind: String, _ id: String) -> VolumePath? {
        guard let path = VolumePath("\(recordFolder(kind))/\(id)"), path.components.count == 2 else {
            return nil
        }
        return path
    }
}

/// The drivers that Larder reads, and those it only knows by name.
package enum StoreDrivers {
    /// Those whose stores are read.
    package static let known: [any StoreDriver] = [VfsDriver(), OverlayDriver()]

    /// Those whose stores are refused.
    package static let unknown = ["btrfs", "zfs", "devicemapper", "aufs", "windowsfilter"]

    /// The driver of that name; nil where Larder does not read its stores.
    package static func named(_ name: String) -> (any StoreDriver)? { known.first { $0.name == name } }
}
