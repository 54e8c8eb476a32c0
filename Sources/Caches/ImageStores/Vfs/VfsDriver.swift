import CacheModel
import FileAccess

/// The driver that needs nothing of the kernel: each layer is a whole tree.
///
/// It copies the parent's whole tree into a new layer's directory (containers/storage v1.43.0,
/// drivers/vfs/driver.go, create), so a layer occupies the sum of the differences from itself down to its base, and
/// so does a container's.
package struct VfsDriver: StoreDriver {
    package let name = "vfs"
    package let layersFolder = VolumePath("vfs/dir")

    /// Makes the driver.
    package init() {}

    package func storedBytes(own: ByteCount, below: ByteCount) -> ByteCount { own + below }

    package func isLayerDirectory(_ name: [CChar]) -> Bool { true }

    package func missingPart(of layer: OpenDirectory, hasParent: Bool) -> String? { nil }

    /// The whole tree is copied.
    package let useTrace = ""

    package func ownContents(of layer: OpenDirectory) -> OpenDirectory? { layer }
}
