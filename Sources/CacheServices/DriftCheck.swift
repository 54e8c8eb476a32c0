import CacheModel
import Caches
import PodmanClient

/// Finds the names whose image at the registry is another than the one in the store, and pulls nothing.
///
/// A name stands for the same image where the registry's digest is one that the store keeps of it. Where it is
/// not, the registry's manifest is read: a list that was written anew may still hold the same image for this
/// platform, and an image that was built here and pushed has the same ID under another digest.
package struct DriftCheck: Sendable {
    /// A name to look at, and why.
    package struct Request: Sendable, Hashable {
        /// The name.
        package var reference: ImageReference
        /// Why.
        package var why: String

        /// Makes a request from its two parts.
        package init(reference: ImageReference, why: String) {
            self.reference = reference
            self.why = why
        }
    }

    let store: ImageStore
    let registry: RegistryClient
    let parallel: Int

    /// Makes a check of a store as it was read.
    ///
    /// - Parameter parallel: how many names are asked for at once.
    package init(store: ImageStore, registry: RegistryClient, parallel: Int = 4) {
        self.store = store
        self.registry = registry
        self.parallel = max(1, parallel)
    }

    /// Every name with a tag in the store whose registry can be asked, in alphabetical order.
    package var allNames: [Request] {
        Set(store.images.flatMap(\.names)).sorted().compactMap { name in
            guard let reference = try? ImageReference(name), let registry = reference.registry,
                registry != "localhost", reference.digest == nil
            else { return nil }
            return Request(reference: reference, why: "in the store")
        }
    }

    /// Looks at the names.
    ///
    /// - Returns: What was found, in the order of the requests.
    /// - Throws: `CancellationError` where the task was cancelled.
    package func run(_ requests: [Request]) async throws -> [CheckedImage] {
        try await withThrowingTaskGroup(of: (Int, CheckedImage).self) { group in
            var results = [CheckedImage?](repeating: nil, count: requests.count)
            var next = 0
            func begin() {
                guard next < requests.count else { return }
                let number = next
                next += 1
                group.addTask { (number, try await check(requests[number])) }
            }
            for _ in 0..<parallel { begin() }
            while let (number, image) = try await group.next() {
                results[number] = image
                begin()
            }
            return results.compactMap { $0 }
        }
    }

    private func check(_ request: Request) async throws -> CheckedImage {
        var checked = CheckedImage(reference: request.reference.name, result: .absent, why: request.why)
        guard let image = store.images.first(where: { $0.answers(to: request.reference) }) else {
            return checked
        }
        // A short name stands for the one it was resolved to when it was pulled.
        let name = image.names.first(where: request.reference.means)
        let reference = name.flatMap { try? ImageReference($0) } ?? request.reference
        checked.reference = reference.name
        checked.localDigest = image.digest.isEmpty ? nil : image.digest
        checked.pulledAt = store.pulled[image.id]
        if let digest = reference.digest {
            // What a digest stands for cannot change.
            (checked.result, checked.remoteDigest) = (.same, digest)
            return checked
        }
        if reference.registry == "localhost" {
            checked.result = .unknown
            checked.reason = "it was built here and is in no registry"
            return checked
        }
        do {
            let digest = try await registry.digest(of: reference)
            checked.remoteDigest = digest
            let local = Set(image.manifestDigests + [image.digest])
            if local.contains(digest) {
                // Of an image that came by a list, the store keeps the list too.
                (checked.result, checked.localDigest) = (.same, digest)
                return checked
            }
            let manifest = try await registry.manifest(of: reference)
            if manifest.image == image.id {
                checked.result = .same
                checked.reason = "the same image under another digest, as after a push from here"
            } else if !local.isDisjoint(with: manifest.instanceDigests) {
                checked.result = .same
                checked.reason = "the registry's list is new, and holds the same image"
            } else {
                checked.result = .moved
            }
        } catch let failure as RegistryFailure {
            checked.result = .unknown
            checked.reason = "\(failure)"
        }
        return checked
    }
}
