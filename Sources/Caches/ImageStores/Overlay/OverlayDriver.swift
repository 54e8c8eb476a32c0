import CacheModel
import FileAccess

/// The driver that mounts layers over each other, by the kernel or by fuse-overlayfs: a layer holds only what it adds.
///
/// Each layer's directory has its own files in `diff`, its short name in `link`, and, unless it is a base, the short
/// names of those below it in `lower` (containers/storage v1.43.0, drivers/overlay/overlay.go, create). Both mounts
/// keep the same files.
package struct OverlayDriver: StoreDriver {
    package let name = "overlay"
    package let layersFolder = VolumePath("overlay")

    /// Makes the driver.
    package init() {}

    package func storedBytes(own: ByteCount, below: ByteCount) -> ByteCount { own }

    /// A layer's directory is named by an ID of 64 hexadecimal digits; beside them lie `l` with the short names,
    /// `staging`, `compat…` and the like.
    package func isLayerDirectory(_ name: [CChar]) -> Bool {
        name.count == 65 && name.dropLast().allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    package func missingPart(of layer: OpenDirectory, hasParent: Bool) -> String? {
        for part in ["diff", "link"] + (hasParent ? ["lower"] : []) {
            do throws(SystemError) { _ = try layer.stat(part.utf8.cString) } catch {
                if error.isVanished { return part }
            }
        }
        return nil
    }

    /// A new layer on this one takes its short name from there (getLower); reading files through a mount leaves no
    /// trace in the layers.
    package let useTrace = "link"

    package func ownContents(of layer: OpenDirectory) -> OpenDirectory? {
        try? layer.open("diff".utf8.cString)
    }
}
