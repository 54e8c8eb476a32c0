import CacheModel
import PodmanClient
import VolumeScanning

/// Tells what images that were never there will take, from their registries.
///
/// It costs a request for a manifest, which registries that count pulls count, so it is for images only of which
/// nothing is known.
public struct ImageForecast: Sendable {
    /// What is known of an image before it is pulled.
    public struct Size: Sendable, Hashable {
        /// What it will take, parents' copies included and shared layers left out: an estimate.
        public var bytes: ByteCount
        /// How many layers it has.
        public var layers: Int
    }

    let root: String
    let registry: RegistryClient

    /// Makes a forecast for the store in that directory.
    public init(root: String, registry: RegistryClient) {
        self.root = root
        self.registry = registry
    }

    /// What images will take, as far as their registries tell.
    ///
    /// A registry that does not answer is not asked again.
    ///
    /// - Throws: `VfsStoreError`, `CancellationError`.
    public func sizes(of requests: [ImageWarmer.Request]) async throws -> [ImageWarmer.Request: Size] {
        try await withThrowingTaskGroup(of: [(ImageWarmer.Request, Size)].self) { group in
            for (_, some) in Dictionary(grouping: requests, by: \.registry) {
                group.addTask {
                    var sizes: [(ImageWarmer.Request, Size)] = []
                    for request in some {
                        do {
                            sizes.append(
                                (request, try await size(of: request.reference, platform: request.platform)))
                        } catch let failure as RegistryFailure {
                            if failure.cause == .unreachable { break }
                        }
                    }
                    return sizes
                }
            }
            return try await group.reduce(into: [:]) { sizes, some in
                for (request, size) in some { sizes[request] = size }
            }
        }
    }

    /// What an image will take.
    ///
    /// - Throws: `RegistryFailure` where the registry does not tell, `VfsStoreError`, `CancellationError`.
    public func size(of reference: ImageReference, platform: ImagePlatform? = nil) async throws -> Size {
        let manifest = try await registry.image(of: reference, platform: platform)
        let store = try VfsStoreReader(root: root).read()
        return Size(bytes: store.forecast(manifest.layers), layers: manifest.layers.count)
    }
}
