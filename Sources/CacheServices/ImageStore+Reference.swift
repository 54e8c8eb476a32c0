import Caches
import PodmanClient

extension ImageStore.Image {
    /// Whether Podman finds this image under the reference.
    ///
    /// One with a digest it finds among the images of the repository by their digests, whatever tag they were
    /// pulled by (v4.3.1, vendor/github.com/containers/common/libimage/runtime.go, lookupImageInDigestsAndRepoTags).
    func answers(to reference: ImageReference) -> Bool {
        if names.contains(where: reference.means) { return true }
        guard let digest = reference.digest, manifestDigests.contains(digest) || self.digest == digest else {
            return false
        }
        return (names + nameHistory).contains { name in
            guard let known = try? ImageReference(name) else { return false }
            return known.repository == reference.repository
                && (reference.isShort || known.registry == reference.registry)
        }
    }
}
